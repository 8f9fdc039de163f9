import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Cache, writeSpec } from 'cdi-spec';
import { describe, expect, it } from 'vitest';
import { type DeviceSpec, parseDeviceSpec } from '../inventory/device-spec.ts';
import { placeholderSpec } from './placeholder-spec.ts';

const names = (devices: DeviceSpec[]) => placeholderSpec(devices).devices.map(({ name }) => name);

describe('placeholderSpec', () => {
  it('names devices by index, and all of them', () => {
    const spec = placeholderSpec([parseDeviceSpec('mock-accel,count=2')]);
    expect(names([parseDeviceSpec('count=2')])).toEqual(['0', '1', 'all']);
    expect(spec.devices[1]?.containerEdits).toEqual({
      deviceNodes: [{ path: '/dev/mock1', type: 'c', major: 1, minor: 3, fileMode: 0o666, permissions: 'rw' }],
    });
    expect(spec.devices[2]?.containerEdits.deviceNodes?.map((node) => node.path)).toEqual(['/dev/mock0', '/dev/mock1']);
  });

  it('takes name, path and UUID of a device', () => {
    const device = parseDeviceSpec('name=gpu0,path=/dev/mock7,uuid=3f2504e0-4f89-41d3-9a0c-0305e82c3301');
    expect(names([device])).toEqual(['gpu0', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'all']);
  });

  it('declares no newer CDI version than it needs, so that old runtimes read it', () => {
    expect(placeholderSpec([parseDeviceSpec('count=1')]).cdiVersion).toBe('0.5.0');
  });

  it('refuses two devices of one name, UUID or path', () => {
    const twice = (text: string) => () => placeholderSpec([parseDeviceSpec(text), parseDeviceSpec(text)]);
    expect(twice('name=a')).toThrow('two devices would both be kata-mock.dev/accel=a');
    expect(twice('uuid=MOCK-1')).toThrow(/two devices would both be kata-mock.dev\/accel=/);
    expect(twice('path=/dev/mock0')).toThrow('two devices have the same container path');
  });

  it('refuses more devices than a node can have, before it makes them', () => {
    expect(() => placeholderSpec([parseDeviceSpec('count=9007199254740991')])).toThrow(/too many for one node/);
  });

  it('resolves through the CDI library without a node on the host', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'cdi-host-'));
    try {
      writeSpec(directory, 'kata-mock.json', placeholderSpec([parseDeviceSpec('count=2')]), { durable: false });
      const cache = new Cache({ specDirs: [directory], autoRefresh: false });
      const { spec } = cache.injectDevices({ ociVersion: '1.2.0', linux: {} }, ['kata-mock.dev/accel=1']);
      expect(spec.linux?.devices).toEqual([{ path: '/dev/mock1', type: 'c', major: 1, minor: 3, fileMode: 0o666 }]);
      expect(spec.linux?.resources?.devices).toEqual([{ allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
