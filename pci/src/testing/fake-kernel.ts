import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { linkName } from '../function.ts';
import type { FakeTree } from './fake-tree.ts';
import { attribute } from './files.ts';
import { bindDriver } from './function-files.ts';
import { writeNode } from './nodes.ts';

/**
 * What a kernel does when somebody writes to the driver files of a fake tree: override, unbind, probe. Everything else
 * is written as it is. Keeps the writes in order, for tests that care.
 */
export class FakeKernel {
  readonly writes: { path: string; text: string }[] = [];
  readonly #tree: FakeTree;

  constructor(tree: FakeTree) {
    this.#tree = tree;
  }

  /** @param file path from the root of the tree, such as `/sys/bus/pci/drivers_probe` */
  write(file: string, text: string): void {
    this.writes.push({ path: file, text });
    const full = path.join(this.#tree.root, file);
    const name = path.basename(file);
    if (name === 'driver_override') this.#override(full, text);
    else if (name === 'unbind') this.#unbind(text);
    else if (name === 'drivers_probe') this.#probe(text);
    else writeFileSync(full, text);
  }

  #override(file: string, driver: string): void {
    const address = path.basename(path.dirname(file));
    if (this.#tree.functions.get(address)?.description.driverOverride === 'fails') throw ioError('EINVAL', file);
    writeFileSync(file, `${driver}\n`);
  }

  #unbind(address: string): void {
    const directory = this.#directory(address);
    const driver = linkName(directory, 'driver');
    if (driver === undefined) throw ioError('ENODEV', directory);
    rmSync(path.join(directory, 'driver'));
    rmSync(path.join(this.#tree.sysfs, 'bus/pci/drivers', driver, address), { force: true });
  }

  #probe(address: string): void {
    const directory = this.#directory(address);
    if (linkName(directory, 'driver') !== undefined) return;
    const placed = this.#tree.functions.get(address);
    const override = readFileSync(path.join(directory, 'driver_override'), 'utf8').trim();
    const driver = override === '' || override === '(null)' ? placed?.description.driver : override;
    if (driver === undefined) return;
    bindDriver(this.#tree, address, directory, driver);
    if (driver === 'vfio-pci') this.#openToVfio(directory);
    if (placed) this.#tree.emit('bind', placed);
  }

  /** vfio-pci makes /dev/vfio/<group> and the group's class device. */
  #openToVfio(directory: string): void {
    const group = linkName(directory, 'iommu_group');
    if (group === undefined) return;
    const minor = Number(group);
    mkdirSync(path.join(this.#tree.sysfs, 'devices/virtual/vfio', group), { recursive: true });
    attribute(path.join(this.#tree.sysfs, 'devices/virtual/vfio', group), 'dev', `243:${minor}`);
    writeNode(path.join(this.#tree.dev, 'vfio', group), { type: 'c', major: 243, minor });
  }

  #directory(address: string): string {
    const placed = this.#tree.functions.get(address);
    const directory = placed && path.join(this.#tree.sysfs, placed.devpath);
    if (!directory || !existsSync(directory)) throw ioError('ENODEV', address);
    return directory;
  }
}

function ioError(code: string, file: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: write '${file}'`), { code, syscall: 'write', path: file });
}
