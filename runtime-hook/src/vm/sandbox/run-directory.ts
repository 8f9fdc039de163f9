import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { KataMockError } from '../../errors.ts';

export const defaultRunDirectory = '/run/kata-mock';

/** KATA_MOCK_RUN_DIR names another place; it must stay short, unix sockets live below it. */
export function runDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(env['KATA_MOCK_RUN_DIR'] || defaultRunDirectory);
}

/** Makes a directory of ours (mode 0700) below which sockets and state go; refuses one that someone else owns. */
export function privateDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new KataMockError('HOST', `cannot make ${dir}: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
      hint: 'run as root, or name another directory in KATA_MOCK_RUN_DIR',
    });
  }
  const stat = lstatSync(dir);
  if (!stat.isDirectory()) throw new KataMockError('HOST', `${dir} is not a directory`);
  if (stat.uid !== process.getuid?.()) {
    throw new KataMockError('HOST', `${dir} belongs to user ${stat.uid}, not to us`, {
      hint: 'remove it, or name another directory in KATA_MOCK_RUN_DIR',
    });
  }
  if ((stat.mode & 0o077) !== 0) chmodSync(dir, 0o700);
}
