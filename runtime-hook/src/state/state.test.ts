import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Leases } from '../leases/leases.ts';
import { isAlive, type ProcessIdentity, processIdentity } from '../vm/process/identity.ts';
import { endVm, listVmStates, pruneHook, readVmState, vmDirectory } from './index.ts';
import { makeVmDirectory } from './vm-directory.ts';
import { type VmState, writeVmState } from './vm-state.ts';

const root = mkdtempSync(path.join(tmpdir(), 'kata-mock-state-'));
afterAll(() => rmSync(root, { recursive: true }));
let runs = 0;
const newRunDirectory = () => {
  const directory = path.join(root, String(runs++));
  mkdirSync(directory);
  return directory;
};
const me = processIdentity(process.pid) as ProcessIdentity;
const dead: ProcessIdentity = { pid: process.pid, startTime: '1' };
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
/** A process of ours, once its program runs. */
const someProcess = async (script: string) => {
  const child = spawn('sh', ['-c', `${script}; echo ready; while read -r line; do :; done`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return processIdentity(child.pid ?? 0) as ProcessIdentity;
};
const state = (sandboxId: string, deviceHost: ProcessIdentity, qemu: ProcessIdentity, leases: string[]): VmState => ({
  version: 1,
  sandboxId,
  bundle: '/bundle',
  startedAt: '2026-01-01T00:00:00.000Z',
  deviceHost,
  qemu: { ...qemu, path: '/usr/bin/qemu-system-x86_64' },
  onDeviceLoss: 'keep',
  source: 'test',
  functions: [],
  leases,
  inventory: { version: 1, devices: [] },
});
const someVm = async (runDirectory: string, sandboxId: string, host: ProcessIdentity, qemu: ProcessIdentity) => {
  const leases = await new Leases(runDirectory).acquire(1, { owner: host, sandboxId });
  const directory = await makeVmDirectory(runDirectory, sandboxId, host);
  writeVmState(directory, state(sandboxId, host, qemu, leases));
  return directory;
};

describe("a VM's directory", () => {
  test('has a short name that depends on the sandbox alone', () => {
    expect(vmDirectory('/run/kata-mock', 'a'.repeat(64))).toMatch(/^\/run\/kata-mock\/vm\/[0-9a-f]{12}$/);
    expect(vmDirectory('/run', 'a')).not.toBe(vmDirectory('/run', 'b'));
  });

  test('is made once, and again in the place of a dead one', async () => {
    const runDirectory = newRunDirectory();
    const directory = await makeVmDirectory(runDirectory, 's', dead);
    writeFileSync(path.join(directory, 'd0.sock'), '');
    expect(await makeVmDirectory(runDirectory, 's', me)).toBe(directory);
    expect(readdirSync(directory)).toEqual(['owner.json']);
    await expect(makeVmDirectory(runDirectory, 's', me)).rejects.toThrow(
      `sandbox "s" has a device host already (pid ${process.pid})`,
    );
    expect(readdirSync(path.join(runDirectory, 'vm')).filter((name) => name !== '.lock')).toHaveLength(1);
  });

  test('goes to one of many that want it at once', async () => {
    const runDirectory = newRunDirectory();
    await makeVmDirectory(runDirectory, 's', dead);
    const living = await Promise.all([someProcess('true'), someProcess('true'), someProcess('true')]);
    const made = await Promise.allSettled(living.map((owner) => makeVmDirectory(runDirectory, 's', owner)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('the state of a VM', () => {
  test('comes back as it was written, with its place', async () => {
    const runDirectory = newRunDirectory();
    const directory = await someVm(runDirectory, 's', me, me);
    expect(readVmState(directory)).toEqual({ ...state('s', me, me, ['ac00:00:00.0']), directory });
    expect(listVmStates(runDirectory).map(({ sandboxId }) => sandboxId)).toEqual(['s']);
    expect(listVmStates(path.join(runDirectory, 'missing'))).toEqual([]);
  });

  test('is not made up from a broken file', async () => {
    const runDirectory = newRunDirectory();
    const directory = await someVm(runDirectory, 's', me, me);
    for (const text of ['', '{', '{"version":2}', '{"version":1,"inventory":{}}']) {
      writeFileSync(path.join(directory, 'state.json'), text);
      expect(readVmState(directory)).toBeUndefined();
    }
  });
});

describe('cleaning up', () => {
  test('removes what dead device hosts left and touches nothing else', async () => {
    const runDirectory = newRunDirectory();
    const host = await someProcess('true');
    const kept = await someVm(runDirectory, 'kept', host, me);
    const gone = await someVm(runDirectory, 'gone', dead, dead);
    const draft = path.join(runDirectory, 'vm', '.new-1');
    mkdirSync(draft);
    writeFileSync(path.join(draft, 'owner.json'), JSON.stringify(dead));
    expect(await pruneHook(runDirectory)).toEqual([gone, draft, path.join(runDirectory, 'leases/ac00:00:01.0')]);
    expect(existsSync(gone)).toBe(false);
    expect(existsSync(kept)).toBe(true);
    expect(isAlive(host)).toBe(true);
    expect(await pruneHook(runDirectory)).toEqual([]);
  });

  test('ends a device host whose QEMU is dead, by force when it does not listen', async () => {
    const runDirectory = newRunDirectory();
    const host = await someProcess("trap '' TERM");
    const directory = await someVm(runDirectory, 's', host, dead);
    expect(await pruneHook(runDirectory)).toEqual([directory, path.join(runDirectory, 'leases/ac00:00:00.0')]);
    expect(isAlive(host)).toBe(false);
    expect(new Leases(runDirectory).list()).toEqual([]);
  });

  test('of one VM leaves the others', async () => {
    const runDirectory = newRunDirectory();
    const [one, two] = [await someProcess('true'), await someProcess('true')];
    const directory = await someVm(runDirectory, 'one', one, me);
    const other = await someVm(runDirectory, 'two', two, me);
    await endVm(directory);
    expect([isAlive(one), isAlive(two)]).toEqual([false, true]);
    expect([existsSync(directory), existsSync(other)]).toEqual([false, true]);
    expect(new Leases(runDirectory).list().map(({ lease }) => lease?.sandboxId)).toEqual(['two']);
  });
});
