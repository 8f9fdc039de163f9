import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEntries, readEntriesIfAny, readNames, readNamesIfAny } from './index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'sysfs-names-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const make = (...names: (string | number[])[]) => {
  for (const name of names)
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name as string)]), '');
};

describe.each([
  ['readNames', readNames, readNamesIfAny],
  ['readEntries', (where: string) => readEntries(where).map(({ name }) => name), readEntriesIfAny],
])('%s', (_, read, readIfAny) => {
  test('gives names in order, as they are', () => {
    make('b', 'a\u00e9', '\ufeffbyte order mark', 'replacement \ufffd character', 'a');
    expect(read(directory)).toEqual(['a', 'a\u00e9', 'b', 'replacement \ufffd character', '\ufeffbyte order mark']);
  });

  test('refuses a name that is not UTF-8 and quotes it', () => {
    make('a', [0x6d, 0xff]);
    expect(() => read(directory)).toThrow(`entry "m\u00ff" of ${directory} is not UTF-8`);
    expect(() => read(directory)).toThrow(expect.objectContaining({ code: 'NOT_UTF8' }));
  });

  test('finds nothing where there is no directory, and throws unless that is expected', () => {
    make('file');
    for (const missing of [`${directory}/none`, `${directory}/file`]) {
      expect(readIfAny(missing)).toEqual([]);
      expect(() => read(missing)).toThrow(missing);
    }
  });
});
