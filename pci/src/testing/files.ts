import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Writes a file and the directories above it. */
export function put(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A sysfs attribute: one line. */
export function attribute(directory: string, name: string, value: string | number): void {
  put(path.join(directory, name), `${value}\n`);
}

/** A relative link as sysfs has them, so a tree can be moved. Replaces an older one. */
export function link(from: string, to: string): void {
  mkdirSync(path.dirname(from), { recursive: true });
  rmSync(from, { force: true });
  symlinkSync(path.relative(path.dirname(from), to), from);
}

export function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
