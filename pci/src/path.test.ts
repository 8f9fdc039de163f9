import { describe, expect, test } from 'vitest';
import { formatDeviceTreePath, formatPath, parseDeviceTreePath, parsePath } from './index.ts';

describe('a PCI path', () => {
  test.each([
    ['02', '02.0'],
    ['02/03', '02.0/03.0'],
    ['02.1/1F.7', '02.1/1f.7'],
  ])('%s is printed as %s', (text, printed) => {
    expect(formatPath(parsePath(text))).toBe(printed);
  });

  test.each(['', '//', '/', '02/', '/02', '20', '00.8', '00.0.0', '00.0/', 'xyz', '0000:00:00.0'])(
    'refuses %j',
    (text) => {
      expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    },
  );

  test('is refused when it is deeper than any machine', () => {
    expect(() => parsePath(Array(257).fill('00').join('/'))).toThrow('more than 256 elements');
  });
});

describe('a device tree path', () => {
  test.each([
    ['02', 0, '02.0'],
    ['02/03', 0, '02.0/03.0'],
    ['20/00/02', 0x20, '00.0/02.0'],
    ['a0/00/00', 0xa0, '00.0/00.0'],
    ['02/00/01', 0, '02.0/00.0/01.0'],
    ['1f/00/01', 0, '1f.0/00.0/01.0'],
  ])('%s is root complex %i, path %s', (text, rootComplex, path) => {
    const parsed = parseDeviceTreePath(text);
    expect(parsed.rootComplex).toBe(rootComplex);
    expect(formatPath(parsed.path)).toBe(path);
    expect(parseDeviceTreePath(formatDeviceTreePath(parsed))).toEqual(parsed);
  });

  test.each(['20/00', '', '20//00', '100/00/00'])('refuses %j', (text) => {
    expect(() => parseDeviceTreePath(text)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
  });
});
