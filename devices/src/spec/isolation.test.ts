import { type LinuxDeviceCgroup, SpecEditor } from '@kata-mock/oci-spec';
import { describe, expect, test } from 'vitest';
import type { MockDevice } from '../mock-devices.ts';
import { applySpecSteps } from './apply.ts';
import { planIsolation } from './isolation.ts';
import { opens } from './rule-verdict.ts';

const mock = (minor: number) =>
  ({
    name: `mock${minor}`,
    node: { type: 'c', major: 240, minor },
    devpath: `/devices/pci0000:00/0000:0${minor}:00.0`,
  }) as MockDevice;
const [own, other] = [mock(0), mock(1)];

const rulesAfter = (rules: LinuxDeviceCgroup[]) => {
  const editor = new SpecEditor({ ociVersion: '1.1.0', linux: { resources: { devices: rules } } });
  applySpecSteps(editor, planIsolation([own, other], new Set([own]), rules));
  return editor.result().linux;
};

describe('a device of others', () => {
  test('has its sysfs directory masked, and the inventory of the VM too', () => {
    expect(rulesAfter([])?.maskedPaths).toEqual(['/sys/devices/pci0000:00/0000:01:00.0', '/sys/firmware/qemu_fw_cfg']);
  });

  test('needs no denial where nothing opens it', () => {
    const rules = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c' as const, access: 'm' },
    ];
    expect(rulesAfter(rules)?.resources?.devices).toEqual(rules);
  });

  test.each([
    ['everything is allowed', [{ allow: true, access: 'rwm' }]],
    ['everything is allowed by letter', [{ allow: true, type: 'a', access: 'rwm' }]],
    ['its major is allowed', [{ allow: true, type: 'c', major: 240, access: 'rw' }]],
    ['every character device is allowed', [{ allow: true, type: 'c', access: 'rwm' }]],
    ['it is allowed by name', [{ allow: true, type: 'c', major: 240, minor: 1, access: 'r' }]],
    ['-1 stands for every number', [{ allow: true, type: 'c', major: -1, minor: -1, access: 'w' }]],
  ] as [string, LinuxDeviceCgroup[]][])('is not opened when %s', (_, rules) => {
    expect(opens(rules, other.node)).toBe(true);
    const after = rulesAfter(rules)?.resources?.devices ?? [];
    expect(opens(after, other.node)).toBe(false);
  });

  test('a rule with wildcards goes, because runc cannot take one device out of it', () => {
    expect(rulesAfter([{ allow: true, type: 'c', major: 240, access: 'rwm' }])?.resources?.devices).toEqual([]);
  });

  test('an allow-all stays and gets an exception', () => {
    const after = rulesAfter([{ allow: true, access: 'rwm' }])?.resources?.devices;
    expect(after).toEqual([
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 240, minor: 1, access: 'rw' },
    ]);
  });

  test('without any mock device nothing is changed', () => {
    expect(planIsolation([], new Set(), [{ allow: true, access: 'rwm' }])).toEqual([]);
  });
});
