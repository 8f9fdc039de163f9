/** What the tests of the wrapper share: a harness for the file, and the end of everything a test starts. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { smallest } from '../argv/recordings.testing.ts';
import { listVmStates, vmDirectories } from '../state/index.ts';
import { vmOwner } from '../state/vm-directory.ts';
import { isAlive, type ProcessIdentity } from '../vm/process/identity.ts';
import {
  filesBelow,
  type Harness,
  makeHarness,
  type Started,
  type StartOptions,
  startWrapper,
  until,
} from './harness.testing.ts';

let made: Harness | undefined;
const started: Started[] = [];

/** The file's harness, while its tests run. */
export function harness(): Harness {
  if (!made) throw new Error('the harness exists only while tests run');
  return made;
}

/** Call once in a test file. */
export function useHarness(): void {
  beforeAll(async () => {
    made = await makeHarness();
  });
  afterEach(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    for (const { ended, runDirectory } of started.splice(0)) {
      await ended;
      await until(() => hosts(runDirectory).every((owner) => !isAlive(owner)));
    }
  });
  afterAll(() => made?.remove());
}

export function start(options: StartOptions, wrapper = harness().wrapper): Started {
  const run = startWrapper({ ...harness(), wrapper }, options);
  started.push(run);
  return run;
}

/** A recorded sandbox that asks for devices by annotation. */
export function withDevices(devices: string, more: Partial<StartOptions> = {}): Started {
  return start({ args: smallest, annotations: { 'io.kata-mock/devices': devices }, ...more });
}

export function hostOf(runDirectory: string): ProcessIdentity {
  const [host] = hosts(runDirectory);
  if (!host) throw new Error(`no device host in ${runDirectory}`);
  return host;
}

export function nothingLeft({ runDirectory }: Started): Promise<void> {
  return until(() => filesBelow(runDirectory).length === 0);
}

/** Connects to every device socket, as QEMU does. */
export function connectAll({ runDirectory }: Started): Promise<net.Socket[]> {
  const paths = listVmStates(runDirectory).flatMap(({ functions }) => functions.map(({ socketPath }) => socketPath));
  const connected = (socketPath: string) =>
    new Promise<net.Socket>((resolve, reject) => {
      const socket = net.connect(socketPath);
      socket.once('connect', () => resolve(socket)).on('error', reject);
    });
  return Promise.all(paths.map(connected));
}

/** Until the device host has given up its rights and says that it serves. */
export async function serving({ runDirectory }: Started): Promise<void> {
  const log = path.join(vmDirectories(runDirectory)[0] ?? '', 'host.log');
  await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('"serving"'));
}

/** Target of each descriptor of a process, by number. */
export function descriptorsOf(pid: number): Record<string, string> {
  return Object.fromEntries(readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, linkOf(`/proc/${pid}/fd/${fd}`)]));
}

export function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function hosts(runDirectory: string): ProcessIdentity[] {
  return vmDirectories(runDirectory).flatMap((directory) => vmOwner(directory) ?? []);
}
