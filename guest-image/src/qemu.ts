import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findProgram, run } from './command.ts';
import { extractPackages, loaderCommand, RELEASE } from './debian.ts';
import { hashOf } from './hash.ts';
import type { Store } from './store.ts';

export interface Emulator {
  qemu: { path: string; version: string; source: 'host' | 'private' };
  virtiofsd: { path: string };
  reused: boolean;
  /** Name of the private root in the store, when there is one. */
  hash?: string;
}

const QEMU = 'qemu-system-x86_64';

/** The host's QEMU and virtiofsd where they can do the work, else both from a private Debian root. */
export async function provideQemu(store: Store): Promise<Emulator> {
  const hostQemu = await usableHostQemu();
  const hostVirtiofsd = await usableHostVirtiofsd();
  if (hostQemu && hostVirtiofsd) {
    return { qemu: { ...hostQemu, source: 'host' }, virtiofsd: { path: hostVirtiofsd }, reused: true };
  }
  const packages = [...(hostQemu ? [] : ['qemu-system-x86', 'seabios']), ...(hostVirtiofsd ? [] : ['virtiofsd'])];
  const hash = hashOf({ recipe: 2, release: RELEASE, packages });
  const artefact = await store.produce('qemu', hash, async (folder) => {
    await extractPackages(folder, { packages, backports: true });
    // The root moves to its final name after this, so the launchers find it from their own place.
    if (!hostQemu) {
      await launcher(folder, QEMU, `usr/bin/${QEMU}`, ['-L', '$R/usr/share/qemu', '-L', '$R/usr/share/seabios']);
    }
    if (!hostVirtiofsd) await launcher(folder, 'virtiofsd', 'usr/libexec/virtiofsd', []);
  });
  const qemuPath = path.join(artefact.path, QEMU);
  return {
    qemu: hostQemu
      ? { ...hostQemu, source: 'host' }
      : { path: qemuPath, version: await versionOf(qemuPath), source: 'private' },
    virtiofsd: { path: hostVirtiofsd ?? path.join(artefact.path, 'virtiofsd') },
    reused: artefact.reused,
    hash,
  };
}

/** A QEMU on PATH that knows the device is better than a private copy: it is the one the user will deploy with. */
async function usableHostQemu(): Promise<{ path: string; version: string } | undefined> {
  const file = findProgram(QEMU);
  if (!file) return undefined;
  const { stdout } = await run(file, ['-device', 'help']).catch(() => ({ stdout: '' }));
  return stdout.includes('"vfio-user-pci"') ? { path: file, version: await versionOf(file) } : undefined;
}

/** The Rust virtiofsd; the C program of the same name in Debian 12's QEMU takes other options. */
async function usableHostVirtiofsd(): Promise<string | undefined> {
  const file = findProgram('virtiofsd', `/usr/libexec:/usr/lib/kvm:${process.env['PATH'] ?? ''}`);
  if (!file) return undefined;
  const { stdout } = await run(file, ['--version']).catch(() => ({ stdout: '' }));
  return /^virtiofsd(?: backend)? 1\./m.test(stdout) ? file : undefined;
}

async function versionOf(qemu: string): Promise<string> {
  const { stdout } = await run(qemu, ['--version']);
  return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** A script that execs a program of the root beside it through the root's own loader. */
async function launcher(folder: string, name: string, program: string, args: readonly string[]): Promise<void> {
  const [loader, first] = loaderCommand('$R', program);
  const words = [loader, '--argv0', name, ...first, ...args].map((word) => `"${word}"`);
  const text = [
    '#!/bin/sh',
    '# Made by guest-image/setup.ts: runs a program of the Debian root beside this file, without installing it.',
    'R=$(dirname "$(readlink -f "$0")")/root',
    `exec ${words.join(' ')} "$@"`,
    '',
  ].join('\n');
  const file = path.join(folder, name);
  await writeFile(file, text);
  await chmod(file, 0o755);
}
