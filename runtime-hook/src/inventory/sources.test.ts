import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sandboxAnnotations } from './annotations.ts';
import { type DeviceSpec, parseDeviceSpec } from './device-spec.ts';
import { requestedDevices } from './sources.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-sources-'));
afterAll(() => rmSync(directory, { recursive: true }));
const bundle = (name: string, config: string) => {
  mkdirSync(path.join(directory, name));
  writeFileSync(path.join(directory, name, 'config.json'), config);
  return path.join(directory, name);
};
const ask = (annotations: Record<string, string>, more: { defaults?: DeviceSpec[]; catalogue?: DeviceSpec[] } = {}) =>
  requestedDevices({ annotations, defaults: [], catalogue: [], ...more });
const spec = parseDeviceSpec;

describe('the devices of a sandbox', () => {
  const cdi = { 'cdi.k8s.io/b': 'kata-mock.dev/accel=3', 'cdi.k8s.io/a': 'vendor.com/gpu=0,kata-mock.dev/accel=1' };

  test('come from the annotation before CDI before the default', async () => {
    const defaults = [spec('numa=7')];
    const own = { 'io.kata-mock/devices': 'numa=1' };
    expect((await ask({ ...own, ...cdi }, { defaults })).devices).toEqual([spec('numa=1')]);
    expect((await ask(cdi, { defaults })).devices).toEqual([spec('name=1'), spec('name=3')]);
    expect((await ask({ 'other/x': 'y' }, { defaults })).devices).toEqual(defaults);
    expect(await ask({})).toEqual({ source: 'nothing', devices: [] });
  });

  test('are none when the annotation says so, whatever the default is', async () => {
    const answer = await ask({ 'io.kata-mock/devices': 'none' }, { defaults: [spec('numa=0')] });
    expect(answer).toEqual({ source: 'annotation io.kata-mock/devices', devices: [] });
  });

  test('by CDI name are what config.toml says, each once', async () => {
    const catalogue = [spec('name=0,numa=0'), spec('name=big,memory=64G')];
    const names = (value: string) => ask({ 'cdi.k8s.io/x': value }, { catalogue });
    const twice = 'kata-mock.dev/accel=big,kata-mock.dev/accel=big';
    expect((await names(twice)).devices).toEqual([spec('name=big,memory=64G')]);
    expect((await names('kata-mock.dev/accel=all')).devices).toEqual(catalogue);
    await expect(names('kata-mock.dev/accel=1')).rejects.toThrow('CDI device "kata-mock.dev/accel=1" is not known');
  });

  test('by CDI name without entries are numbers and UUIDs', async () => {
    const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
    const answer = await ask({ 'cdi.k8s.io/x': `kata-mock.dev/accel=${uuid.toUpperCase()}` });
    expect(answer.devices).toEqual([spec(`uuid=${uuid}`)]);
    await expect(ask({ 'cdi.k8s.io/x': 'kata-mock.dev/accel=all' })).rejects.toThrow('is not known');
    await expect(ask({ 'cdi.k8s.io/x': 'kata-mock.dev/accel=../x' })).rejects.toThrow('is not known');
  });

  test('that cannot be read fail the sandbox, with the source named', async () => {
    const answer = ask({ 'io.kata-mock/devices': 'numa=x' });
    await expect(answer).rejects.toThrow('annotation io.kata-mock/devices: device "numa=x": NUMA node "x"');
  });
});

describe('annotations', () => {
  test('are those of config.json whose value is a text', () => {
    expect(sandboxAnnotations(bundle('a', '{"annotations":{"a":"b","c":1,"d":null}}'))).toEqual({ a: 'b' });
    expect(sandboxAnnotations(bundle('b', '{}'))).toEqual({});
    expect(sandboxAnnotations(bundle('c', '{"annotations":["x"]}'))).toEqual({ '0': 'x' });
    expect(sandboxAnnotations(bundle('d', 'null'))).toEqual({});
  });

  test('are none without a config.json, and an error when it is broken', () => {
    expect(sandboxAnnotations(path.join(directory, 'nothing'))).toEqual({});
    expect(() => sandboxAnnotations(bundle('e', '{"annotations":'))).toThrow('config.json is not JSON');
  });
});
