import { closeSync } from 'node:fs';
import { word } from './errors.ts';
import { bind, check, checkRestarting, errno, failure, syscall } from './libc.ts';

export const POLLIN = 0x001;
export const POLLPRI = 0x002;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;
export const POLLRDHUP = 0x2000;

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

const EINTR = 4;
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const O_NONBLOCK = 0o4000;
const POLLFD_SIZE = 8;
const KCMP_FILE = 0;

const dup2Function = bind('dup2', ['int', 'int']);
const pollFunction = bind('poll', ['pointer', 'ulong', 'int']);
const fcntlFunction = bind('fcntl', ['int', 'int', 'long']);
const ioctlPointer = bind('ioctl', ['int', 'ulong', 'pointer']);
const ioctlNumber = bind('ioctl', ['int', 'ulong', 'long']);
const flockFunction = bind('flock', ['int', 'int']);

export interface PollEntry {
  fd: number;
  events: number;
}

/**
 * Waits until a descriptor is ready. Returns the `revents` of each entry, all 0 after `timeoutMs` (-1 waits for ever).
 * Goes on with the rest of the time when a signal interrupts it.
 */
export function poll(entries: readonly PollEntry[], timeoutMs: number): number[] {
  return new PollSet(entries).wait(timeoutMs);
}

/** A {@link poll} whose structures are made once: for loops that wait on the same descriptors. */
export class PollSet {
  readonly #fds: Buffer;
  readonly #count: number;

  constructor(entries: readonly PollEntry[]) {
    this.#count = entries.length;
    this.#fds = Buffer.alloc(Math.max(1, entries.length) * POLLFD_SIZE);
    entries.forEach(({ fd, events }, index) => {
      this.#fds.writeInt32LE(fd, index * POLLFD_SIZE);
      this.#fds.writeInt16LE(events, index * POLLFD_SIZE + 4);
    });
  }

  /** `revents` of each entry, in the order of construction. */
  wait(timeoutMs: number): number[] {
    const deadline = performance.now() + timeoutMs;
    let left = timeoutMs;
    while (pollFunction(this.#fds, this.#count, left) === -1) {
      if (errno() !== EINTR) throw failure('poll', [word(`<${this.#count} descriptors>`), timeoutMs]);
      if (timeoutMs >= 0) left = Math.max(0, Math.ceil(deadline - performance.now()));
    }
    return Array.from({ length: this.#count }, (_, index) => this.#fds.readInt16LE(index * POLLFD_SIZE + 6));
  }
}

/** Closes descriptors that are no longer wanted; one that is closed already is no error. */
export function closeAll(fds: Iterable<number>): void {
  for (const fd of fds) {
    try {
      closeSync(fd);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error;
    }
  }
}

/** A second descriptor of the same open file, close-on-exec. */
export function dup(fd: number): number {
  return check('fcntl', fcntlFunction, [fd, F_DUPFD_CLOEXEC, 0], [fd, word('F_DUPFD_CLOEXEC'), 0]);
}

/**
 * Makes number `to` another descriptor of the same open file, in one step: a thread that opens a file meanwhile cannot
 * get the number, as it could after a close. What `to` was is closed. Not close-on-exec, since it is for 0, 1 and 2.
 */
export function dup2(fd: number, to: number): void {
  checkRestarting('dup2', dup2Function, [fd, to]);
}

/** What a file was opened with (F_GETFL): O_RDONLY, O_WRONLY or O_RDWR, O_APPEND, ... */
export function fileFlags(fd: number): number {
  return check('fcntl', fcntlFunction, [fd, F_GETFL, 0], [fd, word('F_GETFL')]);
}

/** O_NONBLOCK belongs to the open file, so it changes for every process that shares it. */
export function setNonblocking(fd: number, on: boolean): void {
  const flags = fileFlags(fd);
  const wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted !== flags) check('fcntl', fcntlFunction, [fd, F_SETFL, wanted], [fd, word('F_SETFL'), wanted]);
}

/** `argument` is a buffer that the driver reads and writes, or a number passed by value. */
export function ioctl(fd: number, request: number, argument: Uint8Array | number = 0): number {
  const quoted = [fd, word(`0x${request.toString(16)}`), argument];
  return typeof argument === 'number'
    ? check('ioctl', ioctlNumber, [fd, request, argument], quoted)
    : check('ioctl', ioctlPointer, [fd, request, argument], quoted);
}

/** Locks an open file: {@link LOCK_SH}, {@link LOCK_EX} or {@link LOCK_UN}, with {@link LOCK_NB} to fail (EWOULDBLOCK) at once. */
export function flock(fd: number, operation: number): void {
  checkRestarting('flock', flockFunction, [fd, operation]);
}

/** Whether two descriptors of two processes are the same open file (kcmp(2)); needs the right to ptrace both. */
export function kcmpFile(pid1: number, pid2: number, fd1: number, fd2: number): boolean {
  return syscall('kcmp', [pid1, pid2, KCMP_FILE, fd1, fd2], [pid1, pid2, word('KCMP_FILE'), fd1, fd2]) === 0;
}
