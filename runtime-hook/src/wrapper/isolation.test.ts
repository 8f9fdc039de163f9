import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { capsOf } from '@kata-mock/posix';
import { describe, expect, test } from 'vitest';
import { listVmStates } from '../state/index.ts';
import { descriptorsOf, harness, hostOf, linkOf, serving, useHarness, withDevices } from './scope.testing.ts';

useHarness();

describe('a VM with devices', () => {
  test('has its descriptors in QEMU under their numbers, and nowhere else', async () => {
    const names = [3, 4, 16, 21, 40];
    const files = names.map((name) => path.join(harness().tree, `fd-${name}`));
    const opened = files.map((file) => openSync(file, 'w'));
    const run = withDevices('8', { fds: Object.fromEntries(names.map((name, index) => [name, opened[index] ?? -1])) });
    for (const fd of opened) closeSync(fd);
    const { pid: qemu } = await run.seen;
    const script = path.join(harness().tree, 'qemu');
    // What this test's own parents left open goes to every child.
    const others = [script, ...Object.values(descriptorsOf(process.pid))];
    const found = Object.entries(descriptorsOf(qemu)).filter(
      ([fd, target]) => Number(fd) > 2 && !others.includes(target),
    );
    expect(found).toEqual(names.map((name, index) => [String(name), files[index]]));

    const { pid } = hostOf(run.runDirectory);
    const targets = Object.values(descriptorsOf(pid));
    expect(targets.filter((target) => files.includes(target))).toEqual([]);
    expect(targets.some((target) => target.startsWith('socket:'))).toBe(true);
    const [guard] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    // Beside its standard ones the guard has its script.
    const ofGuard = Object.entries(descriptorsOf(guard ?? 0)).filter(([fd]) => Number(fd) > 2);
    expect(ofGuard.map(([, target]) => path.basename(target))).toEqual(['kata-mock-guard']);
  });

  test("has a device host that holds neither the shim's standard error nor its directory nor its session", async () => {
    const run = withDevices('2');
    const { pid } = await run.seen;
    const host = hostOf(run.runDirectory);
    await serving(run);
    expect(linkOf(`/proc/${host.pid}/fd/1`)).toBe('/dev/null');
    expect(linkOf(`/proc/${pid}/fd/2`)).toMatch(/^(pipe|socket):/);
    expect(linkOf(`/proc/${host.pid}/cwd`)).toBe('/');
    const sessionOf = (process: number) =>
      readFileSync(`/proc/${process}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[3];
    expect(sessionOf(host.pid)).toBe(String(host.pid));
    expect(sessionOf(pid)).not.toBe(String(host.pid));
  });

  test('has a device host without privileges', async () => {
    const run = withDevices('2');
    await run.seen;
    const { pid } = hostOf(run.runDirectory);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) console.log('not root: that the user changes is not seen here');
    await serving(run);
    const rights = capsOf(pid);
    expect(rights).toMatchObject({ permitted: 0n, effective: 0n, inheritable: 0n, ambient: 0n, noNewPrivs: true });
    expect(rights.groups).toEqual(isRoot ? [] : rights.groups);
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    }
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
  });

  test('is described in a state file while it runs', async () => {
    const run = withDevices('numa=0,host=0000:1a:00.0;numa=1', { env: { KATA_MOCK_ON_DEVICE_LOSS: 'stop' } });
    const { pid } = await run.seen;
    const [state] = listVmStates(run.runDirectory);
    expect(state).toMatchObject({
      sandboxId: 'k3',
      bundle: run.bundle,
      onDeviceLoss: 'stop',
      source: 'annotation io.kata-mock/devices',
      leases: ['ac00:00:00.0'],
      inventory: {
        devices: [
          { hostAddress: '0000:1a:00.0', numaNode: 0 },
          { hostAddress: 'ac00:00:00.0', numaNode: 1 },
        ],
      },
    });
    expect(state?.qemu.pid).toBe(pid);
  });
});
