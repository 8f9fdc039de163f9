import { describe, expect, test } from 'vitest';
import { isKataMockError } from '../errors.ts';
import { parseDeviceList } from '../inventory/device-list.ts';
import { matchesGlob } from './glob.ts';
import { allowedDevices, defaultPolicy, type Policy } from './policy.ts';

const check = (text: string, changes: Partial<Policy> = {}) =>
  allowedDevices(parseDeviceList(text), { ...defaultPolicy, ...changes }, '/etc/kata-mock/config.toml');
const refusal = (text: string, changes: Partial<Policy> = {}) => {
  try {
    check(text, changes);
  } catch (error) {
    expect(isKataMockError(error, 'POLICY')).toBe(true);
    return (error as Error).message;
  }
  return 'allowed';
};

describe('the policy', () => {
  test('makes one spec a device', () => {
    expect(check('mock-accel,count=2;numa=1')).toEqual([
      { model: 'mock-accel', count: 1 },
      { model: 'mock-accel', count: 1 },
      { model: 'mock-accel', count: 1, numa: 1 },
    ]);
  });

  test.each([
    ['300', '300 devices are asked for, over the limit maxDevices = 32 of /etc/kata-mock/config.toml'],
    [
      Array.from({ length: 33 }, () => 'memory=1G').join(';'),
      '33 devices are asked for, over the limit maxDevices = 32',
    ],
    ['memory=1T', '1T of device memory are asked for, over the limit maxMemory = "512G"'],
    ['memory=200G;memory=200G;memory=200G', '600G of device memory'],
    ['h100', 'has the model "h100", over the limit models = ["mock-accel"]'],
    ['path=/etc/passwd', 'has the container path "/etc/passwd", over the limit containerPaths = ["/dev/mock*"]'],
    ['path=/dev/mock/x', 'has the container path "/dev/mock/x"'],
    ['numa=8', 'asks for NUMA node 8, over the limit maxNumaNode = 7'],
  ])('refuses %j and names the limit', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  test('counts before it makes anything, however many are asked for', () => {
    expect(refusal(`mock-accel,count=${Number.MAX_SAFE_INTEGER}`)).toContain('maxDevices');
    expect(refusal('9007199254740991')).toContain('maxDevices');
  });

  test('allows what the administrator allows', () => {
    expect(check('300', { maxDevices: 300, maxMemory: 1n << 60n })).toHaveLength(300);
    expect(refusal('path=/opt/x.y', { containerPaths: ['/opt/*'] })).toBe('allowed');
    expect(refusal('mock-accel', { maxDevices: 0 })).toContain('maxDevices = 0');
  });
});

describe('a path pattern', () => {
  test.each([
    ['/dev/mock0', '/dev/mock*', true],
    ['/dev/mock', '/dev/mock*', true],
    ['/dev/mock0/x', '/dev/mock*', false],
    ['/dev/xmock0', '/dev/mock*', false],
    ['/dev/mock0', '/dev/mock0', true],
    ['/devXmock0', '/dev.mock0', false],
    ['/dev/mo\nck', '/dev/mo*', true],
    ['/a/b/c', '/a/*/c', true],
  ])('%j against %j is %j', (path, pattern, matches) => {
    expect(matchesGlob(path, pattern)).toBe(matches);
  });
});
