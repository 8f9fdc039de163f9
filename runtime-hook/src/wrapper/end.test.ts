import { describe, expect, test } from 'vitest';
import { listVmStates, pruneHook } from '../state/index.ts';
import { isAlive } from '../vm/process/identity.ts';
import { filesBelow, until } from './harness.testing.ts';
import { connectAll, hostOf, nothingLeft, serving, useHarness, withDevices } from './scope.testing.ts';

useHarness();

describe('the end of a VM', () => {
  test('takes the device host and its files with it', async () => {
    const run = withDevices('2');
    await run.seen;
    const clients = await connectAll(run);
    const host = hostOf(run.runDirectory);
    for (const client of clients) client.destroy();
    await nothingLeft(run);
    expect(isAlive(host)).toBe(false);
  });

  test('does so too when QEMU ends before it has connected', async () => {
    const run = withDevices('2');
    await run.seen;
    const host = hostOf(run.runDirectory);
    run.child.kill('SIGKILL');
    await nothingLeft(run);
    expect(isAlive(host)).toBe(false);
  });

  test('makes room at once for a VM of the same sandbox', async () => {
    const first = withDevices('2');
    await first.seen;
    first.child.kill('SIGKILL');
    await first.ended;
    const second = withDevices('2', { env: { KATA_MOCK_RUN_DIR: first.runDirectory } });
    await second.seen;
    expect(await connectAll(first)).toHaveLength(2);
  });

  test('follows the end of the device host when onDeviceLoss is stop, however that came', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const run = withDevices('2', { config: 'onDeviceLoss = "stop"' });
      await run.seen;
      await connectAll(run);
      await serving(run);
      process.kill(hostOf(run.runDirectory).pid, signal);
      expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
      await nothingLeft(run);
    }
  });

  test('follows the end of a device host that has not come to serve', async () => {
    const run = withDevices('2', { config: 'onDeviceLoss = "stop"' });
    await run.seen;
    process.kill(hostOf(run.runDirectory).pid, 'SIGKILL');
    expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
    await nothingLeft(run);
  });

  test('does not follow it when onDeviceLoss is keep; prune cleans up then', async () => {
    const run = withDevices('1');
    const { pid } = await run.seen;
    await connectAll(run);
    await serving(run);
    const host = hostOf(run.runDirectory);
    process.kill(host.pid, 'SIGKILL');
    await until(() => !isAlive(host));
    expect(isAlive({ pid, startTime: listVmStates(run.runDirectory)[0]?.qemu.startTime ?? '' })).toBe(true);
    expect(await pruneHook(run.runDirectory)).toHaveLength(2);
    expect(filesBelow(run.runDirectory)).toEqual([]);
  });
});
