import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { OutputReader } from './output-reader.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('reading output', () => {
  test('gives at most the asked size and keeps the rest', async () => {
    const stream = new PassThrough();
    const reader = new OutputReader(stream);
    stream.write('abcdef');
    expect(text(await reader.read(4))).toBe('abcd');
    expect(text(await reader.read(4))).toBe('ef');
  });

  test('waits for data', async () => {
    const stream = new PassThrough();
    const reading = new OutputReader(stream).read(10);
    stream.write('late');
    expect(text(await reading)).toBe('late');
  });

  test('keeps the order of reads that overlap', async () => {
    const stream = new PassThrough();
    const reader = new OutputReader(stream);
    const reads = [reader.read(2), reader.read(2), reader.read(2)];
    stream.end('abcdef');
    expect((await Promise.all(reads)).map(text)).toEqual(['ab', 'cd', 'ef']);
  });

  test('is an error at the end, however often one asks', async () => {
    const stream = new PassThrough();
    const reader = new OutputReader(stream);
    stream.end('x');
    await reader.read(10);
    for (let count = 0; count < 2; count++)
      await expect(reader.read(10)).rejects.toMatchObject({ code: 'END_OF_STREAM' });
  });

  test('ends when the stream is destroyed while somebody waits', async () => {
    const stream = new PassThrough();
    const reading = new OutputReader(stream).read(10);
    stream.destroy(new Error('gone'));
    await expect(reading).rejects.toMatchObject({ code: 'END_OF_STREAM' });
  });

  test('ends for a caller that has left, without losing data for the next', async () => {
    const stream = new PassThrough();
    const reader = new OutputReader(stream);
    const caller = new AbortController();
    const abandoned = reader.read(10, caller.signal);
    caller.abort(new Error('left'));
    await expect(abandoned).rejects.toThrow('left');
    stream.write('data');
    expect(text(await reader.read(10))).toBe('data');
  });

  test('stops fetching when nobody reads, so a full pipe stops the process', async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    const reader = new OutputReader(stream);
    stream.write('0123456789');
    expect(stream.write('more')).toBe(false);
    expect(text(await reader.read(100))).toContain('0123456789');
  });
});
