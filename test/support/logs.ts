import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { build } from './paths.ts';

const DEEPEST = 4;
const LARGEST = 16 * 1024 * 1024;

/** Copies logs, consoles and state files of a run directory to build/logs/<name>, for a look after the test. */
export function keepLogs(runDir: string, name: string): void {
  const target = path.join(build, 'logs', name.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 80));
  const kept = copy(runDir, target, 0);
  console.log(kept > 0 ? `logs of the failed test: ${target}` : `no logs below ${runDir}`);
}

function copy(from: string, to: string, depth: number): number {
  if (depth > DEEPEST || !existsSync(from)) return 0;
  let copied = 0;
  for (const name of readdirSync(from)) {
    const file = path.join(from, name);
    const status = lstatSync(file, { throwIfNoEntry: false });
    // What the container sees as its files is not a log; it may be large, and a file server that died would hang us.
    if (status?.isDirectory() && name !== 'share') copied += copy(file, path.join(to, name), depth + 1);
    if (!status?.isFile() || status.size > LARGEST) continue;
    mkdirSync(to, { recursive: true });
    copyFileSync(file, path.join(to, name));
    copied++;
  }
  return copied;
}
