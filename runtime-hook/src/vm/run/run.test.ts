import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeHost } from '../../testing/fake-host.ts';

const root = process.getuid?.() === 0;
if (!root) console.log('kata-mock run: mounts need root, its tests are left out');

describe.runIf(root)('kata-mock run, with a VM that is played', () => {
  let host: FakeHost;
  beforeAll(() => {
    host = new FakeHost();
  });
  afterAll(() => host.remove());
  const left = () =>
    existsSync(path.join(host.runDir, 'sandboxes')) ? readdirSync(path.join(host.runDir, 'sandboxes')) : [];

  it("streams both outputs, answers the container's exit code and leaves nothing", async () => {
    const result = await host.run(['run', '--accel', 'tcg', '--', '/bin/sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(result).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    expect(left()).toEqual([]);
    expect(readFileSync(path.join(host.rootfs, 'marker'), 'utf8')).toBe('untouched');
  });

  it("makes the calls in the shim's order", async () => {
    const before = host.calls().length;
    await host.run(['run', '--accel', 'tcg', '--', '/bin/true']);
    const calls = host.calls().slice(before);
    expect(calls.filter((call) => call !== 'CloseStdin')).toEqual([
      'Check',
      'CreateSandbox',
      'GetGuestDetails',
      'CreateContainer',
      'OnlineCPUMem',
      'UpdateEphemeralMounts',
      'StartContainer',
      'WaitProcess',
      'DestroySandbox',
    ]);
  });
});
