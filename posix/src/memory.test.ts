import { constants } from 'node:buffer';
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll } from './descriptors.ts';
import {
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  ftruncate,
  getSeals,
  memfdCreate,
  mmap,
  PROT_READ,
} from './memory.ts';
import { codeOf, openDescriptors } from './testing.ts';

let open: number[] = [];
const memory = (size: number, seal = false) => {
  const fd = memfdCreate('posix-test', { size, seal });
  open.push(fd);
  return fd;
};

afterEach(() => {
  closeAll(open);
  open = [];
});

describe('memfd', () => {
  it('cannot be resized once sealed', () => {
    const fd = memory(4096, true);
    expect(getSeals(fd)).toBe(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    expect(codeOf(() => ftruncate(fd, 0))).toBe('EPERM');
    expect(codeOf(() => ftruncate(fd, 8192))).toBe('EPERM');
  });

  it('refuses a name that C would see cut short', () => {
    expect(() => memfdCreate('a\0b')).toThrow(/EINVAL: a string argument has a NUL byte/);
  });

  it('is closed again when it cannot be prepared', () => {
    const before = openDescriptors();
    expect(() => memfdCreate('too-large', { size: 2 ** 63 })).toThrow();
    expect(openDescriptors()).toEqual(before);
  });
});

describe('mmap', () => {
  it('shares its bytes with the file', () => {
    const fd = memory(8192);
    const mapping = mmap(fd, 4096, { offset: 4096 });
    mapping.bytes.set([1, 2, 3]);
    const read = Buffer.alloc(3);
    readSync(fd, read, 0, 3, 4096);
    expect([...read]).toEqual([1, 2, 3]);
    writeSync(fd, Buffer.from([9]), 0, 1, 4096);
    expect(mapping.bytes[0]).toBe(9);
    mapping.unmap();
  });

  it('leaves a stale view harmless: an empty one, the file untouched', () => {
    const fd = memory(4096);
    const mapping = mmap(fd, 4096);
    const stale = mapping.bytes.subarray(0, 8);
    stale[0] = 7;
    mapping.unmap();
    mapping.unmap();
    expect([stale.length, stale[0]]).toEqual([0, undefined]);
    stale[0] = 8;
    const read = Buffer.alloc(1);
    readSync(fd, read, 0, 1, 0);
    expect(read[0]).toBe(7);
    expect(readFileSync('/proc/self/maps', 'utf8')).not.toContain('posix-test');
  });

  it('gives addresses back at once, though the thread never comes back to its event loop', () => {
    const fd = memory(2 ** 30);
    const kilobytes = () => Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
    const before = kilobytes();
    for (let count = 0; count < 64; count++) mmap(fd, 2 ** 30).unmap();
    expect(kilobytes() - before).toBeLessThan(2 ** 20);
  });

  it('can be kept out of core dumps', () => {
    const fd = memory(8192);
    const flags = () =>
      /posix-test.*?VmFlags: ([^\n]*)/s.exec(readFileSync('/proc/self/smaps', 'utf8'))![1]!.split(' ');
    const plain = mmap(fd, 4096);
    expect(flags()).not.toContain('dd');
    plain.unmap();
    const hidden = mmap(fd, 8192, { dump: false });
    expect(flags()).toContain('dd');
    hidden.unmap();
  });

  it('maps memory that is only read', () => {
    const fd = memory(4096);
    const mapping = mmap(fd, 4096, { prot: PROT_READ });
    expect(mapping.bytes[4095]).toBe(0);
    mapping.unmap();
  });

  it('refuses what one array cannot hold instead of ending the process', () => {
    const fd = memory(4096);
    expect(codeOf(() => mmap(fd, constants.MAX_LENGTH + 1))).toBe('EOVERFLOW');
    expect(codeOf(() => mmap(fd, 0))).toBe('EINVAL');
    expect(codeOf(() => mmap(fd, Number.NaN))).toBe('EINVAL');
  });

  it('reports the kernel’s refusal with its arguments', () => {
    const fd = memory(4096);
    expect(() => mmap(fd, 4096, { offset: 1 })).toThrow(/mmap\(0, 4096, 3, 1, \d+, 1\) failed: EINVAL/);
    closeSync(fd);
    open = [];
    expect(codeOf(() => mmap(fd, 4096))).toBe('EBADF');
  });
});
