import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CpioEntry, writeCpio } from './cpio.ts';

interface Member {
  name: string;
  mode: number;
  mtime: number;
  data: string;
  device: [number, number];
}

/** A reader of its own, written from the format's description. */
function readCpio(archive: Buffer): Member[] {
  const members: Member[] = [];
  let at = 0;
  const align = () => {
    at = Math.ceil(at / 4) * 4;
  };
  for (;;) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, mtime, size, major, minor, nameSize] = [field(1), field(5), field(6), field(9), field(10), field(11)];
    at += 110;
    const name = archive.toString('utf8', at, at + nameSize! - 1);
    expect(archive[at + nameSize! - 1]).toBe(0);
    at += nameSize!;
    align();
    const data = archive.toString('utf8', at, at + size!);
    at += size!;
    align();
    if (name === 'TRAILER!!!') {
      expect(at).toBe(archive.length);
      return members;
    }
    members.push({ name, mode: mode!, mtime: mtime!, data, device: [major!, minor!] });
  }
}

describe('writeCpio', () => {
  it('writes files, folders, links and devices with type and permission bits', () => {
    const archive = writeCpio(
      [
        { name: 'dev', type: 'directory', mode: 0o755 },
        { name: 'dev/console', type: 'character', mode: 0o600, device: [5, 1] },
        { name: 'init', type: 'file', mode: 0o755, data: '#!/bin/sh\n' },
        { name: 'sh', type: 'symlink', mode: 0o777, data: 'busybox' },
      ],
      1234,
    );
    expect(readCpio(archive)).toEqual([
      { name: 'dev', mode: 0o040755, mtime: 1234, data: '', device: [0, 0] },
      { name: 'dev/console', mode: 0o020600, mtime: 1234, data: '', device: [5, 1] },
      { name: 'init', mode: 0o100755, mtime: 1234, data: '#!/bin/sh\n', device: [0, 0] },
      { name: 'sh', mode: 0o120777, mtime: 1234, data: 'busybox', device: [0, 0] },
    ]);
  });

  it('keeps names and bytes of any length', () => {
    const file = fc.record({
      name: fc.stringMatching(/^[a-zé/]{1,40}$/).filter((name) => !name.startsWith('/')),
      data: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(file), (files) => {
        const entries = files.map((entry): CpioEntry => ({ ...entry, type: 'file', mode: 0o644 }));
        expect(readCpio(writeCpio(entries, 0)).map(({ name, data }) => ({ name, data }))).toEqual(files);
      }),
    );
  });

  it.each(['', '/etc/passwd', 'a'.repeat(5000)])('refuses the member name %j', (name) => {
    expect(() => writeCpio([{ name, type: 'file', mode: 0o644 }], 0)).toThrow(/member name/);
  });
});
