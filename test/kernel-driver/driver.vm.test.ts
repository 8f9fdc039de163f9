import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareGuest } from '../support/bare-guest/bare-guest.ts';
import { root } from '../support/paths.ts';
import {
  DMA_TEST,
  dmaRequest,
  PASSPHRASE,
  passphraseRequest,
  readDma,
  readPassphrase,
  readU32,
  SET_STATUS,
  STATUS,
  u32,
} from './ioctls.ts';

const UUID = '11111111-2222-4333-8444-555555555555';
const CLASS = '/sys/class/mock-accel';
const MOCK = `${CLASS}/mock0`;

let guest: BareGuest;

beforeAll(async () => {
  guest = await BareGuest.boot({
    devices: [{ uuid: UUID, memorySize: '16G', totalVfs: 4, aperture: '1M' }],
    qemu: ['-device', 'edu'],
  });
  expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
});

afterAll(() => guest?.stop());

const attribute = async (name: string) => (await guest.do.read(`${MOCK}/${name}`)).replace(/\n$/, '');
const set = (name: string, value: string) => guest.do.write(`${MOCK}/${name}`, value);

async function withDevice<T>(flags: string, use: (fd: number) => Promise<T>): Promise<T> {
  const fd = await guest.do.open('/dev/mock0', flags);
  try {
    return await use(fd);
  } finally {
    await guest.do.close(fd);
  }
}

describe('class attributes', () => {
  it.each([
    ['uuid', UUID],
    ['memory_size', String(16 * 2 ** 30)],
    ['numa_node', '-1'],
    ['status', '0x00000001'],
    ['fw_version', '1.0.0'],
    ['passphrase_length', '6'],
    ['passphrase_status', 'idle'],
    ['passphrase_count', '0'],
    ['passphrase', ''],
    ['wordlist_loaded', '1'],
    ['wordlist_size', '62144'],
    ['sriov_totalvfs', '4'],
    ['sriov_numvfs', '0'],
  ])('%s reads %j after probe', async (name, value) => {
    expect(await attribute(name)).toBe(value);
  });

  it('shows the capability bits in hexadecimal', async () => {
    expect(await attribute('capabilities')).toMatch(/^0x000000[01][0-9a-f]$/);
  });

  it('lets nobody but root write, and hides what cannot be read', async () => {
    const modes = Object.fromEntries(
      await Promise.all(
        ['uuid', 'status', 'passphrase_generate', 'load_wordlist', 'sriov_numvfs'].map(async (name) => [
          name,
          await guest.do.mode(`${MOCK}/${name}`),
        ]),
      ),
    );
    expect(modes).toEqual({
      uuid: '444',
      status: '644',
      passphrase_generate: '200',
      load_wordlist: '200',
      sriov_numvfs: '644',
    });
  });

  it('links the class device and the PCI function to each other', async () => {
    const pci = await guest.do.realpath(`${MOCK}/device`);
    expect(pci).toMatch(/\/0000:\d\d:00\.0$/);
    expect(await guest.do.list(`${pci}/mock-accel`)).toEqual(['mock0']);
  });

  it.each([
    ['decimal', '4660', '0x00001234'],
    ['hexadecimal', '0xcafe', '0x0000cafe'],
    ['octal', '017', '0x0000000f'],
    ['all bits', '0xffffffff', '0xffffffff'],
  ])('takes a status in %s', async (_base, written, read) => {
    await set('status', written);
    expect(await attribute('status')).toBe(read);
  });

  it.each([
    ['status', 'x', 'EINVAL'],
    ['status', '0x100000000', 'ERANGE'],
    ['passphrase_length', '3', 'EINVAL'],
    ['passphrase_length', '13', 'EINVAL'],
    ['passphrase_generate', '0', 'EINVAL'],
    ['load_wordlist', 'maybe', 'EINVAL'],
    ['sriov_numvfs', '5', 'ERANGE'],
    ['sriov_numvfs', '-1', 'EINVAL'],
  ])('refuses to write %s = %s with %s', async (name, value, code) => {
    await expect(set(name, value)).rejects.toMatchObject({ code });
  });

  it('generates a passphrase of the asked length on the device', async () => {
    await set('passphrase_length', '9');
    await set('passphrase_generate', '1');
    await expect.poll(() => attribute('passphrase_status')).toBe('ready');
    expect(await attribute('passphrase_count')).toBe('9');
    expect((await attribute('passphrase')).split(' ')).toHaveLength(9);
  });

  it('reloads the word list', async () => {
    await set('load_wordlist', '1');
    expect(await attribute('wordlist_loaded')).toBe('1');
  });

  it('announces a change of status, and only a change, with a uevent', async () => {
    await set('status', '1');
    await guest.do.uevents('mock-accel');
    await set('status', '1');
    await set('status', '3');
    const seen: Record<string, string>[] = [];
    await expect.poll(async () => seen.push(...(await guest.do.uevents('mock-accel')))).toBeGreaterThan(0);
    expect(seen).toMatchObject([{ action: 'change', DEVNAME: 'mock0', MOCK_ACCEL_STATUS: '0x00000003' }]);
    await set('status', '1');
  });
});

describe('reading /dev/mock0', () => {
  it('gives the description once and then the end of the file', async () => {
    await withDevice('r', async (fd) => {
      const text = Buffer.from(await guest.do.readFd(fd, 4096), 'base64').toString();
      const lines = text.split('\n');
      expect(lines.slice(0, 6)).toEqual([
        'Mock Accelerator Device',
        `UUID: ${UUID}`,
        `Memory: ${16 * 2 ** 30} bytes`,
        'Status: 0x00000001',
        'NUMA Node: -1',
        'Wordlist: 7776 words loaded',
      ]);
      expect(lines[6]).toMatch(/^Sample Passphrase \(6 words\): [a-z-]+$/);
      expect(lines.slice(7)).toEqual(['']);
      expect(await guest.do.readFd(fd, 4096)).toBe('');
    });
  });

  it('gives the same text in small pieces', async () => {
    await withDevice('r', async (fd) => {
      let text = '';
      for (;;) {
        const piece = Buffer.from(await guest.do.readFd(fd, 7), 'base64').toString();
        if (!piece) break;
        text += piece;
      }
      expect(text).toMatch(/^Mock Accelerator Device\n(.+\n)+Sample Passphrase \(6 words\): [a-z-]+\n$/);
    });
  });
});

describe('ioctl', () => {
  it('reads and writes the status', async () => {
    await withDevice('r+', async (fd) => {
      await guest.do.ioctl(fd, SET_STATUS, u32(0x51));
      expect(readU32(await guest.do.ioctl(fd, STATUS, u32(0)))).toBe(0x51);
    });
    expect(await attribute('status')).toBe('0x00000051');
    await set('status', '1');
  });

  it('does not write for a file opened for reading', async () => {
    await withDevice('r', async (fd) => {
      await expect(guest.do.ioctl(fd, SET_STATUS, u32(2))).rejects.toMatchObject({ code: 'EBADF' });
      await expect(guest.do.ioctl(fd, DMA_TEST, dmaRequest(64))).rejects.toMatchObject({ code: 'EBADF' });
    });
    expect(await attribute('status')).toBe('0x00000001');
  });

  it.each([
    [0, 6],
    [1, 1],
    [12, 12],
  ])('makes a passphrase of %i words as %i', async (asked, given) => {
    await withDevice('r', async (fd) => {
      const { words, text } = readPassphrase(await guest.do.ioctl(fd, PASSPHRASE, passphraseRequest(asked)));
      expect(words).toBe(given);
      // A few words of the list have a hyphen of their own.
      expect(text.split('-').length).toBeGreaterThanOrEqual(given);
    });
  });

  it('never makes the same passphrase twice', async () => {
    await withDevice('r', async (fd) => {
      const texts = new Set<string>();
      for (let i = 0; i < 50; i++) {
        texts.add(readPassphrase(await guest.do.ioctl(fd, PASSPHRASE, passphraseRequest(6))).text);
      }
      expect(texts.size).toBe(50);
    });
  });

  it.each([
    ['more than 12 words', PASSPHRASE, passphraseRequest(13), 'EINVAL'],
    ['an unknown command', 0x4d63, u32(0), 'ENOTTY'],
    ["another driver's command", 0x5401, u32(0), 'ENOTTY'],
    ['a DMA test of no bytes', DMA_TEST, dmaRequest(0), 'EINVAL'],
    ['a DMA test of too many bytes', DMA_TEST, dmaRequest(2 ** 20 + 1), 'EINVAL'],
    ['a reserved field that is set', DMA_TEST, dmaRequest(64, 0, 1), 'EINVAL'],
  ])('refuses %s', async (_what, request, data, code) => {
    await withDevice('r+', async (fd) => {
      await expect(guest.do.ioctl(fd, request, data)).rejects.toMatchObject({ code });
    });
  });

  it.each([
    ['STATUS', STATUS],
    ['PASSPHRASE', PASSPHRASE],
    ['SET_STATUS', SET_STATUS],
    ['DMA_TEST', DMA_TEST],
  ])('answers EFAULT to a bad pointer for %s', async (_name, request) => {
    await withDevice('r+', async (fd) => {
      await expect(guest.do.ioctlBadPointer(fd, request)).rejects.toMatchObject({ code: 'EFAULT' });
    });
  });

  it('serves several files at once', async () => {
    await withDevice('r+', (first) =>
      withDevice('r', async (second) => {
        await guest.do.ioctl(first, SET_STATUS, u32(9));
        expect(readU32(await guest.do.ioctl(second, STATUS, u32(0)))).toBe(9);
        await set('status', '1');
      }),
    );
  });
});

describe('DMA and interrupts', () => {
  it.each([1, 64, 4096, 65_537, 2 ** 20])('copies %i bytes to the device and back unchanged', async (length) => {
    await withDevice('r+', async (fd) => {
      const test = readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(length, 4096)));
      expect(test).toMatchObject({ error: 0, mismatch: length, interrupts: 2 });
    });
  });

  it("reports the device's error code for a range outside its memory", async () => {
    await withDevice('r+', async (fd) => {
      const test = readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(4096, 2 ** 50)));
      expect(test.error).not.toBe(0);
    });
  });
});

describe('life of a device', () => {
  it("does what the README's example says", async () => {
    const readme = readFileSync(path.join(root, 'kernel-driver/README.md'), 'utf8');
    const lines = /```sh\n([^`]+)```/.exec(readme)![1]!.trim().split('\n');
    expect(lines).toHaveLength(7);
    for (const line of lines) {
      const { status, stdout, stderr } = await guest.do.run(['/bin/sh', '-c', line]);
      expect(status, `${line}: ${stderr}`).toBe(0);
      if (line.endsWith('/passphrase')) expect(stdout.trim().split(' ')).toHaveLength(5);
    }
    await set('status', '1');
  });

  it('goes on with a reset device', async () => {
    const pci = await guest.do.realpath(`${MOCK}/device`);
    await set('status', '77');
    await guest.do.write(`${pci}/reset`, '1');
    expect(await attribute('status')).toBe('0x00000001');
    await withDevice('r+', async (fd) => {
      const test = readDma(await guest.do.ioctl(fd, DMA_TEST, dmaRequest(4096)));
      expect(test, 'interrupts work again').toMatchObject({ error: 0, mismatch: 4096, interrupts: 2 });
    });
  });

  it('answers ENODEV to files that are open when the device is removed, and comes back on a rescan', async () => {
    const pci = await guest.do.realpath(`${MOCK}/device`);
    await withDevice('r+', async (fd) => {
      await guest.do.write(`${pci}/remove`, '1');
      expect(await guest.do.list('/dev').then((names) => names.filter((name) => name.startsWith('mock')))).toEqual([]);
      expect(await guest.do.list(CLASS)).toEqual([]);
      await expect(guest.do.readFd(fd, 100)).rejects.toMatchObject({ code: 'ENODEV' });
      for (const [request, data] of [
        [STATUS, u32(0)],
        [SET_STATUS, u32(1)],
        [PASSPHRASE, passphraseRequest(6)],
        [DMA_TEST, dmaRequest(64)],
      ] as const) {
        await expect(guest.do.ioctl(fd, request, data)).rejects.toMatchObject({ code: 'ENODEV' });
      }
      await guest.do.write('/sys/bus/pci/rescan', '1');
      await expect.poll(() => guest.do.exists('/dev/mock0')).toBe(true);
      await expect(guest.do.readFd(fd, 100), 'the old file stays dead').rejects.toMatchObject({ code: 'ENODEV' });
    });
    expect(await attribute('uuid')).toBe(UUID);
  });

  it('is unbound and bound again under a storm of status changes, passphrases and mappings', async () => {
    const rounds = 12;
    const over = '/tmp/storm-is-over';
    const address = (await guest.do.realpath(`${MOCK}/device`)).split('/').at(-1)!;
    const again = `echo ${address} > unbind && echo ${address} > bind || echo failed >&2`;
    // All the time: a file whose calls announce changes of status, and mappings; interrupts; unbinding.
    const program = `
      const { createRequire } = require('node:module');
      const fs = require('fs');
      const koffi = createRequire('/usr/lib/kata-mock/agent/main.js')('koffi');
      const libc = koffi.load('libc.so.6');
      const ioctl = libc.func('int ioctl(int, unsigned long, _Inout_ uint8_t *)');
      const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
      const munmap = libc.func('int munmap(void *, size_t)');
      const shell = (script, stderr) =>
        require('child_process').spawn('sh', ['-c', script], { stdio: ['ignore', 'ignore', stderr] });
      shell('until [ -e ${over} ]; do echo 1 > ${MOCK}/passphrase_generate; done', 'ignore');
      shell('cd /sys/bus/pci/drivers/mock-accel; for round in $(seq ${rounds}); do ${again}; done; touch ${over}', 'inherit');
      let [calls, opened] = [0, 0];
      while (!fs.existsSync('${over}')) {
        let fd;
        try { fd = fs.openSync('/dev/mock0', 'r+'); } catch { continue; }
        opened++;
        do {
          munmap(mmap(null, 4096, 3, 1, fd, 0), 4096);
        } while (ioctl(fd, ${SET_STATUS}, Buffer.from([1 + (calls++ & 2), 0, 0, 0])) === 0 && !fs.existsSync('${over}'));
        fs.closeSync(fd);
      }
      console.log(JSON.stringify({ calls, opened }));`;
    const { stdout, stderr } = await guest.do.run(['/usr/bin/node', '-e', program]);
    expect(stderr).toBe('');
    const { calls, opened } = JSON.parse(stdout);
    expect(calls).toBeGreaterThan(rounds);
    expect(opened, 'the storm met the device between unbinds').toBeGreaterThan(1);
    expect(await attribute('uuid')).toBe(UUID);
  });

  it('refuses to drive what is no mock, whoever binds it', async () => {
    const [address] = await findByVendor('0x1234');
    await guest.do.write(`/sys/bus/pci/devices/${address}/driver_override`, 'mock-accel');
    await expect(guest.do.write('/sys/bus/pci/drivers/mock-accel/bind', address!)).rejects.toMatchObject({
      code: 'ENODEV',
    });
    expect(await guest.do.list(CLASS)).toEqual(['mock0']);
  });

  it('unloads and loads again', async () => {
    expect(await guest.do.run(['rmmod', 'mock-accel'])).toMatchObject({ status: 0 });
    expect(await guest.do.exists(CLASS)).toBe(false);
    expect(await guest.do.run(['modprobe', 'mock-accel'])).toMatchObject({ status: 0 });
    expect(await attribute('uuid')).toBe(UUID);
  });

  it('refuses to unload while a file is open', async () => {
    await withDevice('r', async () => {
      const { status, stderr } = await guest.do.run(['rmmod', 'mock-accel']);
      expect(status).not.toBe(0);
      expect(stderr).toContain('in use');
    });
  });

  it('left no warning in the kernel log', async () => {
    const { stdout } = await guest.do.run(['dmesg']);
    expect(stdout).not.toMatch(/BUG|WARNING|Call Trace|Oops|KASAN|refcount|sysfs: cannot/);
  });
});

async function findByVendor(vendor: string): Promise<string[]> {
  const names = await guest.do.list('/sys/bus/pci/devices');
  const vendors = await Promise.all(names.map((name) => guest.do.read(`/sys/bus/pci/devices/${name}/vendor`)));
  return names.filter((_name, index) => vendors[index]!.trim() === vendor);
}
