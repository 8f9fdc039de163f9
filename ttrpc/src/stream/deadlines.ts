/** Longest time one timer of Node can run, in ms. */
const MAX_TIMER = 2 ** 31 - 1;

/** Deadlines this far off or farther, in ms, share buckets of COARSE ms; nearer ones of 1 ms. */
const FAR = 1000;
const COARSE = 16;

/** A deadline that runs. Part of a ring, so that it is stopped without a search. */
export class Deadline {
  next: Deadline = this;
  previous: Deadline = this;
  readonly expired: (() => void) | undefined;
  readonly #owner: Deadlines;
  readonly tick: number;

  constructor(owner: Deadlines, tick: number, expired: (() => void) | undefined) {
    this.#owner = owner;
    this.tick = tick;
    this.expired = expired;
  }

  /** Makes sure that it does not expire. May be called again, and after it has. */
  stop(): void {
    if (this.next === this) return;
    this.unlink();
    this.#owner.stopped(this.tick);
  }

  unlink(): void {
    this.next.previous = this.previous;
    this.previous.next = this.next;
    this.next = this;
    this.previous = this;
  }
}

/**
 * Deadlines of many calls on one timer. Most calls end long before their deadline, so starting and stopping one must
 * cost next to nothing: both are a few pointers. None expires early; far ones expire up to 16 ms late.
 */
export class Deadlines {
  /** Ring of deadlines by the millisecond they fall due; its head is no deadline itself. */
  readonly #buckets = new Map<number, Deadline>();
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #armed = Number.POSITIVE_INFINITY;

  start(timeoutMs: number, expired: () => void): Deadline {
    const due = performance.now() + Math.max(0, timeoutMs);
    const step = timeoutMs < FAR ? 1 : COARSE;
    const tick = Math.ceil(due / step) * step;
    let head = this.#buckets.get(tick);
    if (head === undefined) {
      head = new Deadline(this, tick, undefined);
      this.#buckets.set(tick, head);
    }
    const deadline = new Deadline(this, tick, expired);
    deadline.previous = head.previous;
    deadline.next = head;
    head.previous.next = deadline;
    head.previous = deadline;
    // A timer without deadlines is left armed, but must not keep the program running.
    if (this.#running++ === 0) this.#timer?.ref();
    if (tick < this.#armed) this.#arm(tick);
    return deadline;
  }

  /** Called by a deadline that has been stopped. */
  stopped(tick: number): void {
    const head = this.#buckets.get(tick);
    if (head !== undefined && head.next === head) this.#buckets.delete(tick);
    if (--this.#running === 0) this.#timer?.unref();
  }

  #arm(tick: number): void {
    clearTimeout(this.#timer);
    this.#armed = tick;
    const rest = Math.max(1, Math.ceil(tick - performance.now()));
    this.#timer = setTimeout(() => this.#fire(), Math.min(rest, MAX_TIMER));
  }

  #fire(): void {
    this.#timer = undefined;
    this.#armed = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const due = [...this.#buckets.keys()].filter((tick) => tick <= now).sort((a, b) => a - b);
    for (const tick of due) this.#expire(tick);
    let first = Number.POSITIVE_INFINITY;
    for (const tick of this.#buckets.keys()) if (tick < first) first = tick;
    if (first < this.#armed) this.#arm(first);
  }

  #expire(tick: number): void {
    const head = this.#buckets.get(tick);
    if (head === undefined) return;
    this.#buckets.delete(tick);
    // What expires may stop others of this ring, so it is taken from the front, one at a time.
    while (head.next !== head) {
      const deadline = head.next;
      deadline.unlink();
      this.#running--;
      deadline.expired?.();
    }
  }
}

/** The deadlines of every connection of this program. */
export const deadlines = new Deadlines();
