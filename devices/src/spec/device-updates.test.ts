import type { LinuxDevice, LinuxDeviceCgroup, Spec } from '@kata-mock/oci-spec';
import { SpecEditor } from '@kata-mock/oci-spec';
import { describe, expect, test } from 'vitest';
import { applySpecSteps } from './apply.ts';
import { type DeviceUpdate, planDeviceUpdates } from './device-updates.ts';

const device = (path: string, type: 'c' | 'b', major: number, minor: number): LinuxDevice => ({
  path,
  type,
  major,
  minor,
});
const rule = (type: 'c' | 'b', major?: number, minor?: number): LinuxDeviceCgroup => ({
  allow: true,
  type,
  ...(major === undefined ? {} : { major }),
  ...(minor === undefined ? {} : { minor }),
  access: 'rwm',
});
const update = (
  containerPath: string,
  type: 'c' | 'b',
  major: number,
  minor: number,
  more: Partial<DeviceUpdate> = {},
): DeviceUpdate => ({
  containerPath,
  node: { type, major, minor },
  isPlaceholder: false,
  ...more,
});
const specOf = (devices: LinuxDevice[], rules: LinuxDeviceCgroup[] = []): Spec => ({
  ociVersion: '1.1.0',
  linux: { devices, resources: { devices: rules } },
});

const apply = (spec: Spec, updates: DeviceUpdate[]) => {
  const editor = new SpecEditor(spec);
  applySpecSteps(editor, planDeviceUpdates(spec, updates));
  const { linux } = editor.result();
  return { devices: linux?.devices, rules: linux?.resources?.devices };
};

describe('device updates', () => {
  test('change the entry, the rules with its host numbers, and allow the guest numbers', () => {
    const spec = specOf([device('/dev/a', 'c', 7, 2), device('/dev/b', 'c', 1, 3)], [rule('c', 7, 2), rule('c', 1, 3)]);
    expect(apply(spec, [update('/dev/a', 'c', 240, 0)])).toEqual({
      devices: [device('/dev/a', 'c', 240, 0), device('/dev/b', 'c', 1, 3)],
      rules: [rule('c', 240, 0), rule('c', 1, 3), rule('c', 240, 0)],
    });
  });

  test('swap two devices whose host numbers are the other one’s guest numbers', () => {
    const spec = specOf(
      [device('/dev/a', 'c', 10, 1), device('/dev/b', 'c', 10, 2)],
      [rule('c', 10, 1), rule('c', 10, 2)],
    );
    expect(apply(spec, [update('/dev/a', 'c', 10, 2), update('/dev/b', 'c', 10, 1)])).toEqual({
      devices: [device('/dev/a', 'c', 10, 2), device('/dev/b', 'c', 10, 1)],
      rules: [rule('c', 10, 2), rule('c', 10, 1), rule('c', 10, 2), rule('c', 10, 1)],
    });
  });

  test('never take a block rule for a character device with the same numbers', () => {
    const spec = specOf([device('/dev/a', 'c', 8, 0), device('/dev/b', 'b', 8, 0)], [rule('b', 8, 0), rule('c', 8, 0)]);
    expect(apply(spec, [update('/dev/a', 'c', 240, 0)]).rules).toEqual([
      rule('b', 8, 0),
      rule('c', 240, 0),
      rule('c', 240, 0),
    ]);
    expect(apply(spec, [update('/dev/a', 'c', 1, 1), update('/dev/b', 'b', 2, 2)]).devices).toEqual([
      device('/dev/a', 'c', 1, 1),
      device('/dev/b', 'b', 2, 2),
    ]);
  });

  test('leave rules without numbers alone', () => {
    const all = { allow: false, access: 'rwm' };
    const spec = specOf([device('/dev/a', 'c', 0, 0)], [all, rule('c'), rule('c', 0)]);
    expect(apply(spec, [update('/dev/a', 'c', 240, 0)]).rules).toEqual([
      all,
      rule('c'),
      rule('c', 0),
      rule('c', 240, 0),
    ]);
  });

  test('never rewrite an allow rule that this request brought', () => {
    // Guest numbers of the first are host numbers of the second.
    const spec = specOf([device('/dev/a', 'c', 1, 1), device('/dev/b', 'c', 240, 0)]);
    expect(apply(spec, [update('/dev/a', 'c', 240, 0), update('/dev/b', 'c', 241, 0)]).rules).toEqual([
      rule('c', 240, 0),
      rule('c', 241, 0),
    ]);
  });

  test('rename the entry when the handler gave a new path', () => {
    const spec = specOf([device('/dev/vfio/1', 'c', 5, 1)]);
    expect(apply(spec, [update('/dev/vfio/1', 'c', 243, 7, { newPath: '/dev/vfio/7' })]).devices).toEqual([
      device('/dev/vfio/7', 'c', 243, 7),
    ]);
  });

  test('work for placeholders that all have the same numbers, and match no rule by them', () => {
    const spec = specOf([device('/dev/mock0', 'c', 1, 3), device('/dev/mock1', 'c', 1, 3)], [rule('c', 1, 3)]);
    const updates = [
      update('/dev/mock0', 'c', 240, 1, { isPlaceholder: true }),
      update('/dev/mock1', 'c', 240, 0, { isPlaceholder: true }),
    ];
    expect(apply(spec, updates)).toEqual({
      devices: [device('/dev/mock0', 'c', 240, 1), device('/dev/mock1', 'c', 240, 0)],
      rules: [rule('c', 1, 3), rule('c', 240, 1), rule('c', 240, 0)],
    });
  });

  test('make the list of rules when there is none', () => {
    const spec: Spec = { ociVersion: '1.1.0', linux: { devices: [device('/dev/a', 'c', 1, 1)] } };
    expect(apply(spec, [update('/dev/a', 'c', 240, 0)]).rules).toEqual([rule('c', 240, 0)]);
  });

  test.each([
    [[update('/dev/a', 'c', 1, 1), update('/dev/a', 'c', 1, 2)], 'Conflicting device updates for /dev/a', 'CONFLICT'],
    [
      [update('/dev/x', 'c', 1, 1), update('/dev/y', 'c', 1, 2)],
      'Missing devices in OCI spec: /dev/x, /dev/y',
      'MISSING_IN_SPEC',
    ],
    [
      [update('/dev/a', 'c', 1, 1), update('/dev/c', 'c', 1, 2)],
      'Conflicting resource updates for host_major=7 host_minor=2',
      'CONFLICT',
    ],
  ])('refuse what contradicts itself (%#)', (updates, message, code) => {
    const spec = specOf([device('/dev/a', 'c', 7, 2), device('/dev/c', 'c', 7, 2)]);
    expect(() => planDeviceUpdates(spec, updates)).toThrow(expect.objectContaining({ message, code }));
  });
});
