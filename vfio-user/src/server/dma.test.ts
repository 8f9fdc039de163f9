import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addSeals, eventfd, F_SEAL_SHRINK, F_SEAL_WRITE, memfdCreate } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../client/client.ts';
import { Command, DmaMapFlag, encodeDmaMap, encodeDmaUnmap, MigrationState } from '../protocol/index.ts';
import { codeOf, connectLoopback, errnoOf, FakeMemory, openDescriptors } from '../testing.ts';
import type { DeviceServer } from './device-server.ts';
import { assertLocalFile } from './dma-file.ts';
import { TestDevice } from './test-device.ts';

const READ_WRITE = DmaMapFlag.READ | DmaMapFlag.WRITE;
const [EPERM, ENOENT, EACCES, EEXIST, ENODEV, EINVAL, ENOSPC] = [1, 2, 13, 17, 19, 22, 28];
const PAGE = 4096n;
let device: TestDevice;
let client: Client;
let server: DeviceServer;
let before: string[];
let fds: number[] = [];

beforeEach(() => {
  before = openDescriptors();
  device = new TestDevice();
  ({ client, server } = connectLoopback(device, { server: { maxDmaMaps: 64 } }));
});

afterEach(() => {
  client.close();
  device.close();
  for (const fd of fds) closeSync(fd);
  fds = [];
  expect(openDescriptors()).toEqual(before);
});

const memory = (pages: number, seal = true) => {
  const fd = memfdCreate('guest', { size: pages * 4096, seal });
  fds.push(fd);
  return fd;
};
const region = (page: number, pages: number, changes: { flags?: number; offset?: bigint } = {}) => ({
  flags: READ_WRITE,
  offset: 0n,
  address: BigInt(page) * PAGE,
  size: BigInt(pages) * PAGE,
  ...changes,
});
const refusal = (map: ReturnType<typeof region>, fd?: number) => errnoOf(() => client.dmaMap(map, fd));

describe('reaching guest memory', () => {
  test.each([
    ['mapped, when the file cannot shrink', true, 'mmap'],
    ['by pread and pwrite, when it could', false, 'file'],
  ])('%s', (_, seal, mode) => {
    const fd = memory(4, seal);
    client.dmaMap(region(16, 3, { offset: PAGE }), fd);
    expect(server.dma.regions[0]!.mode).toBe(mode);
    server.dma.write(16n * PAGE + 10n, Uint8Array.of(1, 2, 3));
    const seen = new Uint8Array(3);
    readSync(fd, seen, 0, 3, 4096 + 10);
    expect([...seen]).toEqual([1, 2, 3]);
    writeSync(fd, Uint8Array.of(7, 8), 0, 2, 4096 * 3);
    const read = new Uint8Array(2);
    server.dma.read(18n * PAGE, read);
    expect([...read]).toEqual([7, 8]);
  });

  test('FILE_IO means pread and pwrite even on a sealed file', () => {
    client.dmaMap(region(0, 1, { flags: READ_WRITE | DmaMapFlag.FILE_IO }), memory(1));
    expect(server.dma.regions[0]!.mode).toBe('file');
  });

  test('a span over adjacent regions is one access', () => {
    client.dmaMap(region(0, 1), memory(1));
    client.dmaMap(region(1, 1), memory(1, false));
    client.dmaMap(region(2, 1), memory(1));
    const data = Uint8Array.from({ length: 8000 }, (_, index) => index % 251);
    server.dma.write(100n, data);
    const back = new Uint8Array(8000);
    server.dma.read(100n, back);
    expect(back).toEqual(data);
  });

  test('scatter-gather lists are read and written in order', () => {
    client.dmaMap(region(0, 2), memory(2));
    const list = [
      { address: 5000n, length: 2 },
      { address: 10n, length: 3 },
    ];
    server.dma.scatter(list, Uint8Array.of(1, 2, 3, 4, 5));
    expect([...server.dma.gather(list)]).toEqual([1, 2, 3, 4, 5]);
    expect([...server.dma.gather([{ address: 10n, length: 3 }])]).toEqual([3, 4, 5]);
  });

  test('a hole, or a missing permission, refuses the whole access', () => {
    client.dmaMap(region(0, 1), memory(1));
    client.dmaMap(region(2, 1, { flags: DmaMapFlag.READ }), memory(1));
    expect(errnoOf(() => server.dma.write(4090n, new Uint8Array(20)))).toBe(ENOENT);
    expect([...readBack(4090n, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(errnoOf(() => server.dma.write(2n * PAGE, new Uint8Array(1)))).toBe(EACCES);
    expect(errnoOf(() => server.dma.read(3n * PAGE, new Uint8Array(1)))).toBe(ENOENT);
    server.dma.read(2n * PAGE, new Uint8Array(1));
  });

  test('a file that shrinks under the region is an error, not a SIGBUS', () => {
    const fd = memory(4, false);
    client.dmaMap(region(0, 4), fd);
    ftruncateSync(fd, 4096);
    expect(codeOf(() => server.dma.read(2n * PAGE, new Uint8Array(16)))).toBe('DMA');
  });

  test('nothing is reached while bus mastering is off', () => {
    client.dmaMap(region(0, 1), memory(1));
    server.dma.enabled = false;
    expect(errnoOf(() => server.dma.read(0n, new Uint8Array(1)))).toBe(19);
  });

  function readBack(address: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    server.dma.read(address, bytes);
    return bytes;
  }
});

describe('DMA_MAP', () => {
  test('takes what QEMU sends: ROM without a descriptor, and our own BAR', () => {
    client.dmaMap(region(0xfffc0, 64, { flags: DmaMapFlag.READ }));
    client.dmaMap(region(0xfe600, 1));
    expect(server.dma.regions.map(({ mode }) => mode)).toEqual(['message', 'message']);
  });

  test('the same region twice is one, and costs no descriptor', () => {
    const fd = memory(1);
    client.dmaMap(region(0, 1), fd);
    client.dmaMap(region(0, 1), fd);
    expect(server.dma.regions).toHaveLength(1);
  });

  test('the same range with another file, offset or permission is refused', () => {
    const fd = memory(2);
    client.dmaMap(region(0, 1), fd);
    expect(refusal(region(0, 1), memory(1))).toBe(EINVAL);
    expect(refusal(region(0, 1, { offset: PAGE }), fd)).toBe(EINVAL);
    expect(refusal(region(0, 1, { flags: DmaMapFlag.READ }), fd)).toBe(EINVAL);
  });

  test.each([
    ['below', 9, 2],
    ['above', 11, 2],
    ['inside', 11, 1],
    ['around', 9, 5],
  ])('an overlap %s is refused', (_, page, pages) => {
    client.dmaMap(region(10, 3), memory(3));
    expect(refusal(region(page, pages), memory(5))).toBe(EEXIST);
  });

  test.each([
    ['size 0', { ...region(0, 1), size: 0n }, EINVAL],
    ['an address that wraps', { ...region(0, 1), address: (1n << 64n) - PAGE, size: 2n * PAGE }, EINVAL],
    ['an offset that wraps', { ...region(0, 1), offset: (1n << 64n) - 1n }, EINVAL],
    ['more than 8 TiB', { ...region(0, 1), size: (8n << 40n) + PAGE }, ENOSPC],
    ['an unknown flag', region(0, 1, { flags: 0x13 }), EINVAL],
    ['MMAP and FILE_IO', region(0, 1, { flags: 0xf }), EINVAL],
  ])('%s is refused', (_, map, errno) => {
    expect(refusal(map, memory(4))).toBe(errno);
    expect(server.dma.regions).toHaveLength(0);
  });

  test('MMAP without a descriptor is refused', () => {
    expect(refusal(region(0, 1, { flags: 7 }))).toBe(EINVAL);
  });

  test('a file that is too short for its region is refused before anything touches it', () => {
    expect(refusal(region(0, 32), memory(16))).toBe(EINVAL);
    expect(refusal(region(0, 1 << 20), memory(1))).toBe(EINVAL);
    expect(refusal(region(0, 1, { offset: PAGE }), memory(1))).toBe(EINVAL);
  });

  test('what is no file is refused', () => {
    const event = eventfd();
    fds.push(event);
    expect(refusal(region(0, 1), event)).toBe(EINVAL);
  });

  test('a descriptor that allows less than the region is refused', () => {
    const opened = (path: string, flags: string) => {
      fds.push(openSync(path, flags));
      return fds.at(-1)!;
    };
    const directory = mkdtempSync(path.join(tmpdir(), 'vfu-'));
    const file = path.join(directory, 'f');
    ftruncateSync(opened(file, 'w'), 4096);
    for (const source of [file, `/proc/self/fd/${memory(1)}`]) {
      expect(refusal(region(0, 1), opened(source, 'r'))).toBe(EACCES);
      expect(refusal(region(0, 1, { flags: DmaMapFlag.READ }), opened(source, 'r'))).toBeUndefined();
      client.dmaUnmapAll();
    }
    expect(refusal(region(0, 1), fds[0])).toBe(EACCES);
    rmSync(directory, { recursive: true });
  });

  test('memory that is sealed against writes can only be read', () => {
    const fd = memory(1, false);
    addSeals(fd, F_SEAL_SHRINK | F_SEAL_WRITE);
    expect(refusal(region(0, 1), fd)).toBe(EPERM);
    client.dmaMap(region(0, 1, { flags: DmaMapFlag.READ }), fd);
    server.dma.read(0n, new Uint8Array(16));
  });

  test('a file behind which another process may stand is refused without asking it', () => {
    fds.push(openSync('/proc/self/status', 'r'));
    expect(refusal(region(0, 1, { flags: DmaMapFlag.READ }), fds[0])).toBe(EINVAL);
    // Its size would be wrong, and it has no other fault: that it was not asked is what shows.
    expect(() => assertLocalFile(fds[0]!)).toThrow(/but on proc/);
  });

  test('the number of regions is bounded', () => {
    for (let page = 0; page < 64; page++) client.dmaMap(region(page, 1));
    expect(refusal(region(64, 1))).toBe(EINVAL);
    client.dmaUnmapAll();
    expect(server.dma.regions).toHaveLength(0);
  });

  test('argsz below 32 is refused', () => {
    const payload = encodeDmaMap(region(0, 1));
    payload[0] = 31;
    expect(errnoOf(() => client.request(Command.DMA_MAP, payload))).toBe(EINVAL);
  });
});

describe('DMA_UNMAP', () => {
  const unmap = (changes: Partial<Parameters<typeof encodeDmaUnmap>[0]>) => () =>
    client.request(Command.DMA_UNMAP, encodeDmaUnmap({ flags: 0, address: 0n, size: PAGE, ...changes }));

  test('new accesses fail after it', () => {
    client.dmaMap(region(0, 1), memory(1));
    client.dmaUnmap(0n, PAGE);
    expect(errnoOf(() => server.dma.read(0n, new Uint8Array(1)))).toBe(ENOENT);
  });

  test('takes away every region inside the range', () => {
    for (const page of [1, 2, 5]) client.dmaMap(region(page, 1));
    client.dmaUnmap(0n, 4n * PAGE);
    expect(server.dma.regions.map(({ address }) => address)).toEqual([5n * PAGE]);
  });

  test('an unknown range, or half a region, is ENOENT', () => {
    client.dmaMap(region(4, 4), memory(4));
    expect(errnoOf(unmap({}))).toBe(ENOENT);
    expect(errnoOf(unmap({ address: 4n * PAGE, size: PAGE }))).toBe(ENOENT);
    expect(errnoOf(unmap({ address: 6n * PAGE, size: 4n * PAGE }))).toBe(ENOENT);
    expect(server.dma.regions).toHaveLength(1);
  });

  test.each([
    ['argsz 8', { argsz: 8 }],
    ['argsz above 1 MiB', { argsz: (1 << 20) + 1 }],
    ['an unknown flag', { flags: 4 }],
    ['ALL with an address', { flags: 2, address: PAGE, size: 0n }],
    ['ALL with a size', { flags: 2 }],
    ['ALL with a bitmap', { flags: 3, size: 0n }],
    ['a bitmap without logging', { flags: 1, bitmap: { pageBytes: PAGE, bytes: 8n } }],
    ['a bitmap of 2^64 - 1 bytes', { flags: 1, argsz: 1000, bitmap: { pageBytes: PAGE, bytes: (1n << 64n) - 1n } }],
  ])('%s is refused', (_, changes) => {
    client.dmaMap(region(0, 1));
    expect(errnoOf(unmap(changes))).toBe(EINVAL);
  });
});

describe('memory that only messages reach', () => {
  const guest = new FakeMemory(1 << 16);

  type Peer = 'libvfio-user' | 'QEMU 10' | 'QEMU 11';
  const connect = (peer: Peer, limit = 1 << 20) => {
    const layout = peer === 'QEMU 10' ? 'qemu' : 'spec';
    client.close();
    server = undefined as never;
    const capabilities = {
      max_msg_fds: 8,
      max_data_xfer_size: limit,
      ...(peer === 'libvfio-user' ? {} : { max_dma_maps: 65535 }),
    };
    const minor = peer === 'libvfio-user' ? 1 : 0;
    ({ client, server } = connectLoopback(device, { memory: guest, dmaLayout: layout, minor, capabilities }));
    client.dmaMap({ flags: READ_WRITE, offset: 0n, address: 0n, size: 1n << 16n });
  };

  /** Runs a task in the server and gives what it threw. */
  const inTask = (work: () => void) => {
    let thrown: unknown;
    server.task(() => {
      try {
        work();
      } catch (error) {
        thrown = error;
      }
    });
    // Any message will do; a reset would end the task.
    client.regionRead(0, 0, 1);
    return thrown as { code?: string; errno?: number } | undefined;
  };

  test.each(['libvfio-user', 'QEMU 10', 'QEMU 11'] as const)('of %s is read and written from a task', (peer) => {
    connect(peer);
    const seen = new Uint8Array(4);
    guest.bytes.set([9, 8, 7, 6], 0x100);
    const thrown = inTask(() => {
      server.dma.read(0x100n, seen);
      server.dma.write(0x200n, Uint8Array.of(1, 2, 3, 4, 5));
    });
    expect(thrown).toBeUndefined();
    expect([...seen]).toEqual([9, 8, 7, 6]);
    expect([...guest.bytes.subarray(0x200, 0x206)]).toEqual([1, 2, 3, 4, 5, 0]);
  });

  test('long transfers are cut at what the client takes', () => {
    connect('libvfio-user', 100);
    const data = Uint8Array.from({ length: 1050 }, (_, index) => index % 255);
    expect(inTask(() => server.dma.write(0n, data))).toBeUndefined();
    expect(guest.bytes.subarray(0, 1050)).toEqual(data);
  });

  test('an error of the client is an error of the access', () => {
    connect('libvfio-user');
    client.dmaMap({ flags: READ_WRITE, offset: 0n, address: 1n << 20n, size: PAGE });
    expect(inTask(() => server.dma.read(1n << 20n, new Uint8Array(4)))).toMatchObject({ code: 'DMA', errno: 19 });
  });

  test('what is unmapped while a message waits for its answer is not touched any more', () => {
    connect('libvfio-user', 100);
    client.dmaMap(region(16, 1), memory(1, false));
    let messages = 0;
    const { read } = guest;
    guest.read = (address, count) => {
      // As an unmap of the client, which is served while the server waits.
      if (messages++ === 0) server.dma.unmap(address < 0x8000n ? 0n : 16n * PAGE, address < 0x8000n ? 1n << 16n : PAGE);
      return read.call(guest, address, count);
    };
    try {
      expect(inTask(() => server.dma.read(0xffffn, new Uint8Array(8)))).toMatchObject({ code: 'DMA', errno: ENOENT });
      messages = 0;
      expect(inTask(() => server.dma.read(0n, new Uint8Array(300)))).toMatchObject({ code: 'DMA', errno: ENOENT });
      expect(messages).toBe(1);
    } finally {
      guest.read = read;
    }
  });

  describe.each<[string, () => void]>([
    ['a reset', () => server.reset('command')],
    [
      'the end of bus mastering',
      () => {
        server.dma.enabled = false;
        server.dma.enabled = true;
      },
    ],
    ['a stop for migration', () => server.migration.moveTo(MigrationState.STOP)],
  ])('after %s', (_, end) => {
    const { read } = guest;
    let messages = 0;
    beforeEach(() => {
      messages = 0;
      connect('libvfio-user', 100);
      guest.read = (address, count) => {
        // As a command of the client, which is served while the server waits.
        if (messages++ === 0) end();
        return read.call(guest, address, count);
      };
    });
    afterEach(() => {
      guest.read = read;
    });
    const ended = { code: 'DMA', errno: ENODEV };

    test('no further message of the access under way goes out, and what came is not the device’s', () => {
      expect(inTask(() => server.dma.read(0n, new Uint8Array(300)))).toMatchObject(ended);
      expect(messages).toBe(1);
      server.reset('command');
      messages = 0;
      expect(inTask(() => server.dma.read(0n, new Uint8Array(1)))).toMatchObject(ended);
    });

    test('the task that was under way reaches nothing any more, nor does one put off before; a new one does', () => {
      const outcomes: unknown[] = [];
      const attempt = () => {
        try {
          server.dma.read(0n, new Uint8Array(1));
          outcomes.push('read');
        } catch (error) {
          outcomes.push((error as { errno?: number }).errno);
        }
      };
      inTask(() => {
        server.task(attempt);
        attempt();
        attempt();
      });
      server.reset('command');
      inTask(attempt);
      expect(outcomes).toEqual([ENODEV, ENODEV, ENODEV, 'read']);
      expect(messages).toBe(2);
    });
  });

  test('cannot be reached while a command waits for its answer: that could dead-lock', () => {
    connect('libvfio-user');
    expect(codeOf(() => server.dma.read(0n, new Uint8Array(1)))).toBe('DMA');
  });

  test('a task that fails leaves the session as it was', () => {
    connect('libvfio-user');
    server.task(() => {
      throw new Error('a bug');
    });
    client.reset();
    expect(client.deviceInfo().regions).toBe(9);
  });
});
