/** The driver's ioctls as bytes, from mock-accel-uapi.h (_IOC of asm-generic/ioctl.h). */
const ioc = (direction: number, number: number, size: number) =>
  direction * 2 ** 30 + size * 2 ** 16 + 'M'.charCodeAt(0) * 2 ** 8 + number;
const READ = 2;
const WRITE = 1;

export const STATUS = ioc(READ, 1, 4);
export const PASSPHRASE = ioc(READ | WRITE, 2, 257);
export const SET_STATUS = ioc(WRITE, 3, 4);
export const DMA_TEST = ioc(READ | WRITE, 4, 48);

export function u32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('base64');
}

export const readU32 = (base64: string): number => Buffer.from(base64, 'base64').readUInt32LE();

/** struct mock_accel_passphrase. */
export function passphraseRequest(words: number): string {
  const bytes = Buffer.alloc(257);
  bytes[0] = words;
  return bytes.toString('base64');
}

export function readPassphrase(base64: string): { words: number; text: string } {
  const bytes = Buffer.from(base64, 'base64');
  return { words: bytes[0]!, text: bytes.toString('latin1', 1, bytes.indexOf(0, 1)) };
}

/** struct mock_accel_dma_test. */
export function dmaRequest(length: number, deviceOffset = 0, reserved = 0): string {
  const bytes = Buffer.alloc(48);
  bytes.writeUInt32LE(length, 0);
  bytes.writeBigUInt64LE(BigInt(deviceOffset), 8);
  bytes.writeBigUInt64LE(BigInt(reserved), 40);
  return bytes.toString('base64');
}

export function readDma(base64: string) {
  const bytes = Buffer.from(base64, 'base64');
  return {
    error: bytes.readUInt32LE(4),
    toDeviceNs: bytes.readBigUInt64LE(16),
    toGuestNs: bytes.readBigUInt64LE(24),
    mismatch: bytes.readUInt32LE(32),
    interrupts: bytes.readUInt32LE(36),
  };
}
