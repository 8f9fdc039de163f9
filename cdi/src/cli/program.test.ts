import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { cdi } from '../../test-support/command.ts';
import { directory, put, spec } from '../../test-support/directories.ts';

const gpus = spec(
  {
    '0': { env: ['GPU=0'], deviceNodes: [{ path: '/dev/gpu0', type: 'c', major: 195, minor: 0 }] },
    '1': { env: ['GPU=1'] },
  },
  { kind: 'v.com/gpu' },
);
const host = () => directory({ 'gpu.json': gpus, 'net.json': spec(['eth'], { kind: 'w.com/net' }) });
const oci = '{"ociVersion":"1.2.0","process":{"cwd":"/","env":["A=1"]},"later":18446744073709551615}';
const json = (text: string) => JSON.parse(text);

describe('the lists', () => {
  it.each([
    ['vendors', ['v.com', 'w.com']],
    ['classes', ['gpu', 'net']],
    ['devices', ['v.com/gpu=0', 'v.com/gpu=1', 'w.com/net=eth']],
    ['devs', ['v.com/gpu=0', 'v.com/gpu=1', 'w.com/net=eth']],
    ['dev', ['v.com/gpu=0', 'v.com/gpu=1', 'w.com/net=eth']],
  ])('%s come as a table, JSON and YAML', async (command, names) => {
    const dir = host();
    const table = await cdi(['-d', dir, command]);
    expect(table).toEqual({ status: 0, out: `${names.join('\n')}\n`, err: '' });
    expect(json((await cdi(['-d', dir, command, '-o', 'json'])).out)).toEqual(names);
    expect(parse((await cdi([command, '--output=yaml', '--spec-dirs', dir])).out)).toEqual(names);
  });

  it('show more with -v', async () => {
    const dir = host();
    expect(json((await cdi(['-d', dir, 'devices', '-v', '-o', 'json'])).out)[0]).toEqual({
      name: 'v.com/gpu=0',
      file: path.join(dir, 'gpu.json'),
      priority: 0,
      containerEdits: gpus.devices[0]?.containerEdits,
    });
    expect(json((await cdi(['-d', dir, 'vendors', '-v', '-o', 'json'])).out)).toEqual([
      { vendor: 'v.com', specs: 1 },
      { vendor: 'w.com', specs: 1 },
    ]);
    expect((await cdi(['-d', dir, 'classes', '-v'])).out).toContain('gpu    v.com\n');
    expect((await cdi(['-d', dir, 'devices', '-v'])).out).toContain('v.com/gpu=0    env deviceNodes');
  });

  it('specs are those of the vendors asked for', async () => {
    const dir = host();
    const all = json((await cdi(['-d', dir, 'specs', '-o', 'json'])).out);
    expect(all.map(({ kind }: { kind: string }) => kind)).toEqual(['v.com/gpu', 'w.com/net']);
    const some = json((await cdi(['-d', dir, 'specs', '-v', '-o', 'json', 'v.com', 'none.com'])).out);
    expect(some).toEqual([
      {
        file: path.join(dir, 'gpu.json'),
        priority: 0,
        vendor: 'v.com',
        class: 'gpu',
        kind: 'v.com/gpu',
        cdiVersion: '1.1.0',
        devices: ['0', '1'],
        spec: gpus,
      },
    ]);
  });

  it('dirs tell which are missing or unreadable', async () => {
    const dir = host();
    const file = put(dir, 'file', '');
    const { out, status } = await cdi(['-d', `${dir},${dir}/none`, '-d', file, 'dirs', '-o', 'json']);
    expect(status).toBe(0);
    expect(json(out)).toMatchObject([
      { directory: dir, priority: 0, exists: true },
      { exists: false },
      { priority: 2, error: expect.stringContaining('ENOTDIR') },
    ]);
  });

  it('keep stdout for data: a bad file is a warning on stderr and no reason to fail', async () => {
    const dir = host();
    put(dir, 'bad.json', '{}');
    const { status, out, err } = await cdi(['-d', dir, 'devices', '-o', 'json']);
    expect([status, json(out).length]).toEqual([0, 3]);
    expect(err).toBe(
      `cdi: warning: failed to load CDI spec ${dir}/bad.json at $: "cdiVersion" is missing\n`.replace(' at $:', ':'),
    );
  });
});

describe('validate', () => {
  it('is content with good directories, be some missing', async () => {
    const { status, out } = await cdi(['-d', `${host()},/nowhere`, 'validate']);
    expect([status, out]).toEqual([0, 'valid\n']);
  });

  it('ends with 1 on a bad file, which it names with path and reason', async () => {
    const dir = host();
    const file = put(dir, 'bad.json', { ...gpus, devices: [{ name: '-', containerEdits: { env: ['A=1'] } }] });
    const table = await cdi(['-d', dir, 'validate']);
    expect(table).toMatchObject({ status: 1, out: '' });
    expect(table.err).toContain(`${file} at $.devices[0].name: invalid device name "-"`);
    const { status, out } = await cdi(['-d', dir, 'validate', '-o', 'json']);
    expect(status).toBe(1);
    expect(json(out)).toMatchObject({ valid: false, errors: [{ file, code: 'INVALID', path: '$.devices[0].name' }] });
  });

  it('ends with 1 on a conflict', async () => {
    const dir = host();
    put(dir, 'again.json', gpus);
    const { status, err } = await cdi(['-d', dir, 'validate']);
    expect(status).toBe(1);
    expect(err).toContain('conflicting device "v.com/gpu=0"');
  });

  it('checks files and stdin, in JSON or YAML', async () => {
    const dir = host();
    expect((await cdi(['validate', `${dir}/gpu.json`, '-'], JSON.stringify(gpus))).status).toBe(0);
    expect(
      (
        await cdi(
          ['validate', '-'],
          'cdiVersion: 0.5.0\nkind: v/c\ndevices: [{name: "0", containerEdits: {env: [A=1]}}]',
        )
      ).status,
    ).toBe(0);
    const { status, err } = await cdi(['validate', `${dir}/gpu.json`, '-', '/nowhere.json'], '{"kind":');
    expect(status).toBe(1);
    expect(err).toMatch(/cdi: stdin: .*line 1[\s\S]*\/nowhere\.json: ENOENT/);
  });

  it('checks by a schema from a file, which may refer to its neighbours', async () => {
    const dir = host();
    const schemas = directory({
      'schema.json': { properties: { kind: { $ref: 'defs.json#/definitions/kind' } } },
      'defs.json': { definitions: { kind: { type: 'string', pattern: '^v' } } },
    });
    const { status, err } = await cdi(['-d', dir, '-s', `${schemas}/schema.json`, 'validate']);
    expect(status).toBe(1);
    expect(err).toContain('net.json at $.kind: schema: must match pattern "^v"');
    expect((await cdi(['-d', dir, '-s', `file://${schemas}/schema.json`, 'validate'])).status).toBe(1);
    expect((await cdi(['-d', dir, '--schema', 'none', 'validate'])).status).toBe(0);
    expect((await cdi(['-d', dir, '-s', `${schemas}/none.json`, 'validate'])).err).toContain('ENOENT');
  });
});

describe('inject', () => {
  it('reads stdin and writes JSON and nothing else to stdout, with numbers and unknown members kept', async () => {
    const { status, out, err } = await cdi(['-d', host(), 'inject', '-', 'v.com/gpu=0'], oci);
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain('"later": 18446744073709551615');
    expect(json(out)).toMatchObject({
      process: { env: ['A=1', 'GPU=0'] },
      linux: { devices: [{ path: '/dev/gpu0', type: 'c', major: 195, minor: 0 }] },
    });
  });

  it.each(['inj', 'in', 'oci'])('is also called %s', async (alias) => {
    expect((await cdi(['-d', host(), alias, '-', 'w.com/net=eth'], oci)).status).toBe(0);
  });

  it('keeps the format of the file unless told, and its YAML is an OCI spec', async () => {
    const file = put(
      directory(),
      'config.yaml',
      'ociVersion: "1.2.0"\nlinux: {cgroupsPath: /x, resources: {memory: {limit: 9223372036854775807}}}\n',
    );
    const { out } = await cdi(['-d', host(), 'inject', file, 'v.com/gpu=1']);
    expect(parse(out, { intAsBigInt: true })).toEqual({
      ociVersion: '1.2.0',
      linux: { cgroupsPath: '/x', resources: { memory: { limit: 9223372036854775807n } } },
      process: { env: ['GPU=1'] },
    });
    expect(json((await cdi(['-d', host(), 'inject', file, 'v.com/gpu=1', '-o', 'json'])).out).linux.cgroupsPath).toBe(
      '/x',
    );
  });

  it.each([
    ['v.com/gpu=*', ['GPU=1']],
    ['v.com/*=[^0]', ['GPU=1']],
    ['w.com/net=e?h', ['DEVICE_eth=1']],
    ['*/*=*', ['GPU=1', 'DEVICE_eth=1']],
    ['v.com\\/gpu=\\0', ['GPU=0']],
  ])('takes the pattern %s', async (pattern, env) => {
    const { out } = await cdi(['-d', host(), 'inject', '-', pattern], oci);
    expect(json(out).process.env).toEqual(['A=1', ...env]);
  });

  it('gives back the spec when nothing matches a pattern, and says so', async () => {
    const { status, out, err } = await cdi(['-d', host(), 'inject', '-', '*'], oci);
    expect([status, json(out)]).toEqual([0, json(oci)]);
    expect(err).toContain('no device matches "*"; "*" and "?" stop at "/"');
    expect((await cdi(['-d', host(), 'inject', '-'], oci)).status).toBe(0);
  });

  it('ends with 1, and writes nothing, when a device is not there; with compat go names are patterns', async () => {
    const { status, out, err } = await cdi(['-d', host(), 'inject', '-', 'v.com/gpu=0', 'v.com/gpu=7'], oci);
    expect([status, out]).toEqual([1, '']);
    expect(err).toContain('unresolvable CDI devices v.com/gpu=7');
    expect(err).toContain('did you mean v.com/gpu=0 or v.com/gpu=1?');
    expect((await cdi(['--compat', 'go', '-d', host(), 'inject', '-', 'v.com/gpu=7'], oci)).status).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['half a spec', '{"ociVersion":'],
    ['a list', '[]'],
    ['text', 'hello'],
  ])('ends with 1 when the OCI spec is %s', async (_, text) => {
    const { status, out, err } = await cdi(['-d', host(), 'inject', '-', 'v.com/gpu=0'], text);
    expect([status, out]).toEqual([1, '']);
    expect(err).toContain('stdin is not an OCI spec');
  });

  it('ends with 1 when there is no such file', async () => {
    expect(await cdi(['-d', host(), 'inject', '/nowhere', 'v.com/gpu=0'])).toMatchObject({
      status: 1,
      err: 'cdi: cannot read /nowhere: ENOENT\n',
    });
  });
});

it('resolve puts in what linux.devices names, and takes the names out', async () => {
  const devices = [
    { path: 'v.com/gpu=0', type: 'c' },
    { path: '/dev/keep', type: 'c' },
  ];
  const file = put(directory(), 'config.json', { ociVersion: '1.2.0', linux: { devices } });
  const { status, out } = await cdi(['-d', host(), 'resolve', file]);
  expect(status).toBe(0);
  expect(json(out).linux.devices.map((device: { path: string }) => device.path)).toEqual(['/dev/keep', '/dev/gpu0']);
  expect(json(out).process.env).toEqual(['GPU=0']);
  expect(
    await cdi(['-d', host(), 'res', '-'], JSON.stringify({ linux: { devices: [{ path: 'no.com/x=1' }] } })),
  ).toMatchObject({ status: 1, out: '' });
});

it('explain tells each edit with its device and file', async () => {
  const dir = host();
  const { out } = await cdi(['-d', dir, 'explain', '-', 'v.com/gpu=0', '-o', 'json'], oci);
  expect(json(out).edits).toMatchObject([
    { edit: 'env', name: 'GPU', value: '0', from: { device: 'v.com/gpu=0', file: `${dir}/gpu.json`, level: 'device' } },
    { edit: 'deviceNode', device: { path: '/dev/gpu0' }, rule: { allow: true } },
  ]);
  expect((await cdi(['-d', dir, 'explain', '-', 'v.com/gpu=0'], oci)).out).toContain('/dev/gpu0 c 195:0 access rwm');
});

describe('diff', () => {
  it('ends with 0 on no difference, 1 on one, 2 on trouble', async () => {
    const dir = host();
    const file = `${dir}/gpu.json`;
    const other = put(
      directory(),
      'b.yaml',
      JSON.stringify({ ...gpus, devices: [gpus.devices[1], { name: '0', containerEdits: { env: ['GPU=2'] } }] }),
    );
    expect(await cdi(['diff', file, file])).toMatchObject({ status: 0, out: '' });
    const { status, out } = await cdi(['diff', file, other]);
    expect(status).toBe(1);
    expect(out).toBe(
      '- $.devices["0"].containerEdits.env[0]: "GPU=0"\n+ $.devices["0"].containerEdits.env[0]: "GPU=2"\n- $.devices["0"].containerEdits.deviceNodes: [{"path":"/dev/gpu0","type":"c","major":195,"minor":0}]\n'.replaceAll(
        '["0"]',
        '.0',
      ),
    );
    expect((await cdi(['diff', file, '/nowhere'])).status).toBe(2);
    expect((await cdi(['diff', file, '-'], 'bad')).status).toBe(2);
    expect((await cdi(['diff', file, file, file])).status).toBe(2);
  });

  it('compares directories device by device', async () => {
    const { status, out } = await cdi(['diff', host(), directory({ 'x.json': gpus }), '-o', 'json']);
    expect(status).toBe(1);
    expect(json(out)).toMatchObject([{ path: '$["w.com/net=eth"]', op: 'remove' }]);
  });

  it('shows what an injection changes', async () => {
    const { status, out } = await cdi(['-d', host(), 'diff', '-', 'v.com/gpu=1'], oci);
    expect([status, out]).toEqual([1, '+ $.process.env[1]: "GPU=1"\n']);
  });
});

describe('monitor', () => {
  it('tells what is there, what comes and what goes, until it is stopped', async () => {
    const dir = host();
    const stop = new AbortController();
    const seen: string[] = [];
    const { run } = await import('./program.ts');
    let wake = () => {};
    const until = async (text: string) => {
      while (!seen.join('').includes(text)) {
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
          sleep(8000).then(() => Promise.reject(new Error(`no ${text} in ${seen}`))),
        ]);
      }
    };
    const tell = (text: string) => {
      seen.push(text);
      wake();
    };
    const done = run(
      ['-d', dir, 'monitor', 'devices', '-o', 'json'],
      { stdin: () => new Uint8Array(), out: tell, err: tell },
      stop.signal,
    );
    await until('watching');
    put(dir, 'new.json', spec(['late'], { kind: 'n.com/c' }));
    await until('{"subject":"devices","added":["n.com/c=late"],"removed":[]}\n');
    put(dir, 'new.json', 'broken');
    await until('"removed":["n.com/c=late"]');
    await until('"subject":"errors"');
    stop.abort();
    expect(await done).toBe(0);
  });

  it('refuses what it cannot watch', async () => {
    expect(await cdi(['monitor', 'weather'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('cannot monitor "weather"'),
    });
  });
});

describe('a call that makes no sense ends with 2', () => {
  it.each([
    [['nonsense']],
    [['devices', 'extra']],
    [['devices', '--nonsense']],
    [['devices', '-o', 'xml']],
    [['inject', '-', 'a/b=c', '-o', 'table']],
    [['inject']],
    [['explain', '-']],
    [['resolve']],
    [['diff', 'one']],
    [['inject', '-', 'v.com/gpu=[0']],
    [['--compat', 'rust', 'devices']],
    [['completion', 'tcsh']],
    [['-d']],
  ])('%j', async (args) => {
    const { status, out, err } = await cdi(args, oci);
    expect([status, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });

  it('and without any command, with the help', async () => {
    const { status, err } = await cdi([]);
    expect(status).toBe(2);
    expect(err).toContain('Usage: cdi');
  });

  it('while help itself is fine', async () => {
    const { status, out } = await cdi(['inject', '--help']);
    expect(status).toBe(0);
    expect(out).toContain('--spec-dirs');
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'] as const)('for %s names every command', async (shell) => {
    const { status, out } = await cdi(['completion', shell]);
    expect(status).toBe(0);
    for (const name of [
      'vendors',
      'classes',
      'specs',
      'devices',
      'dirs',
      'validate',
      'inject',
      'resolve',
      'monitor',
      'explain',
      'diff',
      'lint',
    ]) {
      expect(out).toContain(name);
    }
  });

  it('works in bash, for commands, options and devices', async () => {
    const { out: script } = await cdi(['completion', 'bash']);
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '--norc',
          '-c',
          `cdi() { printf 'v.com/gpu=0\\nv.com/gpu=1\\n'; [[ $# == 1 ]] || echo "v.com/seen$2-$3"; }\n${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; _cdi; echo "\${COMPREPLY[@]}"`,
          'bash',
          ...words,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('cdi', 'in')).toBe('inject');
    expect(complete('cdi', 'devices', '-o', 'js')).toBe('json');
    expect(complete('cdi', '--compat', '')).toBe('go');
    expect(complete('cdi', '-s', 'builti')).toBe('builtin');
    expect(complete('cdi', 'monitor', 'dev')).toBe('devices');
    expect(complete('cdi', 'specs', '--verb')).toBe('--verbose');
    expect(complete('cdi', 'inject', 'config.json', 'v.com/g')).toBe('v.com/gpu=0 v.com/gpu=1');
    expect(complete('cdi', '-d', '/cdi', 'inject', 'config.json', 'v.com/s')).toBe('v.com/seen-d-/cdi');
  });
});
