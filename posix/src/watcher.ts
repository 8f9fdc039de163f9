import { closeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { refuse, word } from './errors.ts';
import { bind, check } from './libc.ts';
import { loadKoffi } from './native.ts';

interface PollHandle {
  start(options: { readable: boolean; writable: boolean }, callback: PollCallback): void;
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}
/** libuv's status (0, or a negative errno) and what is ready. */
type PollCallback = (status: number, events: { readable: boolean; writable: boolean }) => void;

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_EVENT_SIZE = 16;

const epollCreateFunction = bind('epoll_create1', ['int']);
const epollControlFunction = bind('epoll_ctl', ['int', 'int', 'int', 'pointer']);

/** Watchers in use by descriptor: a collected one would close under a waiting program. */
const active = new Map<number, FdWatcher>();

/**
 * Tells in the event loop when a descriptor becomes readable or writable, for any descriptor that can be polled
 * (vsock, netlink, terminal, virtio-serial port, pidfd, eventfd), without a thread. Level-triggered: it tells again
 * until the data is read or {@link watch} asks for something else. The descriptor becomes non-blocking.
 * Call {@link close} before the descriptor is closed. One watcher a descriptor, in the main thread;
 * not for one that a Node stream uses.
 */
export class FdWatcher {
  closed = false;
  readonly #fd: number;
  readonly #handle: PollHandle;
  readonly #on: { readable?: () => void; writable?: () => void };
  #wanted = { readable: false, writable: false };
  #pending = false;

  constructor(fd: number, on: { readable?: () => void; writable?: () => void }) {
    assertPollable(fd);
    this.#fd = fd;
    this.#on = on;
    // The types of koffi 3.3 leave out the callback's first argument.
    const poll = loadKoffi().node.poll as unknown as (
      fd: number,
      options: object,
      callback: PollCallback,
    ) => PollHandle;
    this.#handle = poll(fd, { readable: false, writable: false, disconnect: false }, () => {});
    this.#handle.stop();
    active.set(fd, this);
  }

  /** What to tell from now on; nothing at all takes the watcher out of the event loop. */
  watch(wanted: { readable?: boolean; writable?: boolean }): void {
    if (this.closed) return;
    const { readable = false, writable = false } = wanted;
    if (readable === this.#wanted.readable && writable === this.#wanted.writable) return;
    this.#wanted = { readable, writable };
    if (!readable && !writable) this.#handle.stop();
    else this.#start();
  }

  /** Whether the watcher keeps the program running. */
  ref(on: boolean): void {
    if (this.closed) return;
    if (on) this.#handle.ref();
    else this.#handle.unref();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    // What is on its way already must not act on a descriptor whose number may be another file's by then.
    this.#wanted = { readable: false, writable: false };
    active.delete(this.#fd);
    this.#handle.close();
  }

  #start(): void {
    this.#handle.start(this.#wanted, (status, events) => this.#told(status, events));
  }

  /**
   * koffi calls outside of Node's callback scope, where promises and process.nextTick would wait for the next event,
   * so the work is done in an immediate, right after the loop's poll phase.
   */
  #told(status: number, events: { readable: boolean; writable: boolean }): void {
    if (this.#pending) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      // An error counts as both: the read or write that follows will say which it is.
      if (this.#wanted.readable && (status < 0 || events.readable)) this.#on.readable?.();
      if (this.#wanted.writable && (status < 0 || events.writable)) this.#on.writable?.();
      // libuv stops polling at an error, and some pass (a netlink socket that lost messages).
      if (status < 0 && !this.closed && (this.#wanted.readable || this.#wanted.writable)) this.#start();
    });
  }
}

/** koffi ends the process when libuv refuses a descriptor, so it is asked first whether it can be polled. */
function assertPollable(fd: number): void {
  // The native handle does not survive the end of a worker's event loop: the process would crash.
  if (!isMainThread)
    throw refuse('epoll_ctl', 'EPERM', [fd], 'watchers belong to the main thread; a worker can block in poll()');
  if (active.has(fd)) throw refuse('epoll_ctl', 'EEXIST', [fd], 'this descriptor is watched already');
  const epoll = check('epoll_create1', epollCreateFunction, [EPOLL_CLOEXEC]);
  try {
    const event = Buffer.alloc(EPOLL_EVENT_SIZE);
    check('epoll_ctl', epollControlFunction, [epoll, EPOLL_CTL_ADD, fd, event], [epoll, word('EPOLL_CTL_ADD'), fd]);
  } finally {
    closeSync(epoll);
  }
}
