import { PassThrough, Readable, Writable } from 'node:stream';
import { Code, TtrpcError } from 'ttrpc-ts';
import { describe, expect, it } from 'vitest';
import { followProcess, isEndOfStream, type ProcessCalls } from './process-io.ts';

const eof = () => Promise.reject(new TtrpcError(Code.INTERNAL, 'read meet eof'));

/** A process whose output is a list of chunks. */
function fake(over: Partial<ProcessCalls> & { out?: string[]; err?: string[] } = {}): ProcessCalls & { log: string[] } {
  const { out = [], err = [] } = over;
  const log: string[] = [];
  const next = (list: string[]) => {
    const chunk = list.shift();
    return chunk === undefined ? eof() : Promise.resolve(Buffer.from(chunk));
  };
  return {
    log,
    readStdout: () => next(out),
    readStderr: () => next(err),
    writeStdin: async (data) => {
      log.push(`in ${Buffer.from(data)}`);
      return data.byteLength;
    },
    closeStdin: async () => void log.push('close'),
    wait: async () => {
      log.push('wait');
      return 7;
    },
    signal: async (signal) => void log.push(`signal ${signal}`),
    resize: async () => {},
    ...over,
  };
}

function sink() {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, chunks };
}

describe('followProcess', () => {
  it('asks for the exit status only after both streams have ended', async () => {
    const calls = fake({ out: ['a', 'b'], err: ['x'] });
    const [out, err] = [sink(), sink()];
    expect(await followProcess(calls, { stdout: out.stream, stderr: err.stream, terminal: false })).toBe(7);
    expect(out.chunks.join('')).toBe('ab');
    expect(err.chunks.join('')).toBe('x');
    expect(calls.log.at(-1)).toBe('wait');
  });

  it('reads no stderr with a terminal', async () => {
    const calls = fake({ out: ['a'], readStderr: () => Promise.reject(new Error('must not be called')) });
    expect(await followProcess(calls, { stdout: sink().stream, stderr: sink().stream, terminal: true })).toBe(7);
  });

  it('closes stdin at once when nothing is attached, else after its end', async () => {
    const bare = fake();
    await followProcess(bare, { stdout: sink().stream, stderr: sink().stream, terminal: false });
    expect(bare.log).toContain('close');
    let ended: () => void = () => {};
    const untilClosed = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const calls = fake({
      readStdout: () => untilClosed.then(eof),
      closeStdin: async () => {
        calls.log.push('close');
        ended();
      },
    });
    const stdin = Readable.from([Buffer.from('one'), Buffer.from('two')]);
    await followProcess(calls, { stdin, stdout: sink().stream, stderr: sink().stream, terminal: false });
    expect(calls.log.slice(0, 3)).toEqual(['in one', 'in two', 'close']);
  });

  it('sends the rest when the agent takes part of a chunk, in pieces of 32 KiB at most', async () => {
    const sizes: number[] = [];
    let finish: () => void = () => {};
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const calls = fake({
      writeStdin: async (data) => {
        sizes.push(data.byteLength);
        return Math.min(data.byteLength, 30_000);
      },
      closeStdin: async () => finish(),
      readStdout: () => done.then(eof),
    });
    const stdin = Readable.from([Buffer.alloc(70_000)]);
    await followProcess(calls, { stdin, stdout: sink().stream, stderr: sink().stream, terminal: false });
    expect(sizes).toEqual([32768, 32768, 10_000]);
  });

  it('ends although stdin stays open', async () => {
    const stdin = new PassThrough();
    expect(await followProcess(fake(), { stdin, stdout: sink().stream, stderr: sink().stream, terminal: false })).toBe(
      7,
    );
  });

  it('sends SIGPIPE when nobody reads the output any more, and drains the rest', async () => {
    const calls = fake({ out: ['a', 'b', 'c'] });
    const closed = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('gone'), { code: 'EPIPE' }));
      },
    });
    closed.on('error', () => {});
    expect(await followProcess(calls, { stdout: closed, stderr: sink().stream, terminal: false })).toBe(7);
    expect(calls.log).toContain('signal 13');
  });

  it('fails when the connection breaks in the middle', async () => {
    const calls = fake({ readStdout: () => Promise.reject(new TtrpcError(Code.UNAVAILABLE, 'connection closed')) });
    await expect(
      followProcess(calls, { stdout: sink().stream, stderr: sink().stream, terminal: false }),
    ).rejects.toThrow('connection closed');
  });
});

it('takes any status for the end of a stream but those of a broken connection', () => {
  expect(isEndOfStream(new TtrpcError(Code.INTERNAL, 'eof'))).toBe(true);
  expect(isEndOfStream(new TtrpcError(Code.UNAVAILABLE, 'gone'))).toBe(false);
  expect(isEndOfStream(new Error('eof'))).toBe(false);
});
