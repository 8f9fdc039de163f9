import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { artefacts } from './artefacts.ts';
import { build, root } from './paths.ts';

/** A container root of its own: the busybox root of set-up, with the test program `mock-ioctl` where asked. */
export function containerRoot(options: { withIoctl?: boolean } = {}): { path: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-root-'));
  const rootfs = path.join(directory, 'rootfs');
  execFileSync('cp', ['-a', artefacts().rootfs, rootfs]);
  if (options.withIoctl) execFileSync('cp', [ioctlProgram(), path.join(rootfs, 'bin/mock-ioctl')]);
  return { path: rootfs, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** A digest of names, types, permissions, owners and contents below a directory; times are left out. */
export function treeHash(directory: string): string {
  const hash = createHash('sha256');
  const visit = (file: string) => {
    const status = lstatSync(file);
    const { mode, uid, gid, rdev } = status;
    hash.update(JSON.stringify([path.relative(directory, file), mode, uid, gid, rdev]));
    if (status.isSymbolicLink()) hash.update(readlinkSync(file));
    else if (status.isFile()) hash.update(readFileSync(file));
    else if (status.isDirectory()) for (const name of readdirSync(file).sort()) visit(path.join(file, name));
  };
  visit(directory);
  return hash.digest('hex');
}

/** Compiles test/fixtures/mock-ioctl.c with the compiler of set-up, once for each version of its sources. */
function ioctlProgram(): string {
  const sources = ['kernel-driver/mock-accel-uapi.h', 'test/fixtures/mock-ioctl.c'];
  const source = sources.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\n');
  const program = path.join(
    build,
    'tools',
    `mock-ioctl-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`,
  );
  if (lstatSync(program, { throwIfNoEntry: false })) return program;
  mkdirSync(path.dirname(program), { recursive: true });
  const { toolchain } = artefacts();
  const inside = `/tmp/mock-ioctl.${process.pid}`;
  const compiler = ['gcc', '-static', '-Os', '-s', '-Wall', '-Werror', '-x', 'c', '-o', inside, '-'];
  execFileSync('chroot', [toolchain, ...compiler], { input: source, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
  execFileSync('mv', [path.join(toolchain, inside), program]);
  return program;
}
