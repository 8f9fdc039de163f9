import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VfioUserError } from '../errors.ts';
import * as protocol from './index.ts';
import { payloadOf } from './index.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('a DMA map survives encoding', () => {
  fc.assert(
    fc.property(fc.record({ flags: u32, offset: u64, address: u64, size: u64 }), (map) => {
      expect(protocol.decodeDmaMap(payloadOf(protocol.encodeDmaMap(map)))).toEqual(map);
    }),
  );
});

test('SET_IRQS survives encoding', () => {
  const set = fc
    .record({
      index: u32,
      start: u32,
      data: fc.constantFrom('none' as const, 'bool' as const, 'eventfd' as const),
      action: fc.constantFrom('mask' as const, 'unmask' as const, 'trigger' as const),
      bools: fc.array(fc.boolean(), { maxLength: 64 }),
    })
    .map(({ bools, ...rest }) =>
      rest.data === 'bool' ? { ...rest, count: bools.length, bools } : { ...rest, count: bools.length },
    );
  fc.assert(
    fc.property(set, (value) => {
      expect(protocol.decodeSetIrqs(payloadOf(protocol.encodeSetIrqs(value)))).toEqual(value);
    }),
  );
});

test('region descriptions survive encoding', () => {
  const area = fc.record({ offset, size: offset });
  const info = fc.record({
    index: u32,
    size: u64,
    offset: u64,
    areas: fc.array(area, { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(info, (value) => {
      const decoded = protocol.decodeRegionInfo(payloadOf(protocol.encodeRegionInfo({ ...value, flags: 7 }, 4096)));
      expect(decoded).toEqual({ ...value, flags: 15, argsz: 48 + 16 * value.areas.length });
    }),
  );
});

test('I/O descriptors survive encoding', () => {
  const entry = fc.record({
    offset: u64,
    size: u64,
    type: fc.constant(2),
    flags: u32,
    fdIndex: u32,
    shadowFdIndex: u32,
    shadowOffset: u64,
    datamatch: u64,
  });
  fc.assert(
    fc.property(u32, fc.array(entry, { minLength: 1, maxLength: 10 }), (index, entries) => {
      const decoded = protocol.decodeIoFds(payloadOf(protocol.encodeIoFds(index, entries, 4096)));
      expect(decoded).toEqual({ index, argsz: 16 + 48 * entries.length, count: entries.length, entries });
    }),
  );
});

test.each(['spec', 'qemu'] as const)('DMA accesses survive encoding in the %s layout', (layout) => {
  fc.assert(
    fc.property(u64, fc.uint8Array({ maxLength: 200 }), (address, data) => {
      const payload = payloadOf(protocol.encodeDmaWrite(address, data, layout));
      expect(protocol.decodeDmaAccess(payload, layout)).toEqual({ address, count: data.length });
      expect(protocol.dmaData(payload, layout)).toEqual(data);
    }),
  );
});

test('in QEMU layout the data starts at 12 and the message is padded to a prefix of 16', () => {
  const message = protocol.encodeDmaWrite(0x1000n, Uint8Array.of(1, 2, 3), 'qemu');
  expect(Buffer.from(message).toString('hex')).toBe(`0010000000000000${'03000000'}${'010203'}${'00000000'}`);
});

const decoders: [string, (payload: protocol.Payload) => unknown][] = [
  ['VERSION', protocol.decodeVersion],
  ['DMA_MAP', protocol.decodeDmaMap],
  ['DMA_UNMAP', protocol.decodeDmaUnmap],
  ['DEVICE_GET_INFO', protocol.decodeDeviceInfo],
  ['region info request', protocol.decodeRegionInfoRequest],
  ['region info', protocol.decodeRegionInfo],
  ['io fds request', protocol.decodeIoFdsRequest],
  ['io fds', protocol.decodeIoFds],
  ['irq info', protocol.decodeIrqInfo],
  ['SET_IRQS', protocol.decodeSetIrqs],
  ['region access', protocol.decodeRegionAccess],
  ['WRITE_MULTI', protocol.checkWriteMulti],
  ['DEVICE_FEATURE', protocol.decodeFeature],
  ['logging start', protocol.decodeLoggingStart],
  ['logging report', protocol.decodeLoggingReport],
  ['MIG_DATA_WRITE', (payload) => protocol.decodeMigData(payload, 'MIG_DATA_WRITE')],
  ['DMA data', (payload) => protocol.dmaData(payload, 'spec')],
  ['DMA data of QEMU', (payload) => protocol.dmaData(payload, 'qemu')],
];

test.each(decoders)('%s: any bytes decode or are refused with EINVAL', (_, decode) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      try {
        decode(payloadOf(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(VfioUserError);
        expect((error as VfioUserError).errno).toBe(protocol.Errno.EINVAL);
      }
    }),
  );
});
