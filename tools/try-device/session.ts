import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import tty from 'node:tty';
import { pathToFileURL } from 'node:url';
import { KataMockError } from '@kata-mock/runtime-hook';
import { type Host, startHost } from '@kata-mock/vfio-user';
import { diesWithParent } from '../../runtime-hook/src/vm/process/pdeathsig.ts';
import { bundleDevice } from './bundle-device.ts';
import { guestCommand, root } from './commands.ts';
import { patiently, say } from './say.ts';

const ID = 'device';
/** How long QEMU may take to leave once it is told to, or its device has gone. */
const LEAVE_MS = 2000;

/** Serves the device and boots a guest with it, until one of them or the reader ends it. Returns the exit code. */
export async function tryDevice(file: string, accel: 'kvm' | 'tcg'): Promise<number> {
  const interrupted = untilInterrupted();
  const restoreTerminal = keepTerminal();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'try-device-'));
  const socket = path.join(folder, 'device.sock');
  let host: Host | undefined;
  let qemu: ChildProcess | undefined;
  try {
    const command = guestCommand(accel, socket);
    host = await serve(file, folder, socket);
    const name = path.basename(file);
    const loaded = patiently(`${name} is still being loaded`, untilLoaded(host, file));
    if ((await Promise.race([loaded, interrupted])) === 'interrupted') return 0;
    say(`${name} is served; a guest with it boots, which takes ${accel === 'kvm' ? 'a second' : 'some seconds'}`);
    qemu = boot(command);
    return await end(host, qemu, interrupted);
  } finally {
    await host?.stop();
    if (qemu) await endQemu(qemu);
    restoreTerminal();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function serve(file: string, folder: string, socket: string): Promise<Host> {
  if (!existsSync(file)) throw new KataMockError('BAD_INPUT', `there is no ${file}`, { hint: 'npm run try -- --help' });
  const module = path.join(folder, 'device.mjs');
  await bundleDevice(file, module);
  const model = pathToFileURL(module).href;
  const host = await startHost({ functions: [{ id: ID, socketPath: socket, model, options: {} }] });
  host.on('log', ({ level, message, fields }) => {
    const details = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
    process.stderr.write(`${level}: ${message}${details.replaceAll(model, file)}\n`);
  });
  return host;
}

/** Until the device's thread has loaded it, which is when it answers. */
async function untilLoaded(host: Host, file: string): Promise<void> {
  await host.request(ID, 'registers').catch((cause) => {
    throw new KataMockError('BAD_INPUT', `${file} is no device, or fails when it is loaded: see above`, { cause });
  });
}

function boot(command: string[]): ChildProcess {
  const [program, ...args] = command;
  const child = diesWithParent(program!, args);
  return spawn(child.command, child.args, { cwd: root, stdio: 'inherit' });
}

async function end(host: Host, qemu: ChildProcess, interrupted: Promise<'interrupted'>): Promise<number> {
  const left = once(qemu, 'exit').then(([status, signal]) => ({ status: status as number | null, signal }));
  const gone = host.closed.then(() => Promise.race([left, delay(LEAVE_MS, undefined, { ref: false })]));
  const first = await Promise.race([left, gone, interrupted]);
  if (first === 'interrupted') return 0;
  if (!first) throw new KataMockError('VM', 'the device ended while the guest ran, so the guest is ended too');
  if (first.status === 0) return 0;
  throw new KataMockError('VM', `QEMU ended with ${first.signal ?? `status ${first.status}`}: see above`, {
    hint: 'npm run try -- --dry-run FILE prints its command line',
  });
}

/** QEMU waits for nobody when told to end, unless its device does not answer. */
async function endQemu(qemu: ChildProcess): Promise<void> {
  if (qemu.exitCode !== null || qemu.signalCode !== null || qemu.pid === undefined) return;
  const left = once(qemu, 'exit');
  qemu.kill('SIGTERM');
  const timer = setTimeout(() => qemu.kill('SIGKILL'), LEAVE_MS);
  await left;
  clearTimeout(timer);
}

/** Ctrl-C, a polite kill, or the end of the terminal. */
function untilInterrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('interrupted'));
  });
}

/** QEMU puts the terminal into raw mode and back, but not when it has to be killed. Returns what restores it. */
function keepTerminal(): () => void {
  if (!tty.isatty(0)) return () => {};
  const { stdout } = spawnSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' });
  return () => void spawnSync('stty', [stdout.trim()], { stdio: ['inherit', 'ignore', 'ignore'] });
}
