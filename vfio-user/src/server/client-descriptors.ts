import { Errno, protocolError } from '../protocol/index.ts';

/** Numbers above it are not kept track of: Linux gives out none by default (fs.nr_open). */
const MAX_DESCRIPTORS = 1 << 20;

/** What {@link ClientDescriptors} keeps its list in, for a process that may have `limit` descriptors open. */
export function descriptorList(limit: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.ceil(Math.min(limit, MAX_DESCRIPTORS) / 32) * 4);
}

/**
 * The descriptors that a client left with a function: files behind guest memory, eventfds, its sockets. Their number is
 * bounded, since those of a process are, and other functions need some too. They are listed in memory that other threads
 * see, as one bit each, so that someone can close them when the function's thread was ended from outside.
 */
export class ClientDescriptors {
  readonly limit: number;
  readonly #bits: Int32Array;
  #count = 0;

  constructor(limit = Number.POSITIVE_INFINITY, list: SharedArrayBuffer = new SharedArrayBuffer(0)) {
    this.limit = limit;
    this.#bits = new Int32Array(list);
  }

  get count(): number {
    return this.#count;
  }

  /** Throws ENOSPC unless `more` descriptors may stay. */
  require(more: number): void {
    if (this.#count + more > this.limit)
      throw protocolError(
        `the client may leave ${this.limit} descriptors here, and has left ${this.#count}; a higher limit of open files (ulimit -n) gives it more`,
        Errno.ENOSPC,
      );
  }

  /** A descriptor stays from now on. */
  add(fd: number): void {
    this.#count++;
    const word = fd >>> 5;
    if (word < this.#bits.length) Atomics.or(this.#bits, word, 1 << (fd & 31));
  }

  /** Before a descriptor is closed: its number may be another's right after. */
  remove(fd: number): void {
    this.#count--;
    const word = fd >>> 5;
    if (word < this.#bits.length) Atomics.and(this.#bits, word, ~(1 << (fd & 31)));
  }

  /** Those still listed. They are not any more afterwards. */
  takeAll(): number[] {
    const fds: number[] = [];
    for (let word = 0; word < this.#bits.length; word++) {
      const bits = Atomics.exchange(this.#bits, word, 0);
      for (let bit = 0; bits !== 0 && bit < 32; bit++) if ((bits & (1 << bit)) !== 0) fds.push(word * 32 + bit);
    }
    this.#count = 0;
    return fds;
  }
}
