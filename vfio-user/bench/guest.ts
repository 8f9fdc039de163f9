import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a read of 4 bytes costs in a guest, ns, medians. */
export interface GuestResult {
  /** A trapped read of a BAR, by the floor server and by ours. */
  floorNs: number;
  oursNs: number;
  /** Guest memory, and our aperture mapped into the guest. */
  ramNs: number;
  apertureNs: number;
}

const here = path.dirname(fileURLToPath(import.meta.url));
const artefactsFile = path.join(here, '../../build/artefacts.json');
/** A boot under emulation on a busy machine. */
const LIMIT_MS = 180_000;

/**
 * Boots a guest that is nothing but guest.c, with a device of each server, in QEMU without KVM, and returns what it
 * measured; or why that cannot be done here.
 */
export async function readsInGuest(
  work: string,
  sockets: { floor: string; ours: string },
): Promise<GuestResult | { notMeasured: string }> {
  if (!existsSync(artefactsFile)) return { notMeasured: 'there is no build/artefacts.json: run "make setup" first' };
  const { qemu, kernel } = JSON.parse(readFileSync(artefactsFile, 'utf8')) as {
    qemu: { path: string };
    kernel: string;
  };
  const program = path.join(work, 'guest');
  execFileSync('cc', ['-static', '-O2', '-Wall', '-o', program, path.join(here, 'guest.c')]);
  const initrd = path.join(work, 'initrd');
  writeFileSync(initrd, Buffer.concat([cpioEntry('init', readFileSync(program)), cpioEntry('TRAILER!!!')]));
  const { output, code } = await boot([
    qemu.path,
    ...['-machine', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', '256', '-nodefaults', '-no-user-config'],
    ...['-display', 'none', '-serial', 'stdio', '-no-reboot', '-kernel', kernel, '-initrd', initrd],
    ...['-append', 'console=ttyS0 quiet panic=-1'],
    ...device(sockets.floor, 0),
    ...device(sockets.ours, 1),
  ]);
  const line = /^BENCH (\{.*\})\r?$/m.exec(output);
  if (!line) throw new Error(`the guest measured nothing (QEMU ended with ${code}): ${output.slice(-2000)}`);
  return JSON.parse(line[1]!) as GuestResult;
}

function boot([program, ...args]: string[]): Promise<{ output: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ output, code });
    });
  });
}

function device(socket: string, index: number): string[] {
  return [
    ...['-device', `pcie-root-port,id=rp${index},bus=pcie.0,addr=0x1${index},chassis=${index + 1}`],
    '-device',
    JSON.stringify({
      driver: 'vfio-user-pci',
      socket: { path: socket, type: 'unix' },
      bus: `rp${index}`,
      rombar: 0,
    }),
  ];
}

/** One file of an archive in cpio's "newc" format, which the kernel unpacks as its first root. */
function cpioEntry(name: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const mode = 0o100755;
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  return Buffer.concat([padded(Buffer.from(header)), padded(data)]);
}
