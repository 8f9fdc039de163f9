import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundlePrograms, FakeHost, finished, printed } from '../../testing/fake-host.ts';
import { readState, type SandboxState } from '../sandbox/state.ts';

const root = process.getuid?.() === 0;
if (!root) console.log('kata-mock run: mounts need root, its tests are left out');

describe.runIf(root)('kata-mock run, with a VM that is played', () => {
  let programs: string;
  let host: FakeHost;
  beforeAll(async () => {
    programs = await bundlePrograms();
  });
  afterAll(() => rmSync(programs, { recursive: true }));
  beforeEach(() => {
    host = new FakeHost(programs);
  });
  afterEach(() => {
    expect(readFileSync(path.join(host.rootfs, 'marker'), 'utf8')).toBe('untouched');
    host.remove();
  });

  const run = (...args: string[]) => host.run(['run', '--accel', 'tcg', ...args]);
  const left = () => {
    const dir = path.join(host.runDir, 'sandboxes');
    return existsSync(dir) ? readdirSync(dir) : [];
  };
  /** Processes that have the host's directory in their command line. */
  const processes = () =>
    execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(host.dir));
  const started = async (name: string, script: string, vmm: object = {}, more: string[] = []) => {
    const child = host.start(['run', '--accel', 'tcg', '--name', name, ...more, '--', '/bin/sh', '-c', script], vmm);
    const end = finished(child);
    await printed(child, 'up');
    const state = readState(path.join(host.runDir, 'sandboxes', name, 'state.json')) as SandboxState;
    return { child, end, state };
  };

  describe('streams', () => {
    it('passes both outputs and the exit code on and leaves nothing', async () => {
      expect(await run('--', '/bin/sh', '-c', 'echo out; echo err >&2; exit 3')).toMatchObject({
        code: 3,
        stdout: 'out\n',
        stderr: 'err\n',
      });
      expect(left()).toEqual([]);
      expect(processes()).toEqual([]);
    });

    it('gives the process our stdin with -i, and none without', async () => {
      const big = 'x'.repeat(200_000);
      expect(await host.run(['run', '--accel', 'tcg', '-i', '--', 'cat'], { stdin: big })).toMatchObject({
        code: 0,
        stdout: big,
      });
      expect(await host.run(['run', '--accel', 'tcg', '--', 'cat'], { stdin: 'ignored' })).toMatchObject({
        code: 0,
        stdout: '',
      });
    });

    it('answers one JSON document with --output json', async () => {
      const { stdout } = await run('--output', 'json', '--', '/bin/sh', '-c', 'echo a; echo b >&2; exit 2');
      expect(JSON.parse(stdout)).toMatchObject({ exitCode: 2, stdout: 'a\n', stderr: 'b\n', devices: [] });
    });

    it('draws the stages with --timings', async () => {
      const { stderr } = await run('--timings', '--timings-svg', path.join(host.dir, 't.svg'), '--', 'true');
      expect(stderr).toMatch(/guest kernel and agent +[0-9.]+ m?s +█/);
      expect(readFileSync(path.join(host.dir, 't.svg'), 'utf8')).toMatch(/^<svg/);
    });
  });

  it("makes the calls in the shim's order", async () => {
    await run('--', '/bin/true');
    expect(host.calls().filter((call) => call !== 'CloseStdin')).toEqual([
      'connected',
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

  it('prints the plan with --dry-run and touches nothing', async () => {
    const { code, stdout } = await run(
      '--dry-run',
      '--output',
      'json',
      '--name',
      'dry',
      '--device',
      'numa=1',
      '--',
      'cat',
    );
    const plan = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(plan).toMatchObject({
      sandbox: 'dry',
      accel: 'tcg',
      devices: [{ numaNode: 1, containerPath: '/dev/mock0' }],
    });
    expect(plan.spec.process.args).toEqual(['cat']);
    expect(plan.qemu.join(' ')).toContain('-name sandbox-dry');
    expect(existsSync(host.runDir)).toBe(false);
  });

  describe('signals', () => {
    it('answers 128 and the signal that ended the process', async () => {
      expect((await run('--', '/bin/sh', '-c', 'kill -TERM $$')).code).toBe(143);
    });

    it('passes signals on', async () => {
      const { child, end } = await started('a', 'trap "echo usr1; exit 7" USR1; echo up; while :; do sleep 0.01; done');
      child.kill('SIGUSR1');
      expect(await end).toMatchObject({ code: 7, stdout: 'up\nusr1\n' });
    });

    it('kills a process that ignores SIGINT, after the stop timeout', async () => {
      const ignoring = 'trap "" INT; echo up; while :; do sleep 0.01; done';
      const { child, end } = await started('a', ignoring, {}, ['--stop-timeout', '0.2']);
      child.kill('SIGINT');
      expect((await end).code).toBe(137);
      expect(left()).toEqual([]);
    });

    it('kills it at once at the second one', async () => {
      const { child, end } = await started('a', 'trap "echo again" INT; echo up; while :; do sleep 0.01; done', {}, [
        '--stop-timeout',
        '0',
      ]);
      child.kill('SIGINT');
      await printed(child, 'again');
      child.kill('SIGINT');
      expect((await end).code).toBe(137);
    });

    it('gives up a start that is interrupted, and leaves nothing', async () => {
      const child = host.start(['run', '--accel', 'tcg', '--name', 'a', '--', 'true'], { silent: true });
      const end = finished(child);
      await host.reached('connected');
      child.kill('SIGINT');
      // A second one, as people do, must not keep it from tidying up. Which of the two comes first is the kernel's choice.
      child.kill('SIGTERM');
      expect([130, 143]).toContain((await end).code);
      expect(left()).toEqual([]);
      expect(processes()).toEqual([]);
    });
  });

  describe('a sandbox that runs', () => {
    it('takes execs and further containers, is listed and inspected', async () => {
      const { child, end } = await started('a', 'echo up; sleep 100');
      expect(await host.run(['exec', 'a', '/bin/sh', '-c', 'echo exec; exit 4'])).toMatchObject({
        code: 4,
        stdout: 'exec\n',
      });
      expect(await run('--sandbox', 'a', '--name', 'b', '--', '/bin/sh', '-c', 'echo second; exit 5')).toMatchObject({
        code: 5,
        stdout: 'second\n',
      });
      expect((await host.run(['ps', '--quiet'])).stdout).toBe('a\n');
      const [row] = JSON.parse((await host.run(['ps', '--output', 'json'])).stdout);
      expect(row).toMatchObject({ name: 'a', kind: 'run', condition: 'running', pid: child.pid, containers: ['a'] });
      expect(JSON.parse((await host.run(['inspect', 'a', '--output', 'json'])).stdout)).toMatchObject({
        name: 'a',
        condition: 'running',
        transport: 'serial',
      });
      expect((await host.run(['logs', 'a'])).stdout).toBe('up\n');
      child.kill('SIGTERM');
      expect((await end).code).toBe(143);
    });

    it('keeps its name, and a container in it keeps its own', async () => {
      const { child, end } = await started('a', 'echo up; sleep 100');
      expect(await run('--name', 'a', '--', 'true')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('"a" is running'),
      });
      expect(await run('--sandbox', 'a', '--name', 'a', '--', 'true')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('has a container "a" already'),
      });
      child.kill('SIGTERM');
      await end;
    });

    it('survives a container that cannot be created', async () => {
      const { child, end } = await started('a', 'echo up; sleep 100');
      expect(await run('--sandbox', 'a', '--bundle', '/no/such/bundle')).toMatchObject({ code: 1 });
      expect(await run('--sandbox', 'a', '--', '/bin/echo', 'fine')).toMatchObject({ code: 0, stdout: 'fine\n' });
      child.kill('SIGTERM');
      await end;
    });

    it('removes a further container whose command is killed', async () => {
      const { child, end } = await started('a', 'echo up; sleep 100');
      const second = host.start(['run', '--sandbox', 'a', '--name', 'b', '--', '/bin/sh', '-c', 'echo up; sleep 100']);
      const secondEnd = finished(second);
      await printed(second, 'up');
      second.kill('SIGKILL');
      await secondEnd;
      await host.until(() => readState(path.join(host.runDir, 'sandboxes/a/state.json'))?.containers.length === 1);
      expect(await run('--sandbox', 'a', '--name', 'b', '--', 'true')).toMatchObject({ code: 0, stderr: '' });
      child.kill('SIGTERM');
      await end;
    });
  });

  describe('what fails', () => {
    it("shows the hook's reason when it refuses", async () => {
      expect(
        await host.run(['run', '--accel', 'tcg', '--', 'true'], {
          vmm: { refuse: 'kata-mock-qemu: too many devices' },
        }),
      ).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('kata-mock-qemu: too many devices'),
      });
      expect(left()).toEqual([]);
    });

    it("shows the agent's reason for a container it refuses", async () => {
      const vmm = { failures: { CreateContainer: 'CDI device x=9 does not exist' } };
      expect(await host.run(['run', '--accel', 'tcg', '--', 'true'], { vmm })).toMatchObject({
        code: 1,
        stderr: 'kata-mock: the agent refuses CreateContainer: CDI device x=9 does not exist\n',
      });
      expect(left()).toEqual([]);
      expect(processes()).toEqual([]);
    });

    it.each(['qemu', 'virtiofsd'] as const)('ends at once when %s is killed, and says so', async (victim) => {
      const { end, state } = await started('a', 'echo up; sleep 100');
      process.kill(state.processes[victim]?.pid ?? 0, 'SIGKILL');
      expect(await end).toMatchObject({ code: 1, stderr: expect.stringMatching(/was killed by SIGKILL/) });
      expect(left()).toEqual([]);
      expect(processes()).toEqual([]);
    });

    it('takes everything along when it is killed itself; prune removes the rest', async () => {
      const { child, end, state } = await started('a', 'echo up; exec sleep 100', {}, ['--rootfs', host.rootfs]);
      child.kill('SIGKILL');
      await end;
      await host.gone([state.processes.qemu, state.processes.virtiofsd]);
      expect(JSON.parse((await host.run(['ps', '--output', 'json'])).stdout)).toMatchObject([
        { name: 'a', condition: 'crashed' },
      ]);
      expect(await run('--name', 'a', '--', 'true')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('kata-mock prune'),
      });
      expect((await host.run(['prune'])).stdout).toContain('removed sandbox a');
      expect(left()).toEqual([]);
      expect((await host.run(['prune'])).stdout).toBe('nothing to remove\n');
    });
  });

  it('does not disturb a run beside it', async () => {
    const [a, b] = [await started('a', 'echo up; sleep 100'), await started('b', 'echo up; sleep 100')];
    a.child.kill('SIGTERM');
    expect((await a.end).code).toBe(143);
    expect(await host.run(['exec', 'b', 'echo', 'alive'])).toMatchObject({ code: 0, stdout: 'alive\n' });
    b.child.kill('SIGTERM');
    expect((await b.end).code).toBe(143);
    expect(left()).toEqual([]);
  });
});
