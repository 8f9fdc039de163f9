import { closeSync } from 'node:fs';
import { dup, eventfd, eventfdRead, eventfdWrite, pipe, setNonblocking } from '@kata-mock/posix';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultEngine } from '../faults/engine.ts';
import { Command, encodeSetIrqs, type Frame, HeaderFlag, type SetIrqs, viewOf } from '../protocol/index.ts';
import { openDescriptors } from '../testing.ts';
import { ProxyInterrupts } from './interrupts.ts';

let before: string[];
let faults: FaultEngine;
let later: (() => void)[];
let interrupts: ProxyInterrupts;
/** The client's eventfds and what the server has got. */
let client: number[];
let server: number[];

beforeEach(() => {
  before = openDescriptors();
  later = [];
  faults = new FaultEngine((_ms, work) => void later.push(work));
  interrupts = new ProxyInterrupts((index, vector, fire) => faults.deliver(index, vector, fire));
  client = [];
  server = [];
});
afterEach(() => {
  interrupts.close();
  for (const fd of [...client, ...server]) closeSync(fd);
  expect(openDescriptors()).toEqual(before);
});

function frameOf(set: SetIrqs, fds: number[], id = 1, flags = 0): Frame {
  const bytes = encodeSetIrqs(set);
  const frame = { id, command: Command.DEVICE_SET_IRQS, flags, errno: 0, start: 0, length: bytes.length, fds };
  return { ...frame, bytes, view: viewOf(bytes) };
}

const assign = (start: number, count: number): SetIrqs => ({
  index: 2,
  start,
  count,
  data: 'eventfd',
  action: 'trigger',
});

/** The client gives vectors eventfds; the server gets what the proxy sends, and agrees or not. */
function give(start: number, count: number, agreed = true): { theirs: number[]; sent: number[] } {
  const theirs = Array.from({ length: count }, () => eventfd());
  client.push(...theirs);
  const frame = frameOf(
    assign(start, count),
    theirs.map((fd) => dup(fd)),
  );
  expect(interrupts.command(frame)).toBe(true);
  const sent = frame.fds.splice(0);
  server.push(...sent);
  answer(agreed);
  return { theirs, sent };
}

function answer(agreed: boolean): void {
  const flags = HeaderFlag.TYPE_REPLY | (agreed ? 0 : HeaderFlag.ERROR);
  interrupts.reply(frameOf(assign(0, 0), [], 1, flags));
}

/** The server signals; gives what reached the client. */
function signal(ours: number, theirs: number): bigint {
  eventfdWrite(ours);
  for (const fd of interrupts.fds) interrupts.forward(fd);
  return eventfdRead(theirs);
}

test('an interrupt of the server reaches the vector it is for', () => {
  const { theirs, sent } = give(3, 2);
  expect(signal(sent[1]!, theirs[1]!)).toBe(1n);
  expect(eventfdRead(theirs[0]!)).toBe(0n);
});

test('a client or server that makes a counter blocking does not stop the proxy', () => {
  const { theirs, sent } = give(0, 1);
  eventfdWrite(theirs[0]!, 0xffff_ffff_ffff_fffen);
  for (const fd of [theirs[0]!, sent[0]!]) setNonblocking(fd, false);
  eventfdWrite(sent[0]!);
  interrupts.forward(interrupts.fds[0]!);
  // It was readable, and the server was quicker.
  interrupts.forward(interrupts.fds[0]!);
});

test('interrupts are lost, doubled and late, by vector', () => {
  const { theirs, sent } = give(0, 2);
  faults.set({ id: 'f', when: { vector: 1, times: 1 }, fault: { kind: 'irq-lost' } });
  expect(signal(sent[0]!, theirs[0]!)).toBe(1n);
  expect(signal(sent[1]!, theirs[1]!)).toBe(0n);
  expect(signal(sent[1]!, theirs[1]!)).toBe(1n);
  faults.set({ id: 'f', when: {}, fault: { kind: 'irq-duplicate' } });
  expect(signal(sent[0]!, theirs[0]!)).toBe(1n);
  later.shift()!();
  expect(eventfdRead(theirs[0]!)).toBe(1n);
  faults.set({ id: 'f', when: {}, fault: { kind: 'irq-late', ms: 5 } });
  expect(signal(sent[0]!, theirs[0]!)).toBe(0n);
  later.shift()!();
  expect(eventfdRead(theirs[0]!)).toBe(1n);
});

test('another eventfd takes the place of the first once the server agreed, a refused one does not', () => {
  const first = give(0, 1);
  give(0, 1, false);
  expect(signal(first.sent[0]!, first.theirs[0]!)).toBe(1n);
  const second = give(0, 1);
  expect(signal(first.sent[0]!, first.theirs[0]!)).toBe(0n);
  expect(signal(second.sent[0]!, second.theirs[0]!)).toBe(1n);
  expect(interrupts.fds).toHaveLength(1);
});

test('disabling the index takes all away, a late interrupt after that goes nowhere', () => {
  const { theirs, sent } = give(0, 3);
  faults.set({ id: 'f', when: {}, fault: { kind: 'irq-late', ms: 5 } });
  signal(sent[0]!, theirs[0]!);
  interrupts.command(frameOf({ index: 2, start: 0, count: 0, data: 'none', action: 'trigger' }, []));
  expect(interrupts.fds).toHaveLength(3);
  answer(true);
  expect(interrupts.fds).toEqual([]);
  later.shift()!();
  expect(eventfdRead(theirs[0]!)).toBe(0n);
});

test('what is no eventfd, of the wrong number, malformed or unmasks goes to the server as it came', () => {
  const { read, write } = pipe();
  const fd = eventfd();
  client.push(read, write, fd);
  const cases: [SetIrqs, number[]][] = [
    [assign(0, 1), [read]],
    [assign(0, 2), [fd]],
    [{ ...assign(0, 1), action: 'unmask' }, [fd]],
    [{ ...assign(0, 1), data: 'none' }, []],
  ];
  for (const [set, fds] of cases) {
    const frame = frameOf(set, [...fds]);
    expect(interrupts.command(frame)).toBe(false);
    expect(frame.fds).toEqual(fds);
  }
  const short = { ...frameOf(assign(0, 1), [fd]), length: 10 };
  expect(interrupts.command(short)).toBe(false);
  expect(interrupts.fds).toEqual([]);
});
