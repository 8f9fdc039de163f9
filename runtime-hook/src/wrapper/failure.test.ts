import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, type Started } from './harness.testing.ts';
import { connectAll, harness, useHarness, withDevices } from './scope.testing.ts';

useHarness();

describe('a failure', () => {
  const outcome = async (run: Started) => {
    const { code, stderr } = await run.ended;
    expect(filesBelow(run.runDirectory)).toEqual([]);
    expect(filesBelow(path.dirname(run.runDirectory)).some((file) => file.endsWith('/seen'))).toBe(false);
    return { code, stderr };
  };

  test.each([
    ['300', 'over the limit maxDevices = 32'],
    ['memory=1T', 'over the limit maxMemory = "512G"'],
    ['path=/etc/passwd', 'over the limit containerPaths = ["/dev/mock*"]'],
    ['path=/dev/../etc/passwd', 'has a part "", "." or ".."'],
    ['h100', 'over the limit models = ["mock-accel"]'],
    ['uuid=MOCK-1;uuid=MOCK-1', 'devices 0 and 1 have the same UUID'],
  ])('for the devices %j starts no VM, says why and leaves nothing', async (devices, reason) => {
    const { code, stderr } = await outcome(withDevices(devices));
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });

  test('of the hook itself ends the wrapper', async () => {
    const dying = path.join(harness().tree, 'dying-node');
    writeFileSync(dying, '#!/bin/sh\necho /bin/true\nkill -KILL $$\n', { mode: 0o755 });
    const { code, stderr } = await outcome(withDevices('1', { env: { KATA_MOCK_NODE: dying } }));
    expect(code).toBe(1);
    expect(stderr).toContain('the VM is not started');
  });

  test.each([
    ['qemo = 1', {}, 'there is no key "qemo"'],
    ['', { KATA_MOCK_QEMU: '/nonexistent' }, 'QEMU "/nonexistent" is not a program'],
    ['user = "nobody-at-all"', {}, 'user "nobody-at-all" does not exist'],
  ])('of the settings %j %j is told', async (config, env, reason) => {
    const { code, stderr } = await outcome(withDevices('1', { config, env }));
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });

  test('comes of a second VM for the same sandbox, and harms the first in nothing', async () => {
    const first = withDevices('1');
    await first.seen;
    const second = withDevices('1', { env: { KATA_MOCK_RUN_DIR: first.runDirectory } });
    expect(await second.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('has a device host already') });
    expect(await connectAll(first)).toHaveLength(1);
  });
});
