/**
 * Compiles the native part of @kata-mock/posix to posix/dist/posix.node, with the C compiler on PATH. A machine where
 * that fails does without: everything then goes through koffi, slower.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const posix = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The addon's file, or why there is none. */
export function buildNative(): { file: string } | { missing: string } {
  const file = path.join(posix, 'dist/posix.node');
  const draft = `${file}.${process.pid}`;
  const folder = path.join(posix, 'native');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.c'));
  const { include_dir: headers } = require('node-api-headers') as { include_dir: string };
  const flags = ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-fvisibility=hidden', `-I${headers}`];
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    execFileSync('cc', [...flags, '-o', draft, ...sources.sort()], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    const reason =
      code === 'ENOENT' ? 'there is no C compiler (cc)' : `cc failed: ${stderr?.toString().split('\n')[0]}`;
    return { missing: reason };
  }
  renameSync(draft, file);
  return { file };
}

/** Puts the addon beside a program. A running one keeps the file it has mapped. */
export function placeNative(file: string, directory: string): void {
  const draft = path.join(directory, `posix.node.${process.pid}`);
  copyFileSync(file, draft);
  renameSync(draft, path.join(directory, 'posix.node'));
}
