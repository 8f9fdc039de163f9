import { AgentError } from '../errors.ts';
import type { ContainerProcess } from './container-process.ts';

/**
 * Execs of one container that have ended may keep their descriptors until their output is read. Of more than this, the
 * oldest lose it: some callers never read, or never ask for the status.
 */
const MOST_UNREAD = 128;
/** So many ended execs are remembered by their status alone, for callers that ask late or again. */
const MOST_REMEMBERED = 256;

/**
 * The processes that were exec'ed into one container. One is finished, and its descriptors are closed, when its status
 * was told and its output read to the end. Its id may then be taken again.
 */
export class Execs {
  readonly #live = new Map<string, ContainerProcess>();
  /** Ids of execs that are being made. */
  readonly #reserved = new Set<string>();
  /** Ended and not finished, in the order of their ends. */
  readonly #unread = new Set<ContainerProcess>();
  /** Finished, oldest first; their descriptors are closed. */
  readonly #finished = new Map<string, ContainerProcess>();

  get(id: string): ContainerProcess | undefined {
    return this.#live.get(id) ?? this.#finished.get(id);
  }

  /** Takes an id for an exec that is being made; `release` it afterwards. */
  reserve(id: string): void {
    const known = this.#live.get(id);
    // Whose end was told is gone for its caller, who need not have read what it said.
    const isGone = known === undefined || (known.status !== undefined && known.isTold);
    if (this.#reserved.has(id) || !isGone) throw new AgentError('ALREADY_EXISTS', `exec ${id} exists already`);
    this.#reserved.add(id);
  }

  release(id: string): void {
    this.#reserved.delete(id);
  }

  add(process: ContainerProcess): void {
    const former = this.#live.get(process.id);
    if (former) this.#finish(former);
    this.#finished.delete(process.id);
    this.#live.set(process.id, process);
    process.finished().then(() => this.#finish(process));
    process.wait().then(() => this.#ended(process));
  }

  /** Closes all descriptors; for the end of the container. Who waits for a status may still ask. */
  close(): void {
    for (const process of this.#live.values()) {
      process.io.close();
      this.#finished.set(process.id, process);
    }
    this.#live.clear();
    this.#unread.clear();
  }

  #ended(process: ContainerProcess): void {
    if (this.#live.get(process.id) !== process) return;
    this.#unread.add(process);
    const [oldest] = this.#unread;
    if (this.#unread.size > MOST_UNREAD && oldest) this.#finish(oldest);
  }

  #finish(process: ContainerProcess): void {
    if (this.#live.get(process.id) !== process) return;
    process.io.close();
    this.#live.delete(process.id);
    this.#unread.delete(process);
    this.#finished.set(process.id, process);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > MOST_REMEMBERED && oldest !== undefined) this.#finished.delete(oldest);
  }
}
