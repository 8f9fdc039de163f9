import { VfioUserError } from '../errors.ts';
import {
  Command,
  Errno,
  type Frame,
  HEADER_BYTES,
  HeaderFlag,
  REGION_ACCESS_BYTES,
  viewOf,
} from '../protocol/index.ts';
import type { FaultVerdict, SessionFaults } from '../server/session.ts';
import { accessesOf } from './accesses.ts';
import { Matcher, type Occasion } from './matcher.ts';
import { type Fault, type FaultRule, MAX_DELAY_MS, occasionsOf, parseRule } from './rule.ts';

/** How long after the first a second interrupt comes, ms: of two at once a client takes one, since eventfds only count. */
const DUPLICATE_MS = 20;

/** Breaks a session on purpose, as its rules say. */
export class FaultEngine implements SessionFaults {
  /** Runs something later; the thread's own timers, because it blocks. */
  readonly #after: (ms: number, work: () => void) => void;
  readonly #outside: (rule: FaultRule) => void;
  #matchers: Matcher[] = [];
  /** The faults that struck the command at hand and wait for its reply; none once that is made, or if there is none. */
  struck: readonly Fault[] = NONE;
  #removed = false;
  #awayUntil = 0;

  /** `outside` is told of faults that need someone beside the connection: AER events, removal. */
  constructor(after: (ms: number, work: () => void) => void, outside: (rule: FaultRule) => void = () => {}) {
    this.#after = after;
    this.#outside = outside;
  }

  get isEmpty(): boolean {
    return this.#matchers.length === 0;
  }

  /** Adds a rule; one with the same id is replaced. */
  set(value: unknown): void {
    const rule = parseRule(value);
    this.clear(rule.id);
    this.#matchers.push(new Matcher(rule, performance.now()));
  }

  /** Takes one rule away, or all. Returns how many went. */
  clear(id?: string): number {
    const before = this.#matchers.length;
    this.#matchers = id === undefined ? [] : this.#matchers.filter(({ rule }) => rule.id !== id);
    if (!this.#matchers.some(({ rule }) => rule.fault.kind === 'removal')) this.#removed = false;
    return before - this.#matchers.length;
  }

  /** The rules and how often each struck. */
  list(): (FaultRule & { seen: number; struck: number })[] {
    return this.#matchers.map(({ rule, seen, struck }) => ({ ...rule, seen, struck }));
  }

  /** How long no client is to be accepted, ms; after a crash that comes back. */
  get awayMs(): number {
    return Math.max(0, this.#awayUntil - performance.now());
  }

  command(frame: Frame): FaultVerdict {
    this.struck = NONE;
    const struck = this.#strike(frame);
    const end = struck.find(({ kind }) => kind === 'crash' || kind === 'error');
    if (end?.kind === 'crash') {
      this.#awayUntil = performance.now() + (end.returnMs ?? 0);
      return 'crash';
    }
    if ((frame.flags & HeaderFlag.NO_REPLY) === 0) this.struck = struck;
    if (end?.kind === 'error') throw new VfioUserError('DEVICE', 'fault: error', { errno: end.errno });
    const write = frame.command === Command.REGION_WRITE || frame.command === Command.REGION_WRITE_MULTI;
    return this.#removed && write ? 'vanish' : 'serve';
  }

  /** Finds the faults that strike an access of a command, and changes what it brings. */
  #strike(frame: Frame): readonly Fault[] {
    const struck = new Set<Fault>();
    const now = performance.now();
    for (const { occasion, data } of accessesOf(frame)) {
      for (const matcher of this.#matchers) {
        const { fault } = matcher.rule;
        if (occasionsOf(fault.kind) !== 'access' || !matcher.strikes(occasion, now)) continue;
        struck.add(fault);
        changeData(fault, data);
        if (fault.kind === 'aer' || (fault.kind === 'removal' && !this.#removed)) this.#outside(matcher.rule);
        if (fault.kind === 'removal') this.#removed = true;
      }
    }
    return [...struck];
  }

  reply(frame: Frame, bytes: Uint8Array, length: number, struck: readonly Fault[] = this.struck): number {
    this.struck = NONE;
    const view = viewOf(bytes);
    if (this.#removed && frame.command === Command.REGION_READ) bytes.fill(0xff, dataStart, length);
    let size = length;
    for (const fault of struck) size = corrupt(fault, frame, bytes, view, size);
    if (size > 0) wait(struck);
    return size;
  }

  /** Decides how an interrupt is delivered; `fire` delivers it. */
  deliver(_index: number, vector: number, fire: () => void): void {
    const now = performance.now();
    let times = 1;
    for (const matcher of this.#matchers) {
      const { fault } = matcher.rule;
      if (occasionsOf(fault.kind) !== 'interrupt' || !matcher.strikes({ vector }, now)) continue;
      if (fault.kind === 'irq-late') {
        this.#after(fault.ms, fire);
        times--;
      }
      if (fault.kind === 'irq-lost') times = 0;
      if (fault.kind === 'irq-duplicate') this.#after(DUPLICATE_MS, fire);
    }
    if (times > 0) fire();
  }

  /** Throws when a DMA access is to fail. */
  checkDma(write: boolean): void {
    const occasion: Occasion = { access: write ? 'write' : 'read' };
    for (const matcher of this.#matchers)
      if (occasionsOf(matcher.rule.fault.kind) === 'dma' && matcher.strikes(occasion, performance.now()))
        throw new VfioUserError('DMA', 'fault: DMA error', { errno: Errno.EIO });
  }
}

const dataStart = HEADER_BYTES + REGION_ACCESS_BYTES;
const NONE: readonly Fault[] = [];

/** Applies one fault to what is read or written. */
function changeData(fault: Fault, data: Uint8Array): void {
  if (fault.kind === 'ones') data.fill(0xff);
  if (fault.kind === 'stuck')
    changeBits(data, fault.mask, (byte, mask, at) => (byte & ~mask) | ((fault.value >>> (at * 8)) & mask));
  if (fault.kind === 'flip') changeBits(data, fault.mask, (byte, mask) => byte ^ mask);
}

/** Applies one fault to a reply. Returns its new length, 0 for none. */
function corrupt(fault: Fault, frame: Frame, bytes: Uint8Array, view: DataView, length: number): number {
  if (frame.command === Command.REGION_READ) changeData(fault, bytes.subarray(dataStart, length));
  switch (fault.kind) {
    case 'stall':
      return 0;
    case 'short': {
      const size = Math.max(HEADER_BYTES, length - fault.bytes);
      view.setUint32(4, size, true);
      return size;
    }
    case 'malformed':
      view.setUint32(4, 3, true);
      return length;
    case 'wrong-id':
      view.setUint16(0, view.getUint16(0, true) ^ 0x5555, true);
      return length;
    default:
      return length;
  }
}

/** All delays together, no longer than one may be. */
function wait(struck: readonly Fault[]): void {
  const ms = struck.reduce((sum, fault) => sum + (fault.kind === 'delay' ? fault.ms : 0), 0);
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(ms, MAX_DELAY_MS));
}

/** The mask counts from the first byte of the access, four bytes at a time. */
function changeBits(data: Uint8Array, mask: number, change: (byte: number, mask: number, at: number) => number): void {
  for (let index = 0; index < data.length; index++) {
    const at = index & 3;
    data[index] = change(data[index]!, (mask >>> (at * 8)) & 0xff, at);
  }
}
