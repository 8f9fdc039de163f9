import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import type { Hook, HookName } from '@kata-mock/oci-spec';
import { readEntriesIfAny } from '@kata-mock/pci';

const KINDS: readonly HookName[] = ['prestart', 'poststart', 'poststop'];

/** The executables below `<directory>/{prestart,poststart,poststop}` of the guest image, in name order. */
export function guestHooks(directory: string): { name: HookName; hook: Hook }[] {
  if (directory === '') return [];
  return KINDS.flatMap((name) =>
    readEntriesIfAny(path.join(directory, name))
      .map((entry) => path.join(directory, name, entry.name))
      .filter(isExecutableFile)
      .map((file) => ({ name, hook: { path: file, args: [path.basename(file), name] } })),
  );
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
