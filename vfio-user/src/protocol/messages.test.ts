import { describe, expect, test } from 'vitest';
import {
  Command,
  encodeDeviceInfo,
  encodeDmaMap,
  encodeMessage,
  encodeRegionAccess,
  encodeRegionInfo,
  encodeSetIrqs,
  HeaderFlag,
  PciIrq,
} from './index.ts';

const hex = (text: string) => text.replaceAll(' ', '');
const bytes = (id: number, command: number, flags: number, payload: Uint8Array, errno = 0) =>
  Buffer.from(encodeMessage({ id, command, flags, errno }, payload)).toString('hex');

// Bytes seen on the wire between QEMU and another server.
const table: [string, string, string][] = [
  [
    'a DEVICE_GET_INFO request',
    bytes(3, Command.DEVICE_GET_INFO, 0, encodeDeviceInfo({ flags: 0, regions: 0, irqs: 0 })),
    '0300 0400 20000000 00000000 00000000 10000000 00000000 00000000 00000000',
  ],
  [
    'its reply',
    bytes(3, Command.DEVICE_GET_INFO, HeaderFlag.TYPE_REPLY, encodeDeviceInfo({ flags: 3, regions: 9, irqs: 5 })),
    '0300 0400 20000000 01000000 00000000 10000000 03000000 09000000 05000000',
  ],
  [
    'an error reply',
    bytes(5, Command.DEVICE_SET_IRQS, HeaderFlag.TYPE_REPLY | HeaderFlag.ERROR, new Uint8Array(0), 22),
    '0500 0800 10000000 21000000 16000000',
  ],
  [
    'a configuration read',
    bytes(0x1a, Command.REGION_READ, 0, encodeRegionAccess({ offset: 0x3d, region: 7, count: 1 })),
    '1a00 0900 20000000 00000000 00000000 3d00000000000000 07000000 01000000',
  ],
  [
    'a posted register write',
    bytes(
      0x112,
      Command.REGION_WRITE,
      HeaderFlag.NO_REPLY,
      encodeRegionAccess({ offset: 0x14, region: 0, count: 4 }, Uint8Array.of(1, 2, 3, 4)),
    ),
    '1201 0a00 24000000 10000000 00000000 1400000000000000 00000000 04000000 01020304',
  ],
  [
    'an eventfd for MSI-X vector 0',
    bytes(
      0x549,
      Command.DEVICE_SET_IRQS,
      0,
      encodeSetIrqs({ index: PciIrq.MSIX, start: 0, count: 1, data: 'eventfd', action: 'trigger' }),
    ),
    '4905 0800 24000000 00000000 00000000 14000000 24000000 02000000 00000000 01000000',
  ],
  [
    'guest memory of 512 MiB',
    bytes(1, Command.DMA_MAP, 0, encodeDmaMap({ flags: 3, offset: 0n, address: 0n, size: 512n << 20n })),
    '0100 0200 30000000 00000000 00000000 20000000 03000000 0000000000000000 0000000000000000 0000002000000000',
  ],
  ['a reset', bytes(0x1f, Command.DEVICE_RESET, 0, new Uint8Array(0)), '1f00 0d00 10000000 00000000 00000000'],
];

describe('messages have the bytes other implementations send', () => {
  test.each(table)('%s', (_, actual, expected) => {
    expect(actual).toBe(hex(expected));
  });
});

describe('a region with two mappable areas', () => {
  const info = {
    flags: 7,
    index: 1,
    size: 0x10000n,
    offset: 0x8000n,
    areas: [
      { offset: 0x1000, size: 0x1000 },
      { offset: 0x4000, size: 0x2000 },
    ],
  };

  test('names the room it needs when the request has too little, without the capability', () => {
    const reply = new DataView(encodeRegionInfo(info, 32).buffer);
    expect([reply.byteLength, reply.getUint32(0, true), reply.getUint32(4, true), reply.getUint32(12, true)]).toEqual([
      32, 80, 7, 0,
    ]);
  });

  test('has the capability at 32 when there is room', () => {
    const reply = new DataView(encodeRegionInfo(info, 80).buffer);
    expect([reply.byteLength, reply.getUint32(0, true), reply.getUint32(4, true), reply.getUint32(12, true)]).toEqual([
      80, 80, 15, 32,
    ]);
    expect([reply.getUint16(32, true), reply.getUint16(34, true), reply.getUint32(40, true)]).toEqual([1, 1, 2]);
    expect(reply.getBigUint64(64, true)).toBe(0x4000n);
  });
});
