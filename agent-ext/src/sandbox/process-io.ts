import type { Duplex } from 'node:stream';
import { setWinsize } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';
import { OutputReader } from './output-reader.ts';

/** The agent's ends of a process's pipes, or the master of its terminal. */
export interface ProcessStreams {
  readonly stdin: Duplex;
  readonly stdout: Duplex;
  /** Absent with a terminal: everything comes by stdout. */
  readonly stderr?: Duplex | undefined;
  /** Descriptor of the terminal's master. */
  readonly terminal?: number | undefined;
}

/** Standard input and output of one process, as the stream calls use them. */
export class ProcessIo {
  /** Resolves when every output was read to its end. */
  readonly drained: Promise<unknown>;
  /** Undefined once closed: a stream has buffers, and the record of an ended process may stay for long. */
  #open: { streams: ProcessStreams; stdout: OutputReader; stderr: OutputReader | undefined } | undefined;
  #stdinOpen = true;

  constructor(streams: ProcessStreams) {
    const stdout = new OutputReader(streams.stdout);
    const stderr = streams.stderr && new OutputReader(streams.stderr);
    this.#open = { streams, stdout, stderr };
    this.drained = Promise.all([stdout.ended, stderr?.ended]);
    streams.stdin.on('error', () => {
      this.#stdinOpen = false;
    });
  }

  async readStdout(most: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (!this.#open) throw new AgentError('END_OF_STREAM', 'read meet eof');
    return this.#open.stdout.read(most, signal);
  }

  async readStderr(most: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (!this.#open) throw new AgentError('END_OF_STREAM', 'read meet eof');
    const { stderr } = this.#open;
    if (!stderr) throw new AgentError('END_OF_STREAM', 'read meet eof: a process with a terminal has no stderr');
    return stderr.read(most, signal);
  }

  /** Resolves when the bytes are with the kernel, so a writer goes no faster than the process reads. */
  async write(data: Uint8Array): Promise<number> {
    const stdin = this.#open?.streams.stdin;
    if (!stdin || !this.#stdinOpen) throw stdinClosed();
    return new Promise((resolve, reject) => {
      stdin.write(data, (error) => (error ? reject(stdinClosed(error)) : resolve(data.length)));
    });
  }

  /** A terminal has no end of its own: the user's ^D travels as a byte. */
  closeStdin(): void {
    this.#stdinOpen = false;
    if (!this.#open) return;
    const { stdin, terminal } = this.#open.streams;
    if (terminal === undefined) stdin.end(() => stdin.destroy());
  }

  resize(rows: number, columns: number): void {
    // Who turns the window does not know that the process has just ended.
    if (!this.#open) return;
    const { terminal, stdout } = this.#open.streams;
    if (terminal === undefined)
      throw new AgentError('FAILED_PRECONDITION', 'cannot resize: the process has no terminal');
    if (!stdout.destroyed) setWinsize(terminal, rows, columns);
  }

  /** Closes every descriptor; pending reads end and pending writes fail. */
  close(): void {
    if (!this.#open) return;
    const { stdin, stdout, stderr } = this.#open.streams;
    this.#open = undefined;
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
  }
}

function stdinClosed(cause?: Error): AgentError {
  return new AgentError('FAILED_PRECONDITION', 'cannot write: the process has closed its stdin', { cause });
}
