import { access, constants, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Hook, HookName } from '@kata-mock/oci-spec';
import { isMissing } from '@kata-mock/pci';

const KINDS: readonly HookName[] = ['prestart', 'poststart', 'poststop'];

export interface GuestHook {
  readonly name: HookName;
  readonly hook: Hook;
}

/** The executables below `<directory>/{prestart,poststart,poststop}` of the guest image, in name order. */
export async function guestHooks(directory: string): Promise<GuestHook[]> {
  const hooks: GuestHook[] = [];
  if (directory === '') return hooks;
  for (const name of KINDS) {
    const folder = path.join(directory, name);
    for (const entry of await namesIn(folder)) {
      const file = path.join(folder, entry);
      if (await isExecutableFile(file)) hooks.push({ name, hook: { path: file, args: [entry, name] } });
    }
  }
  return hooks;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function isExecutableFile(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
