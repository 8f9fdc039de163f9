import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from './paths.ts';

/**
 * A program of a Debian package, for asking it about our files: the host's own where it is installed, else one
 * unpacked below build/tools. Never installed: packages like containerd would start a daemon, or push out another
 * vendor's.
 */
export function debianProgram(packageName: string, program: string): string {
  const installed = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' });
  if (installed.status === 0) return installed.stdout.trim();
  const folder = path.join(build, 'tools', packageName);
  const unpacked = path.join(folder, 'usr/bin', program);
  if (!existsSync(unpacked)) unpack(packageName, folder);
  return unpacked;
}

function unpack(packageName: string, folder: string): void {
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    execFileSync('apt-get', ['download', '-q', packageName], { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'] });
    const archive = readdirSync(scratch).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${packageName} left no archive`);
    execFileSync('dpkg-deb', ['-x', path.join(scratch, archive), path.join(scratch, 'root')]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(path.join(scratch, 'root'), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
