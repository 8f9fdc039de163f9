import { closeSync, openSync, writeSync } from 'node:fs';

const defaultLimit = 1024 * 1024;
const keptTail = 64 * 1024;

/**
 * A log file that what it records cannot make endless: a guest's console, QEMU's messages, a container's output. The
 * file takes the first `limit` bytes; the last 64 KiB are kept in memory for error messages.
 */
export class BoundedLog {
  readonly path: string;
  readonly #fd: number;
  #left: number;
  #tail = '';
  #open = true;

  constructor(path: string, limit = defaultLimit) {
    this.path = path;
    this.#left = limit;
    this.#fd = openSync(path, 'a', 0o600);
  }

  write(chunk: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(chunk).toString('latin1')).slice(-keptTail);
    if (!this.#open || this.#left === 0) return;
    const part = chunk.subarray(0, this.#left);
    writeSync(this.#fd, part);
    this.#left -= part.byteLength;
    if (this.#left === 0) writeSync(this.#fd, '\n[the rest is left out]\n');
  }

  /** The last lines, without blank ones. */
  tail(lines: number): string[] {
    const text = Buffer.from(this.#tail, 'latin1').toString('utf8');
    return text
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '')
      .slice(-lines);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }
}
