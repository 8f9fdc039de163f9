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

  it.each([
    ['the driver is unbound', 'used', ['unbind'], ['bind']],
    ['the driver is unbound before the page was ever touched', 'fresh', ['unbind'], ['bind']],
    ['another life of the device began since', 'used', ['unbind', 'bind'], []],
    ['the device is removed', 'used', ['remove'], ['rescan']],
  ])('raises SIGBUS, and nothing worse, when %s while it is mapped', async (_what, page, away, back) => {
    const pci = await guest.do.realpath('/sys/class/mock-accel/mock0/device');
    const address = pci.split('/').at(-1)!;
    const steps: Record<string, [file: string, text: string]> = {
      unbind: ['/sys/bus/pci/drivers/mock-accel/unbind', address],
      bind: ['/sys/bus/pci/drivers/mock-accel/bind', address],
      remove: [`${pci}/remove`, '1'],
      rescan: ['/sys/bus/pci/rescan', '1'],
    };
    // busybox dd maps nothing, so a small Node program stands for the user.
    const program = `
      const { createRequire } = require('node:module');
      const fs = require('fs');
      const koffi = createRequire('/usr/lib/kata-mock/agent/main.js')('koffi');
      const libc = koffi.load('libc.so.6');
      const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
      const fd = fs.openSync('/dev/mock0', 'r+');
      const [used, fresh] = [0, 4096].map((offset) => mmap(null, 4096, 3, 1, fd, offset));
      console.log('mapped', koffi.decode(used, 'uint8_t') >= 0);
      for (const [file, text] of ${JSON.stringify(away.map((step) => steps[step]))}) fs.writeFileSync(file, text);
      console.log('touching');
      koffi.decode(${page}, 'uint8_t');
      console.log('survived');`;
    const { stdout, status } = await guest.do.run(['/usr/bin/node', '-e', program]);
    expect(stdout).toBe('mapped true\ntouching\n');
    expect(status, 'ended by a signal').toBeNull();
    for (const step of back) await guest.do.write(...steps[step]!);
    await expect.poll(() => guest.do.exists('/dev/mock0')).toBe(true);
    expect((await guest.do.run(['dmesg'])).stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops/);
  });
});
