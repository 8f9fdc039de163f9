import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventfd, eventfdRead, memfdCreate, mmap } from '@kata-mock/posix';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { PciIrq, PciRegion } from '../protocol/index.ts';
import { codeOf, connectLoopback, FakeMemory } from '../testing.ts';
import { LoopbackChannel } from '../transport/loopback.ts';
import { DmaCmd, DmaStatus, IrqStatus, PassphraseStatus, Reg } from './gen/registers.ts';
import { formatUuid, parseIdentity } from './identity.ts';
import { createMockAccel } from './mock-accel.ts';
import { type MockAccelOptions, parseSize, resolveOptions } from './options.ts';
import { builtInWords, chooseWords, readWords } from './words.ts';

const UUID = '12345678-9abc-def0-1122-334455667788';
let client: Client;

function open(options: MockAccelOptions = {}, connection: Parameters<typeof connectLoopback>[1] = {}) {
  ({ client } = connectLoopback(createMockAccel({ uuid: UUID, ...options }), connection));
}
const read = (offset: number) => client.read32(0, offset);
const write = (offset: number, value: number) => client.write32(0, offset, value);
const passphrase = () =>
  Buffer.from(client.regionRead(0, Reg.PASSPHRASE_BUFFER, 256))
    .toString('latin1')
    .split('\0')[0]!;

afterEach(() => client?.close());

describe('identity', () => {
  test('the registers have the documented values', () => {
    open();
    expect(Buffer.from(client.regionRead(0, 0, 4)).toString()).toBe('MOCK');
    expect(read(Reg.REVISION)).toBe(0x00010000);
    expect(formatUuid(client.regionRead(0, Reg.UUID, 16))).toBe(UUID);
    expect(Buffer.from(client.regionRead(0, Reg.MEMORY_SIZE, 8)).readBigUInt64LE()).toBe(16n << 30n);
    expect(read(Reg.CAPABILITIES)).toBe(0x7);
    expect(read(Reg.STATUS)).toBe(1);
    expect(read(Reg.FW_VERSION)).toBe(0x00010000);
  });

  test('PCI shows 1de5:0001, class 0, and 1de5:0002 for a virtual function', () => {
    open();
    expect(client.read32(PciRegion.CONFIG, 0)).toBe(0x00011de5);
    expect(client.read32(PciRegion.CONFIG, 8)).toBe(0);
    client.close();
    open({ vf: true });
    expect([...client.regionRead(PciRegion.CONFIG, 0, 64).subarray(0, 4)]).toEqual([0xe5, 0x1d, 2, 0]);
    expect(Buffer.from(client.regionRead(0, Reg.MEMORY_SIZE, 8)).readBigUInt64LE()).toBe(2n << 30n);
  });

  test('can look like anything', () => {
    open({
      vendor: '0x10de',
      device: 0x2330,
      classCode: '0x030200',
      subsystemVendor: 0x10de,
      subsystem: 0x16c1,
      revision: 0xa1,
    });
    expect(client.read32(PciRegion.CONFIG, 0)).toBe(0x233010de);
    expect(client.read32(PciRegion.CONFIG, 8)).toBe(0x030200a1);
    expect(client.read32(PciRegion.CONFIG, 0x2c)).toBe(0x16c110de);
  });

  test.each([
    [UUID, '123456789abcdef01122334455667788'],
    [UUID.toUpperCase(), '123456789abcdef01122334455667788'],
    ['MOCK-NUMA0-0001', `${Buffer.from('MOCK-NUMA0-0001').toString('hex')}00`],
    ['0123456789abcdef', Buffer.from('0123456789abcdef').toString('hex')],
  ])('UUID %s', (text, hex) => {
    expect(Buffer.from(parseIdentity(text)).toString('hex')).toBe(hex);
  });

  test.each(['', '0123456789abcdefg', 'ümlaut', `${UUID}0`, 'a\nb'])('UUID %j is refused and quoted', (text) => {
    expect(() => parseIdentity(text)).toThrow(JSON.stringify(text));
  });

  test.each([
    ['16G', 16n << 30n],
    ['512m', 512n << 20n],
    ['1024', 1024n],
    ['2TiB', 2n << 40n],
  ])('size %s', (text, bytes) => {
    expect(parseSize('memory', text)).toBe(bytes);
  });

  test.each(['', '-1', '1.5G', 'G', '99999999999999999999T', '1X'])('size %j is refused', (text) => {
    expect(codeOf(() => parseSize('memory', text))).toBe('INVALID_OPTION');
  });

  test.each([
    [{ aperture: '3M' }],
    [{ aperture: 1024 }],
    [{ aperture: '1G', memorySize: '1M' }],
    [{ totalVfs: 8 }],
    [{ totalVfs: 1, vf: true }],
    [{ vendor: 0x10000 }],
    [{ vendor: 'nvidia' }],
    [{ dma: 'yes' }],
    [{ colour: 'red' }],
    [{ wordList: '/nonexistent' }],
  ])('options %j are refused', (options) => {
    expect(codeOf(() => createMockAccel(options as MockAccelOptions))).toBe('INVALID_OPTION');
  });

  test('an unknown option names those there are', () => {
    expect(() => resolveOptions({ colour: 1 } as MockAccelOptions)).toThrow(/colour.*memorySize/s);
  });
});

describe('status', () => {
  test('is kept, and 1 again after a reset of any kind', () => {
    open();
    for (const reset of [() => client.reset(), functionLevelReset]) {
      write(Reg.STATUS, 0xcafe0001);
      expect(read(Reg.STATUS)).toBe(0xcafe0001);
      reset();
      expect(read(Reg.STATUS)).toBe(1);
    }
  });

  test("is the guest's through a reload, unless that changes it", () => {
    const device = createMockAccel({ uuid: 'BEFORE' });
    ({ client } = connectLoopback(device));
    write(Reg.STATUS, 0x1234);
    device.control('reload', { options: { uuid: 'AFTER' } });
    expect(read(Reg.STATUS)).toBe(0x1234);
    device.control('reload', { options: { uuid: 'AFTER', status: 3 } });
    expect(read(Reg.STATUS)).toBe(3);
    write(Reg.STATUS, 0x1234);
    client.reset();
    expect(read(Reg.STATUS)).toBe(3);
  });

  test('writes to what cannot be written are dropped and counted', () => {
    const device = createMockAccel();
    ({ client } = connectLoopback(device));
    write(Reg.STATUS, 2);
    expect(device.droppedWrites).toBe(0);
    write(Reg.DEVICE_ID, 2);
    write(0xff0, 2);
    expect(device.droppedWrites).toBe(2);
  });

  test('read-only registers stay as they are', () => {
    open();
    const before = client.regionRead(0, 0, 0x2c);
    client.regionWrite(0, 0, new Uint8Array(0x2c).fill(0xff));
    expect(client.regionRead(0, 0, 0x2c)).toEqual(before);
  });

  test('a function without SR-IOV or a virtual one has no VF registers', () => {
    open({ vf: true });
    write(Reg.SRIOV_NUM_VFS, 1);
    expect([read(Reg.SRIOV_TOTAL_VFS), read(Reg.SRIOV_NUM_VFS)]).toEqual([0, 0]);
  });
});

describe('passphrase', () => {
  test('the device makes one without any file', () => {
    open();
    expect(read(Reg.PASSPHRASE_STATUS)).toBe(PassphraseStatus.IDLE);
    write(Reg.PASSPHRASE_CMD, 1);
    expect([read(Reg.PASSPHRASE_STATUS), read(Reg.PASSPHRASE_COUNT)]).toEqual([PassphraseStatus.READY, 6]);
    expect(passphrase().split(' ')).toHaveLength(6);
    const first = passphrase();
    write(Reg.PASSPHRASE_CMD, 1);
    expect(passphrase()).not.toBe(first);
  });

  test.each([4, 12])('of %i words', (words) => {
    open();
    write(Reg.PASSPHRASE_LENGTH, words);
    write(Reg.PASSPHRASE_CMD, 1);
    expect(passphrase().split(' ')).toHaveLength(words);
    expect(read(Reg.PASSPHRASE_COUNT)).toBe(words);
  });

  test.each([0, 3, 13, 0xffffffff])('a length of %i is refused and the old one kept', (words) => {
    open();
    write(Reg.PASSPHRASE_LENGTH, 9);
    write(Reg.PASSPHRASE_LENGTH, words);
    expect(read(Reg.PASSPHRASE_LENGTH)).toBe(9);
  });

  test('other command bits do nothing', () => {
    open();
    write(Reg.PASSPHRASE_CMD, 0xfffffffe);
    expect(read(Reg.PASSPHRASE_STATUS)).toBe(PassphraseStatus.IDLE);
  });

  test('a reset forgets it', () => {
    open();
    write(Reg.PASSPHRASE_CMD, 1);
    client.reset();
    expect([read(Reg.PASSPHRASE_STATUS), read(Reg.PASSPHRASE_COUNT), passphrase()]).toEqual([0, 0, '']);
  });

  test('words come from a file when one is named, dice numbers are dropped', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'vfu-'));
    const file = path.join(directory, 'words');
    writeFileSync(file, '11111\talpha\n11112 beta\n\ngamma\n');
    expect(readWords(file)).toEqual(['alpha', 'beta', 'gamma']);
    open({ wordList: file });
    write(Reg.PASSPHRASE_CMD, 1);
    expect(passphrase()).toMatch(/^((alpha|beta|gamma) ?){6}$/);
    for (const [name, text] of [
      ['one word', 'alpha'],
      ['a long word', `alpha\n${'x'.repeat(21)}`],
      ['a control character', 'alpha\nbe\u0001ta'],
    ] as const) {
      writeFileSync(file, text);
      expect(
        codeOf(() => readWords(file)),
        name,
      ).toBe('INVALID_OPTION');
    }
    rmSync(directory, { recursive: true });
  });

  test('the built-in list has 256 different words, and all of them come up', () => {
    expect(new Set(builtInWords).size).toBe(256);
    expect(new Set(chooseWords(builtInWords, 10_000, randomBytes)).size).toBe(256);
  });
});

describe('interrupts', () => {
  let fds: number[];
  beforeEach(() => {
    fds = [0, 1, 2, 3].map(() => eventfd());
  });
  afterEach(() => {
    for (const fd of fds) closeSync(fd);
  });
  const enableMsix = () =>
    client.setIrqs({ index: PciIrq.MSIX, start: 0, count: 4, data: 'eventfd', action: 'trigger' }, fds);
  const fired = () => fds.map((fd) => Number(eventfdRead(fd)));

  test('each cause has its vector, if it is enabled', () => {
    open();
    enableMsix();
    write(Reg.IRQ_ENABLE, 0b1011);
    write(Reg.IRQ_RAISE, 0b1111);
    expect(fired()).toEqual([1, 1, 0, 1]);
    expect(read(Reg.IRQ_STATUS)).toBe(0b1111);
    write(Reg.IRQ_STATUS, 0b0101);
    expect(read(Reg.IRQ_STATUS)).toBe(0b1010);
  });

  test('a passphrase interrupts', () => {
    open();
    enableMsix();
    write(Reg.IRQ_ENABLE, IrqStatus.PASSPHRASE);
    write(Reg.PASSPHRASE_CMD, 1);
    expect(fired()).toEqual([1, 0, 0, 0]);
  });

  test('without MSI-X the line goes up and down', () => {
    open({ intx: true });
    client.setIrqs({ index: PciIrq.INTX, start: 0, count: 1, data: 'eventfd', action: 'trigger' }, [fds[0]!]);
    write(Reg.IRQ_ENABLE, 0xf);
    write(Reg.IRQ_RAISE, 1);
    expect(fired()).toEqual([1, 0, 0, 0]);
    write(Reg.IRQ_STATUS, 1);
    client.setIrqs({ index: PciIrq.INTX, start: 0, count: 1, data: 'none', action: 'unmask' });
    expect(fired()).toEqual([0, 0, 0, 0]);
  });

  test('bits that are no cause do nothing', () => {
    open();
    write(Reg.IRQ_ENABLE, 0xffffffff);
    write(Reg.IRQ_RAISE, 0xfffffff0);
    expect([read(Reg.IRQ_ENABLE), read(Reg.IRQ_STATUS)]).toEqual([0xf, 0]);
  });
});

describe('DMA', () => {
  const start = (direction: number, source: bigint, target: bigint, length: number) => {
    client.write64(0, Reg.DMA_SRC, source);
    client.write64(0, Reg.DMA_DST, target);
    write(Reg.DMA_LEN, length);
    write(Reg.DMA_CMD, DmaCmd.START | (direction << DmaCmd.DIRECTION_SHIFT));
    const status = read(Reg.DMA_STATUS);
    return { state: status & 0xff, error: status >>> DmaStatus.ERROR_SHIFT };
  };
  const done = { state: DmaStatus.STATE_DONE, error: 0 };
  const failed = (error: number) => ({ state: DmaStatus.STATE_ERROR, error });
  const busMaster = () => client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));

  test.each([true, false])('copies in, within and out; file sealed: %s', (seal) => {
    open();
    busMaster();
    const fd = memfdCreate('guest', { size: 1 << 21, seal });
    const guest = mmap(fd, 1 << 21);
    client.dmaMap({ flags: 3, offset: 0n, address: 0x100000n, size: 1n << 21n }, fd);
    guest.bytes.set([1, 2, 3, 4], 0x1000);
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0x101000n, 0n, 4)).toEqual(done);
    expect(start(DmaCmd.DIRECTION_IN_DEVICE, 0n, 1n << 33n, 4)).toEqual(done);
    expect(start(DmaCmd.DIRECTION_TO_GUEST, 1n << 33n, 0x102000n, 4)).toEqual(done);
    expect([...guest.bytes.subarray(0x2000, 0x2005)]).toEqual([1, 2, 3, 4, 0]);
    expect(start(DmaCmd.DIRECTION_TO_GUEST, 0n, 0x100000n, 1 << 20)).toEqual(done);
    guest.unmap();
    closeSync(fd);
  });

  test('works by messages when the guest shares no memory', () => {
    const memory = new FakeMemory(1 << 21);
    open({}, { memory });
    busMaster();
    client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 1n << 21n });
    memory.bytes.set([5, 6, 7], 0x10);
    client.write64(0, Reg.DMA_SRC, 0x10n);
    client.write64(0, Reg.DMA_DST, 0x20n);
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0x10n, 0x20n, 3)).toEqual(done);
    expect(start(DmaCmd.DIRECTION_TO_GUEST, 0x20n, 0x30n, 3)).toEqual(done);
    expect([...memory.bytes.subarray(0x30, 0x34)]).toEqual([5, 6, 7, 0]);
  });

  test('what cannot be done is an error code and an interrupt, never more', () => {
    open({ memorySize: '1M' });
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0n, 0n, 4)).toEqual(failed(DmaStatus.ERROR_BUS_MASTER));
    busMaster();
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0n, 0n, 0)).toEqual(failed(DmaStatus.ERROR_LENGTH));
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0n, 0n, (1 << 20) + 1)).toEqual(failed(DmaStatus.ERROR_LENGTH));
    expect(start(3, 0n, 0n, 4)).toEqual(failed(DmaStatus.ERROR_DIRECTION));
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0x1000n, 0n, 4)).toEqual(failed(DmaStatus.ERROR_GUEST_ADDRESS));
    expect(start(DmaCmd.DIRECTION_TO_DEVICE, 0n, (1n << 20n) - 3n, 4)).toEqual(failed(DmaStatus.ERROR_DEVICE_ADDRESS));
    expect(start(DmaCmd.DIRECTION_IN_DEVICE, (1n << 64n) - 4n, 0n, 4)).toEqual(failed(DmaStatus.ERROR_DEVICE_ADDRESS));
    expect(read(Reg.IRQ_STATUS)).toBe(IrqStatus.DMA_ERROR);
  });

  test('an engine that is switched off takes no command', () => {
    open({ dma: false });
    busMaster();
    expect(start(DmaCmd.DIRECTION_IN_DEVICE, 0n, 0n, 4)).toEqual({ state: DmaStatus.STATE_IDLE, error: 0 });
    expect(read(Reg.CAPABILITIES) & 2).toBe(0);
  });
});

describe('aperture', () => {
  test('mapped memory, messages and DMA see the same bytes', () => {
    open({ aperture: '1M' });
    client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
    expect(read(Reg.CAPABILITIES) & 8).toBe(8);
    const info = client.regionInfo(2);
    expect(info).toMatchObject({ size: 1n << 20n, areas: [{ offset: 0, size: 1 << 20 }] });
    const mapped = mmap(info.fd, 1 << 20);
    mapped.bytes.set([1, 2, 3], 0x100);
    expect([...client.regionRead(2, 0x100, 3)]).toEqual([1, 2, 3]);
    client.regionWrite(2, 0x200, Uint8Array.of(9));
    expect(mapped.bytes[0x200]).toBe(9);
    mapped.unmap();
    closeSync(info.fd);
  });

  test('memory that a reload makes larger is there, and mapped as before', () => {
    const device = createMockAccel({ memorySize: '1M', aperture: '1M' });
    ({ client } = connectLoopback(device));
    const copy = () => {
      client.write64(0, Reg.DMA_DST, BigInt(1 << 20));
      client.write32(0, Reg.DMA_LEN, 3);
      client.write32(0, Reg.DMA_CMD, DmaCmd.START | (DmaCmd.DIRECTION_IN_DEVICE << DmaCmd.DIRECTION_SHIFT));
      return read(Reg.DMA_STATUS) & 0xff;
    };
    client.regionWrite(2, 0, Uint8Array.of(7, 8, 9));
    expect(copy()).toBe(DmaStatus.STATE_ERROR);
    device.control('reload', { options: { memorySize: '2M', aperture: '1M' } });
    expect(copy()).toBe(DmaStatus.STATE_DONE);
    client.write64(0, Reg.DMA_SRC, BigInt(1 << 20));
    client.write64(0, Reg.DMA_DST, 100n);
    client.write32(0, Reg.DMA_CMD, DmaCmd.START | (DmaCmd.DIRECTION_IN_DEVICE << DmaCmd.DIRECTION_SHIFT));
    expect([...client.regionRead(2, 100, 3)]).toEqual([7, 8, 9]);
  });

  test.each([
    [false, [0, 0]],
    [true, [7, 8]],
  ])('the next client finds it empty; kept with keepState: %s', (keepState, expected) => {
    const device = createMockAccel({ aperture: '1M' });
    const first = connectLoopback(device, { server: { keepState } });
    first.client.regionWrite(2, 0, Uint8Array.of(7, 8));
    first.client.close();
    client = Client.open(new LoopbackChannel(first.server));
    expect([...client.regionRead(2, 0, 2)]).toEqual(expected);
    device.close();
  });
});

describe('SR-IOV', () => {
  test("QEMU's one large read shows no extended capability, a guest's small ones show them all", () => {
    open({ totalVfs: 4 });
    const large = client.regionRead(PciRegion.CONFIG, 0, 4096);
    expect(large.subarray(0x100).every((byte) => byte === 0)).toBe(true);
    expect(large[0]).toBe(0xe5);
    expect(client.read32(PciRegion.CONFIG, 0x100) & 0xffff).toBe(0x10);
    expect(client.read32(PciRegion.CONFIG, client.read32(PciRegion.CONFIG, 0x100) >>> 20) & 0xffff).toBe(3);
  });

  test('a virtual function is absent for a scan, and there for QEMU', () => {
    open({ vf: true });
    expect(client.read32(PciRegion.CONFIG, 0)).toBe(0xffffffff);
    expect([...client.regionRead(PciRegion.CONFIG, 2, 1)]).toEqual([0xff]);
    expect([...client.regionRead(PciRegion.CONFIG, 3, 4)].slice(1)).toEqual([
      ...client.regionRead(PciRegion.CONFIG, 4, 3),
    ]);
    expect([...client.regionRead(PciRegion.CONFIG, 0, 4096).subarray(0, 4)]).toEqual([0xe5, 0x1d, 2, 0]);
  });

  test('turning VFs on through the capability shows in the register and interrupts', () => {
    open({ totalVfs: 4 });
    client.regionWrite(PciRegion.CONFIG, 0x110, Uint8Array.of(3, 0));
    client.regionWrite(PciRegion.CONFIG, 0x108, Uint8Array.of(9, 0));
    expect([read(Reg.SRIOV_TOTAL_VFS), read(Reg.SRIOV_NUM_VFS), read(Reg.IRQ_STATUS)]).toEqual([
      4,
      3,
      IrqStatus.VF_CHANGE,
    ]);
    write(Reg.SRIOV_NUM_VFS, 5);
    expect(read(Reg.SRIOV_NUM_VFS)).toBe(3);
    write(Reg.SRIOV_NUM_VFS, 2);
    expect(read(Reg.SRIOV_NUM_VFS)).toBe(2);
  });

  test('a reset takes the VFs away without a word, and the next change is told as one', () => {
    open({ totalVfs: 4 });
    const numVfs = (count: number) => client.regionWrite(PciRegion.CONFIG, 0x110, Uint8Array.of(count, 0));
    const enable = (on: boolean) => client.regionWrite(PciRegion.CONFIG, 0x108, Uint8Array.of(on ? 9 : 0, 0));
    for (const reset of [() => client.reset(), functionLevelReset]) {
      numVfs(3);
      enable(true);
      reset();
      expect([read(Reg.SRIOV_NUM_VFS), read(Reg.IRQ_STATUS)]).toEqual([0, 0]);
      numVfs(3);
      expect([read(Reg.SRIOV_NUM_VFS), read(Reg.IRQ_STATUS)]).toEqual([0, 0]);
      enable(true);
      expect([read(Reg.SRIOV_NUM_VFS), read(Reg.IRQ_STATUS)]).toEqual([3, IrqStatus.VF_CHANGE]);
      enable(false);
      expect(read(Reg.SRIOV_NUM_VFS)).toBe(0);
      write(Reg.IRQ_STATUS, IrqStatus.VF_CHANGE);
    }
  });
});

function functionLevelReset(): void {
  const express = client.regionRead(PciRegion.CONFIG, 0, 256).indexOf(0x10, 0x40);
  client.regionWrite(PciRegion.CONFIG, express + 8, Uint8Array.of(0x10, 0xa8));
}
