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
  readonly #streams: ProcessStreams;
  readonly #stdout: OutputReader;
  readonly #stderr: OutputReader | undefined;
  #stdinOpen = true;

  constructor(streams: ProcessStreams) {
    this.#streams = streams;
    this.#stdout = new OutputReader(streams.stdout);
    this.#stderr = streams.stderr && new OutputReader(streams.stderr);
    streams.stdin.on('error', () => {
      this.#stdinOpen = false;
    });
  }

  readStdout(most: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#stdout.read(most, signal);
  }

  readStderr(most: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (!this.#stderr) throw new AgentError('END_OF_STREAM', 'read meet eof: a process with a terminal has no stderr');
    return this.#stderr.read(most, signal);
  }

  /** Resolves when the bytes are with the kernel, so a writer goes no faster than the process reads. */
  write(data: Uint8Array): Promise<number> {
    if (!this.#stdinOpen) throw new AgentError('FAILED_PRECONDITION', 'cannot write: the process has closed its stdin');
    return new Promise((resolve, reject) => {
      this.#streams.stdin.write(data, (error) => (error ? reject(error) : resolve(data.length)));
    });
  }

  /** A terminal has no end of its own: the user's ^D travels as a byte. */
  closeStdin(): void {
    this.#stdinOpen = false;
    if (this.#streams.terminal === undefined) this.#streams.stdin.end(() => this.#streams.stdin.destroy());
  }

  resize(rows: number, columns: number): void {
    const { terminal, stdout } = this.#streams;
    if (terminal === undefined)
      throw new AgentError('FAILED_PRECONDITION', 'cannot resize: the process has no terminal');
    if (!stdout.destroyed) setWinsize(terminal, rows, columns);
  }

  /** Closes every descriptor; pending reads end. */
  close(): void {
    for (const stream of [this.#streams.stdin, this.#streams.stdout, this.#streams.stderr]) stream?.destroy();
  }
}
