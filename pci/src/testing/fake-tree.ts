import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TreeRoots } from './class-devices.ts';
import type { TreeDescription } from './description.ts';
import { attribute, put } from './files.ts';
import { type PlacedFunction, writeFunction } from './function-files.ts';
import { parseNode, readNode, writeNode } from './nodes.ts';
import { placeFunctions, rootDevpath } from './place.ts';

/** A kernel event as a netlink listener sees it. */
export interface FakeUevent {
  readonly action: string;
  /** From the sysfs mount point. */
  readonly devpath: string;
  readonly env: Readonly<Record<string, string>>;
}

export type UeventListener = (event: FakeUevent) => void;

/** Longest path from the temporary directory stays short, so unix sockets fit beside a tree. */
const PREFIX = 'pci-tree-';

/**
 * A sysfs and /dev tree on disk. Needs no root: device nodes are plain files that `readNode` understands.
 * Dispose of it with `remove()` or `using`.
 */
export class FakeTree implements TreeRoots {
  readonly root: string;
  readonly sysfs: string;
  readonly dev: string;
  /** Every function, by address; the ones that have not arrived too. */
  readonly functions: ReadonlyMap<string, PlacedFunction>;
  readonly #listeners = new Set<UeventListener>();

  /** @param directory where to build; a fresh temporary directory when left out */
  constructor(description: TreeDescription, directory?: string) {
    this.root = directory ?? mkdtempSync(path.join(tmpdir(), PREFIX));
    this.sysfs = path.join(this.root, 'sys');
    this.dev = path.join(this.root, 'dev');
    for (const made of ['bus/pci/devices', 'class', 'devices'])
      mkdirSync(path.join(this.sysfs, made), { recursive: true });
    mkdirSync(this.dev, { recursive: true });
    attribute(path.join(this.sysfs, 'bus/pci'), 'drivers_probe', '');
    for (const root of description.roots) mkdirSync(path.join(this.sysfs, rootDevpath(root)), { recursive: true });
    this.functions = new Map(placeFunctions(description).map((placed) => [placed.address, placed]));
    for (const placed of this.functions.values()) {
      if ((placed.description.arrives ?? 'now') === 'now') writeFunction(this, placed);
    }
    for (const [name, text] of Object.entries(description.nodes ?? {})) {
      writeNode(path.join(this.dev, name), parseNode(text));
    }
    for (const [name, text] of Object.entries(description.files ?? {})) put(path.join(this.root, name), text);
  }

  /** Makes the functions that come late, each with the events its description asks for. */
  arrive(): void {
    for (const placed of this.functions.values()) {
      const { arrives = 'now' } = placed.description;
      if (arrives === 'now') continue;
      writeFunction(this, placed);
      const events = arrives === 'silent' ? 0 : arrives === 'twice' ? 2 : 1;
      for (let count = 0; count < events; count++) this.emit('add', placed);
    }
  }

  /** Takes a function (and what is below it) out again, with a remove event. */
  unplug(address: string): void {
    const placed = this.functions.get(address);
    if (!placed) throw new Error(`no function ${address} in this tree`);
    rmSync(path.join(this.sysfs, placed.devpath), { recursive: true, force: true });
    rmSync(path.join(this.sysfs, 'bus/pci/devices', address), { force: true });
    const mock = placed.description.mockAccel;
    if (mock) {
      rmSync(path.join(this.sysfs, 'class/mock-accel', mock.name), { force: true });
      rmSync(path.join(this.dev, mock.name), { force: true });
    }
    this.emit('remove', placed);
  }

  /** Subscribes to events; returns how to end that. */
  onUevent(listener: UeventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(action: string, placed: Pick<PlacedFunction, 'address' | 'devpath'>): void {
    const env = { ACTION: action, DEVPATH: placed.devpath, SUBSYSTEM: 'pci', PCI_SLOT_NAME: placed.address };
    for (const listener of [...this.#listeners]) listener({ action, devpath: placed.devpath, env });
  }

  /** What is at a path from the root of the tree, such as `/dev/mock0`. */
  readNode(file: string): ReturnType<typeof readNode> {
    return readNode(path.join(this.root, file));
  }

  /** Deletes the tree. */
  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}
