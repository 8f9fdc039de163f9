/** The commands of the README, as `--dry-run` prints them. They run in the root of the clone. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { KataMockError } from '@kata-mock/runtime-hook';
import { artefactsPath, cloneRoot } from '../../runtime-hook/src/artefacts/artefacts.ts';

export const root = cloneRoot();

/** Serves a device file without this tool. */
export function serveCommand(file: string, socket: string): string[] {
  return ['npx', 'tsx', '--conditions=@kata-mock/source', short(file), socket];
}

/**
 * QEMU with a guest that is a shell on the serial line, and the device behind a root port. Ctrl-C reaches QEMU and not the
 * guest: it then works even when the device never answers and all of the VM waits for it.
 */
export function guestCommand(accel: 'kvm' | 'tcg', socket: string): string[] {
  const device = { driver: 'vfio-user-pci', socket: { type: 'unix', path: socket }, bus: 'rp0', rombar: 0 };
  return [
    bootFile('qemu-system-x86_64'),
    ...['-nodefaults', '-display', 'none', '-chardev', 'stdio,id=tty,mux=on', '-serial', 'chardev:tty'],
    ...['-machine', 'q35', '-accel', accel, '-cpu', 'max', '-m', '256M', '-no-reboot'],
    ...['-kernel', bootFile('vmlinux'), '-initrd', bootFile('initrd.img')],
    ...['-append', 'console=ttyS0 quiet panic=-1'],
    ...['-device', 'pcie-root-port,id=rp0,bus=pcie.0,chassis=1'],
    ...['-device', JSON.stringify(device)],
  ];
}

/** A command for a POSIX shell. */
export function shellLine(words: string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** What set-up links for this purpose. */
function bootFile(name: string): string {
  const file = path.join(path.dirname(artefactsPath()), 'shell', name);
  if (existsSync(file)) return short(file);
  throw new KataMockError('HOST', `${short(file)} is missing: set-up has not been run, or is older than this tool`, {
    hint: 'run `make setup` in the clone',
  });
}

/** Relative to the root of the clone where it is inside. */
function short(file: string): string {
  const relative = path.relative(root, file);
  return relative.startsWith('..') ? file : relative;
}
