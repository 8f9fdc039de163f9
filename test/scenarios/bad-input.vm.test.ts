import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefacts } from '../support/artefacts.ts';
import { runcBundle } from '../support/bundle.ts';
import { type Finished, Running } from '../support/command.ts';
import { first } from '../support/devices.ts';
import { testHost } from '../support/host.ts';
import { leftovers } from '../support/leftovers.ts';
import { build, program } from '../support/paths.ts';

const scope = testHost();
const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-bad-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** One clear message: the program's name, the reason, no stack; nothing on stdout. */
function expectRefusal(finished: Finished, message: RegExp, status: number | number[] = [1, 2]): void {
  const report = `${finished.stderr}\n(exit ${finished.status})`;
  expect(finished.stderr, report).toMatch(message);
  expect([status].flat(), report).toContain(finished.status);
  expect(finished.stderr, report).not.toMatch(/^\s+at .*[(/]/m);
  expect(finished.stderr.match(/^(kata-mock|error): /gm) ?? [], report).toHaveLength(1);
  expect(finished.stdout).toBe('');
}

/** artefacts.json of set-up with one thing changed. */
function changedArtefacts(name: string, change: (json: Record<string, unknown>) => void): NodeJS.ProcessEnv {
  const json = JSON.parse(readFileSync(path.join(build, 'artefacts.json'), 'utf8')) as Record<string, unknown>;
  Object.assign(json, artefacts(), { qemu: json['qemu'], virtiofsd: json['virtiofsd'] });
  change(json);
  const file = path.join(directory, `${name}.json`);
  writeFileSync(file, JSON.stringify(json));
  return { KATA_MOCK_ARTEFACTS: file };
}

describe('a device', () => {
  it.each([
    ['an unknown key', ['colour=red'], /colour/],
    ['a value that is no size', ['memory=lots'], /lots/],
    ['a bad UUID', ['uuid=this-is-far-too-long-for-a-uuid'], /this-is-far-too-long-for-a-uuid/],
    ['a bad address', ['host=1a:00'], /1a:00/],
    ['a node below zero', ['numa=-1'], /-1/],
  ])('with %s is wrong usage', async (_, keys, message) => {
    expectRefusal(await scope.host.run(['run', '--device', `mock-accel,${keys.join(',')}`, '--', 'true']), message, 2);
  });

  it('with the UUID of another is refused, naming both', async () => {
    const device = ['--device', `mock-accel,uuid=${first.uuid}`];
    const finished = await scope.host.run(['run', ...device, ...device, '--', 'true']);
    expectRefusal(finished, new RegExp(first.uuid));
    expect(finished.stderr).toMatch(/\b0\b.*\b1\b/s);
  });
});

describe('a bundle', () => {
  it.each([
    ['that is not there', () => path.join(directory, 'nowhere'), /nowhere/],
    [
      'without config.json',
      () => {
        const bundle = runcBundle(artefacts().rootfs, () => {}).path;
        rmSync(path.join(bundle, 'config.json'));
        return bundle;
      },
      /no config\.json/,
    ],
    [
      'with a config.json that is no JSON',
      () => {
        const bundle = runcBundle(artefacts().rootfs, () => {}).path;
        writeFileSync(path.join(bundle, 'config.json'), '{"ociVersion": ');
        return bundle;
      },
      /config\.json/,
    ],
    [
      'whose root is missing',
      () => {
        const bundle = runcBundle(artefacts().rootfs, (spec) => (spec.root!.path = 'elsewhere')).path;
        return bundle;
      },
      /elsewhere/,
    ],
    [
      'with a field of the wrong type',
      () => runcBundle(artefacts().rootfs, (spec) => ((spec.process as unknown as { args: unknown }).args = 'sh')).path,
      /args/,
    ],
  ])('%s is refused', async (_, make, message) => {
    const bundle = make();
    try {
      expectRefusal(await scope.host.run(['run', '--bundle', bundle]), message);
    } finally {
      rmSync(bundle, { recursive: true, force: true });
    }
  });
});

describe('what set-up made', () => {
  beforeAll(() => writeFileSync(path.join(directory, 'garbage'), 'this is no image\n'.repeat(4096)));

  it.each([
    [
      'missing',
      'missing',
      (json: Record<string, unknown>) => (json['kernel'] = '/nonexistent/vmlinux'),
      /kernel.*\/nonexistent\/vmlinux/,
    ],
    [
      'a kernel that is none',
      'kernel',
      (json: Record<string, unknown>) => (json['kernel'] = path.join(directory, 'garbage')),
      /kernel|garbage/i,
    ],
    [
      'a root image that is none',
      'root',
      (json: Record<string, unknown>) => (json['rootImage'] = path.join(directory, 'garbage')),
      /root image|garbage|kata-mock-root/i,
    ],
    [
      'no virtiofsd',
      'fs',
      (json: Record<string, unknown>) => (json['virtiofsd'] = { path: '/nonexistent/virtiofsd' }),
      /virtiofsd/,
    ],
    ['no QEMU', 'qemu', (json: Record<string, unknown>) => (json['qemu'] = { path: '/nonexistent/qemu' }), /QEMU/],
  ])('when %s: one message, and nothing stays', async (_, name, change, message) => {
    const env = changedArtefacts(name, change);
    expectRefusal(await scope.host.run(['run', '--', 'true'], { env }), message, 1);
    expect(leftovers(scope.host.runDir)).toEqual([]);
  });

  it('not at all: says what to run', async () => {
    const env = { KATA_MOCK_ARTEFACTS: path.join(directory, 'no-such.json') };
    expectRefusal(await scope.host.run(['run', '--', 'true'], { env }), /make setup/, 1);
  });
});

describe('the host', () => {
  it('without room in /dev/shm is told so, with the numbers', async () => {
    const script = 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$0" run --memory 512M -- true';
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, program('kata-mock')];
    const finished = await new Running('unshare', args, { env: scope.host.env }).ended;
    expectRefusal(finished, /\/dev\/shm has \d+ MiB free/, 1);
  });

  it('with a sandbox of that name refuses a second one and leaves the first alone', async () => {
    const sandbox = await scope.host.sandbox('taken');
    expectRefusal(await scope.host.run(['run', '--name', 'taken', '--', 'true']), /taken/, 1);
    expect((await sandbox.sh('echo alive')).stdout).toBe('alive\n');
    expectRefusal(await scope.host.run(['run', '--sandbox', 'not-there', '--', 'true']), /not-there/, 1);
    await sandbox.stop();
  });
});

describe('the command line', () => {
  it.each([
    ['an unknown option', ['run', '--bogus'], /--bogus/],
    ['an unknown command', ['frobnicate'], /frobnicate/],
    ['a name that leads out', ['run', '--name', '../x', '--', 'true'], /\.\.\/x/],
    ['a size that is none', ['run', '--memory', 'much', '--', 'true'], /much/],
    ['a variable without a value', ['run', '--env', 'NAME', '--', 'true'], /NAME/],
  ])('with %s is wrong usage', async (_, args, message) => {
    const finished = await scope.host.run(args);
    expect(finished.status).toBe(2);
    expect(finished.stderr).toMatch(message);
    expect(finished.stdout).toBe('');
  });
});
