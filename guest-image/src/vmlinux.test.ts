import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zstdPayload } from './vmlinux.ts';

const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** A bzImage of one setup sector whose payload starts 16 bytes into the second part. */
function bzImage(payload: number[], change: (image: Buffer) => void = () => {}): Buffer {
  const image = Buffer.alloc(1024 + 16 + payload.length);
  image[0x1f1] = 1;
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt32LE(16, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  Buffer.from(payload).copy(image, 1024 + 16);
  change(image);
  return image;
}

describe('zstdPayload', () => {
  it('finds the stream and the length behind it', () => {
    const { stream, length } = zstdPayload(bzImage([...ZSTD, 1, 2, 3, 0x78, 0x56, 0x34, 0x12]));
    expect([...stream]).toEqual([...ZSTD, 1, 2, 3]);
    expect(length).toBe(0x12345678);
  });

  it.each([
    ['an empty file', Buffer.alloc(0), /HdrS/],
    ['an ELF file', Buffer.from(`\x7fELF${'\0'.repeat(2000)}`, 'latin1'), /HdrS/],
    [
      'a payload behind the end',
      bzImage([...ZSTD, 0, 0, 0, 0], (image) => image.writeUInt32LE(99_999, 0x24c)),
      /places its payload/,
    ],
    ['a payload of nothing', bzImage([...ZSTD], (image) => image.writeUInt32LE(4, 0x24c)), /places its payload/],
    ['a kernel compressed with gzip', bzImage([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /not compressed with zstd/],
  ])('refuses %s', (_what, image, reason) => {
    expect(() => zstdPayload(image)).toThrow(reason);
  });

  it('throws nothing but its own error on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0x260, maxLength: 2048 }), (bytes) => {
        const image = Buffer.from(bytes);
        image.write('HdrS', 0x202, 'latin1');
        try {
          zstdPayload(image);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_KERNEL' });
        }
      }),
    );
  });
});
