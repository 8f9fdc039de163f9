import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../../cli/program.ts';
import { reportError } from '../../cli/report.ts';
import { FakeHost } from '../../testing/fake-host.ts';

// Nothing of this reaches the programs, which therefore need not be there.
const host = new FakeHost('/no/such/programs');
const bundle = path.join(host.dir, 'bundle');
const empty = path.join(host.dir, 'empty');

beforeAll(() => {
  mkdirSync(path.join(bundle, 'rootfs'), { recursive: true });
  mkdirSync(empty);
  writeFileSync(path.join(bundle, 'config.json'), '{"ociVersion": "1.0.2", "process": {"cwd": "/"');
  for (const [name, value] of Object.entries(host.environment)) vi.stubEnv(name, value);
});
afterAll(() => {
  vi.unstubAllEnvs();
  host.remove();
});
beforeEach(() => host.artefacts({}));

/** The command in this process: what it prints on stderr, and its exit code. */
async function run(...args: string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const write = (text: string) => {
    stderr += text;
  };
  const program = buildProgram();
  for (const command of [program, ...program.commands])
    command.configureOutput({ writeErr: write, writeOut: () => {} });
  try {
    await program.parseAsync(['node', 'kata-mock', 'run', '--accel', 'tcg', ...args, '--', 'true']);
    throw new Error('it was not refused');
  } catch (error) {
    return { code: reportError(error, write), stderr };
  }
}

describe('wrong input', () => {
  const cases: [string[], number, RegExp][] = [
    [['--device', 'mock-accel,colour=red'], 2, /there is no key "colour"/],
    [['--device', 'uuid=this-text-is-far-too-long'], 2, /uuid/i],
    [['--bundle', '/no/such'], 1, /there is no \/no\/such/],
    [['--bundle', empty], 1, /has no config.json/],
    [['--bundle', bundle], 1, /config.json is not an OCI runtime spec/],
    [['--rootfs', '/no/such'], 1, /--rootfs: there is no \/no\/such/],
    [['--bundle', bundle, '--rootfs', '/'], 2, /cannot be used with/],
    [['--memory', '12'], 2, /--memory "12" is not a size/],
    [['--memory', '1024G'], 1, /\/dev\/shm has/],
    [['--cpus', '0'], 2, /not a positive whole number/],
    [['--env', 'NOVALUE'], 2, /is not KEY=VALUE/],
    [['--name', '../x'], 2, /sandbox name "..\/x" is not allowed/],
    [['--sandbox', 'nobody'], 1, /there is no sandbox "nobody"/],
    [['--sandbox', 'nobody', '--device', 'mock-accel'], 2, /--device cannot be used with --sandbox/],
    [['--annotation', 'cdi.k8s.io/x=nonsense'], 1, /CDI annotation/],
    [['--no-such-option'], 2, /unknown option/],
    [['--device', 'mock-accel,count=300'], 1, /over the limit maxDevices/],
    [['--device', 'memory=1T'], 1, /over the limit maxMemory/],
    [['--device', 'path=/etc/passwd'], 1, /over the limit containerPaths/],
    [['--device', 'path=/dev/../etc/passwd'], 2, /"\.\."/],
    [['--device', 'other-model'], 1, /over the limit models/],
    [['--device', 'uuid=A', '--device', 'uuid=A'], 2, /devices 0 and 1 have the same UUID/],
  ];

  it.each(cases)('%j: exit code %i, one message, nothing started', async (args, code, message) => {
    const { code: answered, stderr } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(answered).toBe(code);
    expect(readdirSync(host.dir)).not.toContain('run');
  });

  it.each([
    ['virtiofsd', { virtiofsd: { path: 'gone' } }, /no virtiofsd at .*gone/],
    ['root image', { rootImage: 'gone' }, /no root image at .*gone/],
    ['QEMU', { qemu: { path: 'gone' } }, /no QEMU at .*gone/],
  ])('a %s that is not there', async (_what, change, message) => {
    host.artefacts(change);
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
    expect(readdirSync(host.dir)).not.toContain('run');
  });
});
