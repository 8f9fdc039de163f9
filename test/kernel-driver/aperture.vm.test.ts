import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { DMA_TEST, dmaRequest, readDma } from './ioctls.ts';

const SIZE = 16 * 2 ** 20;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;

let guest: BareGuest;

beforeAll(async () => {
  guest = await BareGuest.boot({ devices: [{ aperture: SIZE }] });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});
afterAll(() => guest?.stop());

const bytes = (text: string) => Buffer.from(text).toString('base64');

describe('device memory', () => {
  it('can be mapped and keeps what is written, for every process that maps it', async () => {
    const fd = await guest.do.open('/dev/mock0', 'r+');
    const first = await guest.do.map(fd, SIZE, 0, MAP_SHARED);
    const second = await guest.do.map(fd, 4096, SIZE - 4096, MAP_SHARED);
    await guest.do.poke(first, SIZE - 100, bytes('written through one mapping'));
    const seen = await guest.do.peek(second, 4096 - 100, 27);
    expect(Buffer.from(seen, 'base64').toString()).toBe('written through one mapping');
    for (const mapping of [first, second]) await guest.do.unmap(mapping);
    await guest.do.close(fd);
  });

  it('is what the DMA engine copies to', async () => {
    const fd = await guest.do.open('/dev/mock0', 'r+');
    const mapping = await guest.do.map(fd, 8192, 0, MAP_SHARED);
    await guest.do.poke(mapping, 4096, bytes('\0'.repeat(64)));
    expect(readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(64, 4096)))).toMatchObject({ error: 0, mismatch: 64 });
    const after = Buffer.from(await guest.do.peek(mapping, 4096, 64), 'base64');
    expect(after.equals(Buffer.alloc(64))).toBe(false);
    await guest.do.unmap(mapping);
    await guest.do.close(fd);
  });

  it.each([
    ['a range behind the end', 8192, SIZE - 4096, MAP_SHARED, 'EINVAL'],
    ['an offset behind the end', 4096, SIZE, MAP_SHARED, 'EINVAL'],
    ['an offset far behind the end', 4096, 2 ** 45, MAP_SHARED, 'EINVAL'],
    ['a private mapping', 4096, 0, MAP_PRIVATE, 'EINVAL'],
  ])('refuses %s', async (_what, length, offset, flags, code) => {
    const fd = await guest.do.open('/dev/mock0', 'r+');
    await expect(guest.do.map(fd, length, offset, flags)).rejects.toMatchObject({ code });
    await guest.do.close(fd);
  });

  it('raises SIGBUS, and nothing worse, when the device goes while it is mapped', async () => {
    // busybox dd maps nothing, so a small Node program stands for the user.
    const program = `
      const { createRequire } = require('node:module');
      const koffi = createRequire('/usr/lib/kata-mock/agent/main.js')('koffi');
      const libc = koffi.load('libc.so.6');
      const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
      const fd = require('fs').openSync('/dev/mock0', 'r+');
      const at = mmap(null, 4096, 3, 1, fd, 0);
      console.log('mapped', koffi.decode(at, 'uint8_t') >= 0);
      require('fs').writeFileSync(process.argv[1] + '/remove', '1');
      console.log('touching');
      koffi.decode(at, 'uint8_t');
      console.log('survived');`;
    const pci = await guest.do.realpath('/sys/class/mock-accel/mock0/device');
    const { stdout, status } = await guest.do.run(['/usr/bin/node', '-e', program, pci]);
    expect(stdout).toBe('mapped true\ntouching\n');
    expect(status, 'ended by a signal').toBeNull();
    await guest.do.write('/sys/bus/pci/rescan', '1');
    await expect.poll(() => guest.do.exists('/dev/mock0')).toBe(true);
    expect((await guest.do.run(['dmesg'])).stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops/);
  });
});
