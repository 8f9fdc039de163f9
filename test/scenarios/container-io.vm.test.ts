import { beforeAll, describe, expect, it } from 'vitest';
import { noDevices } from '../support/devices.ts';
import { output, type SandboxUnderTest, testHost } from '../support/host.ts';

const scope = testHost();
let sandbox: SandboxUnderTest;
const inSandbox = (args: string[], command: string[], options = {}) =>
  scope.host.run(['run', '--sandbox', 'io', ...args, '--', ...command], options);

beforeAll(async () => {
  sandbox = await scope.host.sandbox('io', noDevices);
});

describe('a container', () => {
  it('keeps stdout and stderr apart', async () => {
    const { stdout, stderr } = await inSandbox([], ['sh', '-c', 'echo out; echo err >&2']);
    expect([stdout, stderr]).toEqual(['out\n', 'err\n']);
  });

  it.each([
    ['its exit code', 'exit 7', 7],
    ['128 and the signal that ended it', 'kill -KILL $$', 137],
  ])('answers %s', async (_, script, code) => {
    // The first process of a pid namespace cannot kill itself: a child does, and the shell passes that on.
    expect((await inSandbox([], ['sh', '-c', `sh -c '${script}'; exit $?`])).status).toBe(code);
    expect((await scope.host.run(['exec', 'io', '--', 'sh', '-c', script])).status).toBe(code);
  });

  it('reads stdin to its end', async () => {
    const input = 'line\n'.repeat(20_000);
    const { stdout } = await inSandbox(['-i'], ['sh', '-c', 'wc -c; echo end'], { input });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([String(input.length), 'end']);
  });

  it('writes a megabyte without losing a byte', async () => {
    const { stdout } = await inSandbox([], ['sh', '-c', 'yes 0123456789abcde | head -n 65536']);
    expect(stdout.length).toBe(1024 * 1024);
    expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(['0123456789abcde']));
  });

  it('has the variables it is given, and its first process those of --env', async () => {
    const { stdout } = await inSandbox(['--env', 'ONE=1', '--env', 'TWO=a=b c'], ['env']);
    expect(stdout).toMatch(/^ONE=1$/m);
    expect(stdout).toMatch(/^TWO=a=b c$/m);
  });

  it('that cannot start says why, and the sandbox goes on', async () => {
    const failed = await inSandbox([], ['/no/such/program']);
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toContain('/no/such/program');
    expect(output(await inSandbox([], ['echo', 'good']))).toBe('good\n');
  });

  it('gets signals', async () => {
    const script = 'trap "echo caught; exit 3" USR1; echo ready; while :; do sleep 1 & wait; done';
    const running = scope.host.start(['run', '--sandbox', 'io', '--', 'sh', '-c', script]);
    await running.until('"ready"', () => running.stdout.includes('ready'));
    running.kill('SIGUSR1');
    expect(await running.ended).toMatchObject({ status: 3, stdout: 'ready\ncaught\n' });
  });

  it('ends when nobody reads its output any more', async () => {
    const running = scope.host.start(['run', '--sandbox', 'io', '--', 'yes']);
    await running.until('output', () => running.stdout.includes('y\n'));
    running.closeOutput();
    const { status, stderr } = await running.ended;
    expect(status).toBeGreaterThan(128);
    expect(stderr).not.toContain('EPIPE');
  });
});

describe('the sandbox', () => {
  it('ends with the exit code of its first container, and the log of that is kept until then', async () => {
    expect(await scope.host.ok(['logs', 'io'])).toContain('up');
    expect((await sandbox.stop()).status).toBe(0);
  });
});
