import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  closeAll,
  dup,
  dup2,
  flock,
  ioctl,
  kcmpFile,
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  PollSet,
  poll,
  setNonblocking,
} from './descriptors.ts';
import { eventfd, eventfdRead, eventfdWrite } from './eventfd.ts';
import { socketpair } from './socket.ts';
import { codeOf, temporaryDirectory } from './testing.ts';

const directory = temporaryDirectory();
let open: number[] = [];
const keep = (fd: number) => {
  open.push(fd);
  return fd;
};

afterEach(() => {
  closeAll(open);
  open = [];
});
afterAll(() => directory.remove());

describe('poll', () => {
  it('tells each descriptor apart', () => {
    const [a, b] = socketpair().map(keep) as [number, number];
    const counter = keep(eventfd());
    expect(poll([{ fd: counter, events: POLLIN }], 0)).toEqual([0]);
    eventfdWrite(counter);
    closeSync(b);
    const entries = [
      { fd: counter, events: POLLIN },
      { fd: a, events: POLLIN },
      { fd: b, events: POLLOUT },
    ];
    expect(poll(entries, -1)).toEqual([POLLIN, POLLIN | POLLHUP, POLLNVAL]);
  });

  it('can be asked again without building its structures anew', () => {
    const counter = keep(eventfd());
    const set = new PollSet([{ fd: counter, events: POLLIN }]);
    expect(set.wait(0)).toEqual([0]);
    eventfdWrite(counter);
    expect(set.wait(0)).toEqual([POLLIN]);
  });

  it('returns after the time asked for', () => {
    const start = performance.now();
    expect(poll([], 20)).toEqual([]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
  });
});

describe('eventfd', () => {
  it('adds up what is written and is empty after a read', () => {
    const counter = keep(eventfd(3));
    eventfdWrite(counter, 4n);
    expect(eventfdRead(counter)).toBe(7n);
    expect(eventfdRead(counter)).toBe(0n);
  });

  it('stays full rather than blocking', () => {
    const counter = keep(eventfd());
    eventfdWrite(counter, 0xfffffffffffffffen);
    eventfdWrite(counter);
    expect(eventfdRead(counter)).toBe(0xfffffffffffffffen);
  });
});

describe('descriptors', () => {
  it('lock a file against a second opening of it', () => {
    const file = path.join(directory.path, 'lock');
    const [first, second] = [keep(openSync(file, 'w')), keep(openSync(file, 'w'))];
    flock(first, LOCK_EX);
    expect(codeOf(() => flock(second, LOCK_EX | LOCK_NB))).toBe('EAGAIN');
    flock(first, LOCK_UN);
    flock(second, LOCK_EX | LOCK_NB);
  });

  it('are recognised as one open file', () => {
    const counter = keep(eventfd());
    const same = keep(dup(counter));
    const other = keep(eventfd());
    expect(kcmpFile(process.pid, process.pid, counter, same)).toBe(true);
    expect(kcmpFile(process.pid, process.pid, counter, other)).toBe(false);
  });

  it('take ioctls with a buffer and report a driver’s refusal', () => {
    const [a, b] = socketpair().map(keep) as [number, number];
    const FIONREAD = 0x541b;
    const size = Buffer.alloc(4);
    ioctl(a, FIONREAD, size);
    expect(size.readInt32LE()).toBe(0);
    expect(() => ioctl(b, 0x1234)).toThrow(/ioctl\(\d+, 0x1234, 0\) failed: ENOTTY/);
  });

  it('change between blocking and non-blocking', () => {
    const [a] = socketpair().map(keep) as [number, number];
    const flags = () => Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${a}`, 'utf8'))![1]!, 8);
    setNonblocking(a, true);
    expect(flags() & 0o4000).toBe(0o4000);
    setNonblocking(a, false);
    expect(flags() & 0o4000).toBe(0);
  });
});

describe('dup2', () => {
  it('replaces a descriptor under its number', () => {
    const [one, two] = ['one', 'two'].map((name) => keep(openSync(path.join(directory.path, name), 'w')));
    dup2(one!, two!);
    expect(kcmpFile(process.pid, process.pid, one!, two!)).toBe(true);
    expect(codeOf(() => dup2(999_999, one!))).toBe('EBADF');
  });
});
