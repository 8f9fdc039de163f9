import { VfioUserError } from '../errors.ts';
import {
  Command,
  decodeRegionAccess,
  Errno,
  type Frame,
  HEADER_BYTES,
  REGION_ACCESS_BYTES,
  viewOf,
} from '../protocol/index.ts';
import type { FaultVerdict, SessionFaults } from '../server/session.ts';
import { Matcher, type Occasion } from './matcher.ts';
import { type Fault, type FaultRule, parseRule } from './rule.ts';

const interruptKinds = new Set(['irq-lost', 'irq-duplicate', 'irq-late']);
/** How long after the first a second interrupt comes, ms: of two at once a client takes one, since eventfds only count. */
const DUPLICATE_MS = 20;

/** Breaks a session on purpose, as its rules say. */
export class FaultEngine implements SessionFaults {
  /** Runs something later; the thread's own timers, because it blocks. */
  readonly #after: (ms: number, work: () => void) => void;
  readonly #outside: (rule: FaultRule) => void;
  #matchers: Matcher[] = [];
  /** The faults that struck the command at hand and wait for its reply. */
  struck: readonly Fault[] = [];
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
    const struck: Fault[] = [];
    this.struck = struck;
    const occasion = occasionOf(frame);
    const now = performance.now();
    for (const matcher of this.#matchers) {
      const { fault } = matcher.rule;
      if (interruptKinds.has(fault.kind) || fault.kind === 'dma-error') continue;
      if (!matcher.strikes(occasion, now)) continue;
      struck.push(fault);
      if (fault.kind === 'aer' || (fault.kind === 'removal' && !this.#removed)) this.#outside(matcher.rule);
      if (fault.kind === 'removal') this.#removed = true;
    }
    const written = frame.command === Command.REGION_WRITE ? dataOf(frame) : NO_DATA;
    for (const fault of struck) {
      changeData(fault, written);
      if (fault.kind === 'error') throw new VfioUserError('DEVICE', 'fault: error', { errno: fault.errno });
      if (fault.kind === 'crash') {
        this.#awayUntil = now + (fault.returnMs ?? 0);
        return 'crash';
      }
    }
    return this.#removed && occasion.access === 'write' ? 'vanish' : 'serve';
  }

  reply(frame: Frame, bytes: Uint8Array, length: number, struck: readonly Fault[] = this.struck): number {
    const view = viewOf(bytes);
    if (this.#removed && frame.command === Command.REGION_READ) bytes.fill(0xff, dataStart, length);
    let size = length;
    for (const fault of struck) size = corrupt(fault, frame, bytes, view, size);
    return size;
  }

  /** Decides how an interrupt is delivered; `fire` delivers it. */
  deliver(_index: number, vector: number, fire: () => void): void {
    const now = performance.now();
    let times = 1;
    for (const matcher of this.#matchers) {
      const { fault } = matcher.rule;
      if (!interruptKinds.has(fault.kind) || !matcher.strikes({ vector }, now)) continue;
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
      if (matcher.rule.fault.kind === 'dma-error' && matcher.strikes(occasion, performance.now()))
        throw new VfioUserError('DMA', 'fault: DMA error', { errno: Errno.EIO });
  }
}

const dataStart = HEADER_BYTES + REGION_ACCESS_BYTES;
const NO_DATA = new Uint8Array(0);

/** Commands other than accesses meet only rules without conditions on the access; many writes at once those for any write. */
function occasionOf(frame: Frame): Occasion {
  if (frame.command === Command.REGION_WRITE_MULTI) return { access: 'write' };
  const read = frame.command === Command.REGION_READ;
  if ((!read && frame.command !== Command.REGION_WRITE) || frame.length < REGION_ACCESS_BYTES) return {};
  return { access: read ? 'read' : 'write', ...decodeRegionAccess(frame) };
}

/** What a write brings; none when it is too short for any. */
function dataOf(frame: Frame): Uint8Array {
  return frame.bytes.subarray(frame.start + REGION_ACCESS_BYTES, frame.start + frame.length);
}

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
    case 'delay':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fault.ms);
      return length;
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

/** The mask counts from the first byte of the access, four bytes at a time. */
function changeBits(data: Uint8Array, mask: number, change: (byte: number, mask: number, at: number) => number): void {
  for (let index = 0; index < data.length; index++) {
    const at = index & 3;
    data[index] = change(data[index]!, (mask >>> (at * 8)) & 0xff, at);
  }
}
