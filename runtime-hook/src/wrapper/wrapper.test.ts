import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { recordings, smallest } from '../argv/recordings.testing.ts';
import { filesBelow } from './harness.testing.ts';
import { harness, start, useHarness, withDevices } from './scope.testing.ts';

useHarness();

describe('an argument list that starts no sandbox', () => {
  test.each([[['--version']], [['-device', 'help']], [['-name', 'x', '-machine', 'q35']], [[]]])(
    '%j goes straight through, exit code included',
    async (args) => {
      const run = start({ args, env: { KATA_MOCK_FAKE_EXIT: '7' } });
      expect((await run.seen).args).toEqual(args);
      expect(await run.ended).toEqual({ code: 7, signal: null, stderr: '' });
      expect(filesBelow(run.runDirectory)).toEqual([]);
    },
  );
});

describe('the wrapper', () => {
  test('finds the hook also when it is called by a link', async () => {
    const link = path.join(harness().tree, 'linked-qemu');
    symlinkSync(harness().wrapper, link);
    const run = start({ args: ['--version'] }, link);
    expect((await run.seen).args).toEqual(['--version']);
  });

  test('says what to do when the hook has not been built', async () => {
    const wrapper = path.join(harness().tree, 'alone', 'bin', 'wrapper', 'kata-mock-qemu');
    mkdirSync(path.dirname(wrapper), { recursive: true });
    copyFileSync(harness().wrapper, wrapper);
    const run = start({ args: ['--version'] }, wrapper);
    expect(await run.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("run 'make build' in the clone"),
    });
  });
});

describe('a sandbox without devices', () => {
  test('gets the same QEMU, and leaves no trace', async () => {
    const run = start({ args: smallest });
    expect((await run.seen).args).toEqual(smallest);
    expect(filesBelow(run.runDirectory)).toEqual([]);
    run.child.stdin?.end();
    expect(await run.ended).toEqual({ code: 0, signal: null, stderr: '' });
  });

  test('gets the root image all the same', async () => {
    const { args } = await start({ args: smallest, env: { KATA_MOCK_ROOT_IMAGE: '/images/root.img' } }).seen;
    expect(args.slice(0, smallest.length)).toEqual(smallest);
    expect(args.slice(smallest.length)).toHaveLength(4);
    expect(args.at(-1)).toContain('serial=kata-mock-root');
  });
});

describe('settings of the VM', () => {
  test("come after everything else, so that they win over Kata's own", async () => {
    const config = '[vm]\naccel = "tcg"\ncpu = "max"';
    const wanted = ['-machine', 'accel=tcg', '-cpu', 'max'];
    for (const devices of ['none', '1']) {
      const { args } = await withDevices(devices, { config }).seen;
      expect(args.slice(0, smallest.length)).toEqual(smallest);
      expect(args.slice(-4)).toEqual(wanted);
    }
  });
});

describe('a sandbox with devices', () => {
  test.each(recordings)("has Kata's list first, byte for byte: $name", async ({ argv }) => {
    const { args } = await withDevices('numa=0;numa=1;mock-accel', { args: argv }).seen;
    expect(args.slice(0, argv.length)).toEqual(argv);
    expect(args.filter((arg) => arg.includes('vfio-user-pci'))).toHaveLength(3);
  });

  test('leaves arguments alone that a shell would change', async () => {
    const odd = [
      '$(touch /tmp/x)',
      '`id`',
      '*',
      'a b',
      ' lead',
      "it's",
      '"',
      '\\n',
      'two\nlines',
      '',
      '~',
      '$HOME',
      '-e',
    ];
    const { args } = await withDevices('1', { args: [...smallest, ...odd] }).seen;
    expect(args.slice(0, smallest.length + odd.length)).toEqual([...smallest, ...odd]);
  });
});
