import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { readArtefacts } from '../../guest-image/src/index.ts';
import type { BareGuest } from './bare-guest/bare-guest.ts';
import { build } from './paths.ts';

/**
 * Builds a kernel module of the tests and loads it in a guest. It is made like the driver, in the toolchain root beside
 * the guest's kernel, with warnings as errors; once per content.
 *
 * @param name a folder beside this file, with Kbuild and sources, and the module in it
 */
export async function loadModule(guest: BareGuest, name: string): Promise<void> {
  const inGuest = `/tmp/${name}.ko`;
  await guest.do.writeBytes(inGuest, readFileSync(await provideModule(name)).toString('base64'));
  const { status, stderr } = await guest.do.run(['insmod', inGuest]);
  if (status !== 0) throw new Error(`insmod ${name}: ${stderr}`);
}

async function provideModule(name: string): Promise<string> {
  const source = path.join(import.meta.dirname, name);
  const { toolchain, kernelRelease } = await readArtefacts(build);
  if (!toolchain || !kernelRelease) throw new Error('nothing to build with: run "make image" first');
  const hash = createHash('sha256').update(toolchain);
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(path.join(source, file)));
  const file = path.join(build, 'test/modules', `${name}-${hash.digest('hex').slice(0, 16)}.ko`);
  if (!existsSync(file)) await make(source, toolchain, kernelRelease, `${name}.ko`, file);
  return file;
}

async function make(source: string, toolchain: string, release: string, module: string, file: string): Promise<void> {
  const inside = `/build-test-${process.pid}`;
  const folder = path.join(toolchain, inside);
  const run = promisify(execFile);
  const env = { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C' };
  cpSync(source, folder, { recursive: true });
  try {
    const variables = [`M=${inside}`, 'W=1', 'KCFLAGS=-Werror'];
    const headers = `/lib/modules/${release}/build`;
    await run('chroot', [toolchain, 'make', '-C', headers, ...variables, 'modules'], { env });
    await run('chroot', [toolchain, 'strip', '--strip-debug', `${inside}/${module}`], { env });
    mkdirSync(path.dirname(file), { recursive: true });
    renameSync(path.join(folder, module), file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
