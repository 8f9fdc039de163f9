import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { isKataMockError } from '../errors.ts';
import { defaultConfig } from './config.ts';
import { loadConfig } from './load-config.ts';
import { parseConfig } from './parse-config.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const write = (name: string, text: string) => {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
};

describe('config.toml', () => {
  test('may be missing or empty', async () => {
    expect(parseConfig('', '/c')).toEqual(defaultConfig('/c'));
    expect((await loadConfig({})).policy).toEqual(defaultConfig('/c').policy);
  });

  test('sets every key', () => {
    const text = `
qemu = "/opt/qemu"
rootImage = "/opt/root.img"
onDeviceLoss = "stop"
user = "kata-mock"
devices = ["numa=0", { numa = 1, memory = "1G" }]

[policy]
maxDevices = 4
maxMemory = "64G"
maxNumaNode = 1
models = ["mock-accel", "other"]
containerPaths = ["/dev/accel/*"]

[[cdi]]
name = "0"
host = "0000:1a:00.0"

[vm]
accel = "tcg"
cpu = "max"

[log]
format = "text"
level = "debug"
`;
    expect(parseConfig(text, '/c')).toEqual({
      file: '/c',
      qemu: '/opt/qemu',
      rootImage: '/opt/root.img',
      onDeviceLoss: 'stop',
      user: 'kata-mock',
      devices: [
        { model: 'mock-accel', count: 1, numa: 0 },
        { model: 'mock-accel', count: 1, numa: 1, memory: 1n << 30n },
      ],
      cdi: [{ model: 'mock-accel', count: 1, name: '0', host: '0000:1a:00.0' }],
      policy: {
        maxDevices: 4,
        maxMemory: 64n << 30n,
        maxNumaNode: 1,
        models: ['mock-accel', 'other'],
        containerPaths: ['/dev/accel/*'],
      },
      vm: { accel: 'tcg', cpu: 'max' },
      log: { format: 'text', level: 'debug' },
    });
  });

  test.each([
    ['qemo = "/x"', 'there is no key "qemo"'],
    ['[policy]\nmaxDevice = 1', 'there is no key "policy.maxDevice"'],
    ['qemu = 1', 'qemu = 1 is not a text'],
    ['onDeviceLoss = "panic"', 'is not one of stop, keep'],
    ['[policy]\nmaxDevices = -1', 'policy.maxDevices = -1 is not a number of 0 or more'],
    ['[policy]\nmaxMemory = "lots"', 'size "lots" is not a number of bytes'],
    ['[policy]\nmodels = "mock-accel"', 'is not a list of texts'],
    ['policy = 1', 'policy = 1 is not a table'],
    ['devices = "numa=x"', 'NUMA node "x"'],
    ['[[cdi]]\nnuma = 0', 'has no name'],
    ['[vm]\naccel = "tcg,thread=multi"', 'is not one of kvm, tcg'],
    ['cdi = [1]', 'is not a list of tables'],
    ['qemu = ', 'Invalid TOML'],
  ])('with %j is refused', (text, reason) => {
    expect(() => parseConfig(text, '/etc/kata-mock/config.toml')).toThrow(reason);
    expect(() => parseConfig(text, '/etc/kata-mock/config.toml')).toThrow(/^\/etc\/kata-mock\/config\.toml: /);
  });

  test('of any text gives settings or a BAD_INPUT error', () => {
    const word = fc.constantFrom(
      'qemu',
      'devices',
      '[policy]',
      '[[cdi]]',
      '=',
      '"',
      '1',
      '\n',
      '[',
      ']',
      '{',
      '}',
      'a',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (text) => {
          try {
            parseConfig(text, '/c');
          } catch (error) {
            expect(isKataMockError(error, 'BAD_INPUT'), String(error)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('the environment', () => {
  test('overrides the file', async () => {
    const file = write('all.toml', 'qemu = "/a"\nrootImage = "/b"\nonDeviceLoss = "keep"');
    const config = await loadConfig({
      KATA_MOCK_CONFIG: file,
      KATA_MOCK_QEMU: '/c',
      KATA_MOCK_ROOT_IMAGE: '/d',
      KATA_MOCK_ON_DEVICE_LOSS: 'stop',
    });
    expect(config).toMatchObject({ file, qemu: '/c', rootImage: '/d', onDeviceLoss: 'stop' });
  });

  test('must name a file that is there and a known policy', async () => {
    const missing = path.join(directory, 'missing.toml');
    await expect(loadConfig({ KATA_MOCK_CONFIG: missing })).rejects.toThrow(`there is no ${missing}`);
    await expect(loadConfig({ KATA_MOCK_ON_DEVICE_LOSS: 'explode' })).rejects.toThrow(
      'KATA_MOCK_ON_DEVICE_LOSS is "explode"',
    );
  });
});
