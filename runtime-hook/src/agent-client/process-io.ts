/**
 * Streams of one process in the guest, as the shim moves them: output is read until the agent answers with an
 * error (its end-of-file), and only then the exit status is asked for.
 */
import type { Readable, Writable } from 'node:stream';
import { Code, TtrpcError } from 'ttrpc-ts';

/** One process of a container; the calls of the agent with its ids filled in. */
export interface ProcessCalls {
  readStdout(): Promise<Uint8Array>;
  readStderr(): Promise<Uint8Array>;
  /** Answers how many bytes were taken. */
  writeStdin(data: Uint8Array): Promise<number>;
  closeStdin(): Promise<void>;
  /** Exit code, 128+n for signal n. Answers once the process has ended. */
  wait(): Promise<number>;
  signal(signal: number): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
}

export interface ProcessStreams {
  /** Absent: the process sees end-of-file at once. */
  stdin?: Readable;
  stdout: Writable;
  stderr: Writable;
  /** With a terminal everything comes on stdout. */
  terminal: boolean;
}

const sigpipe = 13;
/** The agent takes one message of at most 4 MiB; Kata's shim sends 32 KiB at a time. */
const chunkBytes = 32 * 1024;

/** Moves the streams until the process has ended; answers its exit code. */
export async function followProcess(calls: ProcessCalls, streams: ProcessStreams): Promise<number> {
  const stopInput = new AbortController();
  // Input is never waited for: a process may end while its stdin stays open.
  const input = copyInput(calls, streams.stdin, stopInput.signal);
  input.catch(() => {});
  try {
    const outputs = [copyOutput(() => calls.readStdout(), streams.stdout, calls)];
    if (!streams.terminal) outputs.push(copyOutput(() => calls.readStderr(), streams.stderr, calls));
    await Promise.all(outputs);
    return await calls.wait();
  } finally {
    stopInput.abort();
  }
}

async function copyOutput(read: () => Promise<Uint8Array>, sink: Writable, calls: ProcessCalls): Promise<void> {
  for (;;) {
    let data: Uint8Array;
    try {
      data = await read();
    } catch (error) {
      if (isEndOfStream(error)) return;
      throw error;
    }
    if (!(await write(sink, data))) {
      // Nobody reads us any more (`… | head -1`): the process learns it as it would on the host.
      await calls.signal(sigpipe).catch(() => {});
      await drain(read);
      return;
    }
  }
}

const brokenConnection: number[] = [Code.UNAVAILABLE, Code.CANCELED, Code.DEADLINE_EXCEEDED];

async function drain(read: () => Promise<Uint8Array>): Promise<void> {
  for (;;) {
    try {
      await read();
    } catch (error) {
      if (isEndOfStream(error)) return;
      throw error;
    }
  }
}

/**
 * The agent ends a stream with an error ("read meet eof", INTERNAL, in Kata's). Any other answer with a status is
 * the end too, the shim makes no difference; only a broken connection is not.
 */
export function isEndOfStream(error: unknown): boolean {
  return error instanceof TtrpcError && !brokenConnection.includes(error.code);
}

/** False when the reader of `sink` has gone. */
function write(sink: Writable, data: Uint8Array): Promise<boolean> {
  if (data.byteLength === 0) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    sink.write(data, (error) => {
      if (!error) resolve(true);
      else if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) resolve(false);
      else reject(error);
    });
  });
}

async function copyInput(calls: ProcessCalls, stdin: Readable | undefined, stop: AbortSignal): Promise<void> {
  if (stdin) {
    const stopped = () => stdin.destroy();
    stop.addEventListener('abort', stopped, { once: true });
    try {
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        if (stop.aborted) return;
        for (let at = 0; at < chunk.length; ) {
          const taken = await calls.writeStdin(chunk.subarray(at, at + chunkBytes));
          if (taken === 0) return; // the process has closed its end
          at += taken;
        }
      }
    } catch (error) {
      if (stop.aborted) return;
      throw error;
    } finally {
      stop.removeEventListener('abort', stopped);
    }
  }
  await calls.closeStdin();
}
