import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { FdDuplex } from './fd-duplex.ts';
import { socketpair } from './socket.ts';
import { openDescriptors } from './testing.ts';
import { openPty } from './tty.ts';

const streams: FdDuplex[] = [];
const stream = (fd: number, options = {}) => {
  const made = new FdDuplex(fd, options);
  streams.push(made);
  return made;
};
const digest = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
/** Everything up to the end, without destroying the stream then, as an async iterator does. */
const collect = async (from: FdDuplex) => {
  const chunks: Buffer[] = [];
  from.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(from, 'end');
  return Buffer.concat(chunks);
};

afterEach(async () => {
  await Promise.all(
    streams.splice(0).map(async (each) => {
      if (each.closed) return;
      each.destroy();
      await once(each, 'close');
    }),
  );
});

describe('FdDuplex', () => {
  it('carries megabytes both ways at once, unchanged', async () => {
    const [a, b] = socketpair().map((fd) => stream(fd)) as [FdDuplex, FdDuplex];
    const [one, two] = [randomBytes(5_000_000), randomBytes(3_000_000)];
    a.end(one);
    b.end(two);
    const [atA, atB] = await Promise.all([collect(a), collect(b)]);
    expect([digest(atB), digest(atA)]).toEqual([digest(one), digest(two)]);
  });

  it('echoes through a pipeline', async () => {
    const [a, b] = socketpair().map((fd) => stream(fd)) as [FdDuplex, FdDuplex];
    const echoing = pipeline(b, b);
    const sent = randomBytes(1_000_000);
    a.end(sent);
    expect(digest(await collect(a))).toBe(digest(sent));
    await echoing;
  });

  it('holds the writer back when nobody reads', async () => {
    const [a, b] = socketpair().map((fd) => stream(fd)) as [FdDuplex, FdDuplex];
    let accepted = 0;
    while (accepted < 64 && a.write(Buffer.alloc(64 * 1024))) accepted++;
    expect(accepted).toBeLessThan(64);
    const drained = once(a, 'drain');
    b.resume();
    await drained;
  });

  it('reads no further than its reader', async () => {
    const [a, b] = socketpair();
    const reader = stream(b, { highWaterMark: 1024 });
    const writer = stream(a);
    writer.end(Buffer.alloc(1_000_000));
    await once(reader, 'readable');
    await new Promise(setImmediate);
    expect(reader.readableLength).toBeLessThanOrEqual(1024 + 64 * 1024);
    expect((await buffer(reader)).byteLength).toBe(1_000_000);
  });

  it('runs promises and ticks of a data listener before the next chunk comes', async () => {
    const [a, b] = socketpair();
    const reader = stream(b);
    const order: string[] = [];
    const second = new Promise<void>((resolve) => {
      reader.on('data', (chunk: Buffer) => {
        order.push(`data ${chunk}`);
        process.nextTick(() => order.push(`tick ${chunk}`));
        Promise.resolve().then(() => {
          order.push(`promise ${chunk}`);
          if (chunk.toString() === '1') writeSync(a, '2');
          else resolve();
        });
      });
    });
    writeSync(a, '1');
    await second;
    closeSync(a);
    expect(order).toEqual(['data 1', 'tick 1', 'promise 1', 'data 2', 'tick 2', 'promise 2']);
  });

  it('ends when the other end is closed and reports a write to it', async () => {
    const [a, b] = socketpair();
    const one = stream(a);
    closeSync(b);
    one.resume();
    await once(one, 'end');
    const failed = once(one, 'error');
    one.write('x');
    expect((await failed)[0]).toMatchObject({ code: 'EPIPE' });
  });

  it('closes its descriptor at destroy, also in the middle of reading and writing', async () => {
    const before = openDescriptors();
    for (let round = 0; round < 20; round++) {
      const [a, b] = socketpair();
      const one = new FdDuplex(a);
      one.on('error', () => {});
      one.resume();
      one.write(Buffer.alloc(1_000_000));
      one.destroy();
      await once(one, 'close');
      closeSync(b);
    }
    expect(openDescriptors()).toEqual(before);
  });

  it('answers every write at destroy, also the one under way', async () => {
    const [a, b] = socketpair();
    const one = new FdDuplex(a);
    const answers: (string | undefined)[] = [];
    const answer = (error?: (Error & { code?: string }) | null) => void answers.push(error?.code);
    one.write(Buffer.alloc(1_000_000), answer);
    one.write('waits', answer);
    one.destroy();
    await once(one, 'close');
    expect(answers).toEqual(['ERR_STREAM_DESTROYED', 'ERR_STREAM_DESTROYED']);
    closeSync(b);
  });

  it('leaves a borrowed descriptor open', async () => {
    const [a, b] = socketpair();
    const borrowed = new FdDuplex(a, { keepOpen: true });
    borrowed.destroy();
    await once(borrowed, 'close');
    writeSync(a, 'still open');
    closeSync(a);
    closeSync(b);
  });

  it('serves a terminal and takes the end of its last user as the end of the stream', async () => {
    const { master, slavePath } = openPty();
    const terminal = stream(master);
    const slave = openSync(slavePath, 'r+');
    terminal.write('typed\r');
    const line = Buffer.alloc(16);
    expect(line.toString('utf8', 0, readSync(slave, line))).toBe('typed\n');
    writeSync(slave, 'shown');
    closeSync(slave);
    expect((await buffer(terminal)).toString()).toContain('shown');
  });

  it('refuses a descriptor that cannot be polled', () => {
    const file = openSync(import.meta.filename, 'r');
    expect(() => new FdDuplex(file)).toThrow(/epoll_ctl\(.*\) failed: EPERM/);
    expect(() => new FdDuplex(-1)).toThrow();
    closeSync(file);
  });
});
