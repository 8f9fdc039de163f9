#!/usr/bin/env node
import { readSync, writeSync } from 'node:fs';
import { run } from './program.ts';

const MAX_INPUT = 64 * 1024 * 1024;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());

process.exitCode = await run(
  process.argv.slice(2),
  { stdin: () => readDescriptor(0), out: (text) => write(1, text), err: (text) => write(2, text) },
  stop.signal,
);

/** Writes all of the text before it returns, so that nothing is lost at the end, whatever stdout is. */
function write(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A reader that has seen enough, such as head(1), is no error.
      if (code === 'EPIPE') process.exit(descriptor === 1 ? 0 : 1);
      if (code !== 'EAGAIN') throw error;
      waitMilliseconds(1);
    }
  }
}

/** All of stdin; the other end may have made it non-blocking. */
function readDescriptor(descriptor: number): Uint8Array {
  const chunks: Buffer[] = [];
  for (let size = 0; size <= MAX_INPUT; ) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    try {
      const count = readSync(descriptor, chunk);
      if (count === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, count));
      size += count;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      waitMilliseconds(1);
    }
  }
  throw new Error(`more than ${MAX_INPUT} bytes on stdin`);
}

function waitMilliseconds(duration: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration);
}
