import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatAnswer } from './answer.ts';
import { findQemu } from './find-qemu.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-qemu-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the answer to the wrapper', () => {
  test('is the program, its further arguments and a mark, a line each', () => {
    expect(formatAnswer({ program: '/q', args: ['-device', '{"a": "b c"}'] })).toBe(
      '/q\n-device\n{"a": "b c"}\n:kata-mock:end:\n',
    );
  });

  test.each(['', 'two\nlines', 'a\0b'])('refuses %j, which would become other arguments', (arg) => {
    expect(() => formatAnswer({ program: '/q', args: [arg] })).toThrow('cannot be passed to QEMU as one argument');
  });
});

describe('the real QEMU', () => {
  const program = path.join(directory, 'bin/qemu-system-x86_64');
  mkdirSync(path.dirname(program));
  writeFileSync(program, '');
  chmodSync(program, 0o755);

  test('is the named one, else the first of PATH', () => {
    expect(findQemu(program, {})).toBe(program);
    expect(findQemu(undefined, { PATH: `relative:/nonexistent:${directory}/bin` })).toBe(program);
  });

  test('must be a program', () => {
    expect(() => findQemu('qemu', {})).toThrow('QEMU "qemu" is not an absolute path');
    expect(() => findQemu(directory, {})).toThrow(`QEMU "${directory}" is not a program`);
    expect(() => findQemu(undefined, { PATH: '/nonexistent' })).toThrow('there is no qemu-system-x86_64 in PATH');
    expect(() => findQemu(undefined, {})).toThrow('none is named');
  });
});
