import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TreeRoots } from './class-devices.ts';
import type { TreeDescription } from './description.ts';
import { Drivers } from './drivers.ts';
import { attribute, put } from './files.ts';
import { ownDriver, type PlacedFunction, removeFunction, writeFunction } from './function-files.ts';
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
  /** Binds and unbinds, as the kernel does, with the events of it. */
  readonly drivers: Drivers;
  readonly #listeners = new Set<UeventListener>();
  /** How often each event is told. */
  #times = 1;

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
    this.drivers = new Drivers(this, (event) => this.#tell(event));
    for (const placed of this.functions.values()) if (placed.arrives === 'now') this.#add(placed);
    for (const [name, text] of Object.entries(description.nodes ?? {})) {
      writeNode(path.join(this.dev, name), parseNode(text));
    }
    for (const [name, text] of Object.entries(description.files ?? {})) put(path.join(this.root, name), text);
  }

  /** Makes the functions that come late and are not there, each with the events its description asks for. */
  arrive(): void {
    for (const placed of this.functions.values()) {
      if (placed.arrives === 'now' || this.#isThere(placed)) continue;
      this.#times = placed.arrives === 'silent' ? 0 : placed.arrives === 'twice' ? 2 : 1;
      this.#add(placed);
    }
    this.#times = 1;
  }

  /**
   * Takes a function out again, with what is below it, its virtual functions, and all nodes and links of them. The
   * events come in the kernel's order: children first, class devices before their function.
   */
  unplug(address: string): void {
    const placed = this.functions.get(address);
    if (!placed || !this.#isThere(placed)) throw new Error(`no function ${address} in this tree`);
    const isGone = ({ devpath, description }: PlacedFunction) =>
      `${devpath}/`.startsWith(`${placed.devpath}/`) || description.physicalFunction === address;
    for (const gone of [...this.functions.values()].filter(isGone).reverse()) {
      if (!this.#isThere(gone)) continue;
      this.drivers.unbind(gone);
      removeFunction(this.sysfs, gone);
      this.#tell(pciEvent('remove', gone));
    }
  }

  /** Subscribes to events; returns how to end that. */
  onUevent(listener: UeventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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

  #add(placed: PlacedFunction): void {
    writeFunction(this.sysfs, placed);
    this.#tell(pciEvent('add', placed));
    const driver = ownDriver(placed.description);
    if (driver !== undefined) this.drivers.bind(placed, driver);
  }

  #isThere({ devpath }: PlacedFunction): boolean {
    return existsSync(path.join(this.sysfs, devpath, 'vendor'));
  }

  #tell(event: FakeUevent): void {
    for (let count = 0; count < this.#times; count++) {
      for (const listener of [...this.#listeners]) listener(event);
    }
  }
}

function pciEvent(action: string, { address, devpath }: PlacedFunction): FakeUevent {
  return { action, devpath, env: { ACTION: action, DEVPATH: devpath, SUBSYSTEM: 'pci', PCI_SLOT_NAME: address } };
}
