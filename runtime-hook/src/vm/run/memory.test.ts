import { describe, expect, it } from 'vitest';
import { checkSharedMemory, parseMemory } from './memory.ts';

describe('--memory', () => {
  it.each([
    ['512M', 512],
    ['512', 512],
    ['2G', 2048],
    ['1g', 1024],
  ])('takes %s', (text, mib) => expect(parseMemory(text)).toBe(mib));

  it.each(['', '0', '64M', '-1', '1T', '99999999G', '512 M', '1e3'])('refuses %j', (text) => {
    expect(() => parseMemory(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

it('says how much room /dev/shm lacks', () => {
  expect(() => checkSharedMemory(512, '/dev/shm', 64)).toThrow(
    "/dev/shm has 64 MiB free, the VM's memory takes 512 MiB of it",
  );
  expect(() => checkSharedMemory(512, '/dev/shm', 512)).not.toThrow();
  expect(() => checkSharedMemory(512, '/no/such/dir')).toThrow('is not there');
});
