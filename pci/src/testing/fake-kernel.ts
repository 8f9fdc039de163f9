import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { linkName } from '../function.ts';
import type { FakeTree } from './fake-tree.ts';
import { ownDriver, type PlacedFunction } from './function-files.ts';

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
    const placed = this.#there(address);
    if (!this.#tree.drivers.unbind(placed)) throw ioError('ENODEV', address);
  }

  #probe(address: string): void {
    const placed = this.#there(address);
    const directory = path.join(this.#tree.sysfs, placed.devpath);
    if (linkName(directory, 'driver') !== undefined) return;
    const override = readFileSync(path.join(directory, 'driver_override'), 'utf8').trim();
    const driver = override === '' || override === '(null)' ? ownDriver(placed.description) : override;
    if (driver !== undefined) this.#tree.drivers.bind(placed, driver);
  }

  #there(address: string): PlacedFunction {
    const placed = this.#tree.functions.get(address);
    if (!placed || !existsSync(path.join(this.#tree.sysfs, placed.devpath))) throw ioError('ENODEV', address);
    return placed;
  }
}

function ioError(code: string, file: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: write '${file}'`), { code, syscall: 'write', path: file });
}
