import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from '../support/command.ts';
import { bothDevices } from '../support/devices.ts';
import { TestHost } from '../support/host.ts';
import { leftovers, mountsOf, processesOf } from '../support/leftovers.ts';
import { keepLogs } from '../support/logs.ts';
import { containerRoot, treeHash } from '../support/rootfs.ts';
import { until } from '../support/until.ts';

/** Each part of a running sandbox, by its command line. Programs of the private QEMU root run through its loader. */
const parts = {
  QEMU: (command: string) => /qemu-system-x86_64 .*-name sandbox-/.test(command) && !command.includes('kata-mock-qemu'),
  'the device host': (command: string) => /^\S*node \S*hook\/main\.js/.test(command),
  virtiofsd: (command: string) => /virtiofsd .*--shared-dir=/.test(command),
  'kata-mock run': (command: string) => /^\S*node \S*kata-mock\/main\.js run /.test(command),
};
type Part = keyof typeof parts;

let host: TestHost;
let rootfs: ReturnType<typeof containerRoot>;
let before: string;

beforeAll(() => {
  rootfs = containerRoot();
  before = treeHash(rootfs.path);
});
afterAll(() => rootfs.remove());
beforeEach(() => {
  host = new TestHost();
});
afterEach(async (context) => {
  if (context.task.result?.state === 'fail') keepLogs(host.runDir, context.task.name);
  await host.close();
  rmSync(host.runDir, { recursive: true, force: true });
});

/** A run with a container that has written to its root, which is the user's tree. */
async function started(): Promise<Running> {
  const script =
    'echo written > /etc/written; mkdir /tmp/made; echo up; trap "exit 0" TERM; while :; do sleep 1 & wait; done';
  const args = ['run', '--name', 'crash', '--rootfs', rootfs.path, ...bothDevices, '--', 'sh', '-c', script];
  const running = host.start(args);
  await running.until('"up" from the container', () => running.stdout.includes('up\n'));
  return running;
}

function pidsOf(part: Part): number[] {
  return processesOf(host.runDir)
    .filter(({ command }) => parts[part](command))
    .map(({ pid }) => pid);
}

/** The kernel may take a moment to take down what has been killed. */
const noProcess = (withinMs = 10_000) =>
  until('end of every process', () => processesOf(host.runDir).length === 0, withinMs).catch(() =>
    expect(processesOf(host.runDir)).toEqual([]),
  );

describe('kill -9', () => {
  it.each([
    ['QEMU', /QEMU was killed by SIGKILL/],
    ['the device host', /device host/i],
    ['virtiofsd', /virtiofsd was killed by SIGKILL/],
  ] as const)('of %s ends the run with the reason, and no process, mount or file stays', async (part, reason) => {
    const running = await started();
    const pids = pidsOf(part);
    expect(pids, `processes of ${part}`).not.toEqual([]);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const finished = await running.ended;
    expect(finished.status).toBe(1);
    expect(finished.stderr).toMatch(reason);
    await noProcess();
    expect((await host.run(['prune'])).status).toBe(0);
    expect(leftovers(host.runDir)).toEqual([]);
    expect(treeHash(rootfs.path)).toBe(before);
  });

  it('of kata-mock run ends every process; a prune takes the rest and leaves the user’s tree as it was', async () => {
    const running = await started();
    const pids = pidsOf('kata-mock run');
    expect(pids).toEqual([running.pid]);
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    await noProcess();
    expect(treeHash(rootfs.path)).toBe(before);
    const pruned = await host.run(['prune']);
    expect([pruned.status, pruned.stderr]).toEqual([0, '']);
    expect(leftovers(host.runDir)).toEqual([]);
    expect(treeHash(rootfs.path)).toBe(before);
    expect(mountsOf(rootfs.path)).toEqual([]);
  });

  it('of everything at once leaves nothing that a prune does not take', async () => {
    const running = await started();
    for (const { pid } of processesOf(host.runDir)) process.kill(pid, 'SIGKILL');
    await running.ended;
    await noProcess();
    expect((await host.run(['prune'])).status).toBe(0);
    expect(leftovers(host.runDir)).toEqual([]);
    expect(treeHash(rootfs.path)).toBe(before);
  });
});

describe('Ctrl-C', () => {
  it('in a running container leaves nothing at all, without a prune', async () => {
    const running = await started();
    running.kill('SIGINT');
    // The first process of a pid namespace ignores SIGINT: the second one means it.
    running.kill('SIGINT');
    const finished = await running.ended;
    expect(finished.status).toBeGreaterThan(128);
    await noProcess(1000);
    expect(leftovers(host.runDir)).toEqual([]);
    expect(treeHash(rootfs.path)).toBe(before);
  });

  it('while the VM boots leaves nothing at all, without a prune', async () => {
    const running = host.start(['run', '--rootfs', rootfs.path, ...bothDevices, '--', 'true']);
    await until('QEMU', () => pidsOf('QEMU').length > 0, 30_000);
    running.kill('SIGINT');
    expect((await running.ended).status).toBe(130);
    await noProcess(1000);
    expect(leftovers(host.runDir)).toEqual([]);
  });
});

describe('prune', () => {
  it('leaves a running sandbox alone', async () => {
    const running = await started();
    expect((await host.run(['prune'])).status).toBe(0);
    const alive = await host.run(['exec', 'crash', '--', 'cat', '/dev/mock0']);
    expect(alive.stdout).toContain('UUID');
    running.kill('SIGTERM');
    expect((await running.ended).status).toBe(0);
    expect(leftovers(host.runDir)).toEqual([]);
  });
});
