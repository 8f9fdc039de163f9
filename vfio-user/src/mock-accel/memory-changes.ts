import { hash } from 'node:crypto';
import type { MemoryChanges } from '../server/device.ts';
import { PIECE_BYTES } from '../server/migration-stream.ts';
import type { DeviceMemory } from './device-memory.ts';

/** Pieces looked at before a client that waits gets its answer: 16 MiB, some 30 ms. */
const PIECES_A_TURN = 256;

/**
 * Which pieces of device memory differ from what was last given. A VMM that maps the aperture writes unseen, so every
 * piece that holds data is compared by its hash; holes cost nothing.
 */
export class DeviceMemoryChanges implements MemoryChanges {
  readonly #memory: DeviceMemory;
  readonly #hashes = new Map<number, string>();
  /** Pieces still to look at in this round; undefined before one begins. */
  #round: Iterator<number> | undefined;

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  restart(): void {
    this.#round = undefined;
  }

  next(): ReturnType<MemoryChanges['next']> {
    this.#round ??= this.#pieces();
    for (let looked = 0; looked < PIECES_A_TURN; looked++) {
      const { value: piece, done } = this.#round.next();
      if (done) {
        this.#round = undefined;
        return undefined;
      }
      const offset = BigInt(piece) * BigInt(PIECE_BYTES);
      const rest = this.#memory.size - offset;
      const data = new Uint8Array(rest < BigInt(PIECE_BYTES) ? Number(rest) : PIECE_BYTES);
      this.#memory.read(offset, data);
      const now = hash('sha256', data, 'base64');
      if (this.#hashes.get(piece) === now) continue;
      this.#hashes.set(piece, now);
      return { offset, data };
    }
    return 'later';
  }

  /** Those that hold data, and those given before, in which a VMM may have made a hole since. */
  *#pieces(): Generator<number> {
    const given = [...this.#hashes.keys()].sort((a, b) => a - b);
    let next = 0;
    let last = -1;
    for (const { start, end } of this.#memory.extents())
      for (let piece = Math.max(Math.floor(start / PIECE_BYTES), last + 1); piece * PIECE_BYTES < end; piece++) {
        for (; next < given.length && given[next]! <= piece; next++) if (given[next]! < piece) yield given[next]!;
        last = piece;
        yield piece;
      }
    yield* given.slice(next);
  }
}
