import { VfioUserError } from '../errors.ts';

/** What a fault does; the fields beside `kind` are its parameters. */
export type Fault =
  /** A read gives all ones, a write brings them. */
  | { kind: 'ones' }
  /** Bits of what is read or written are stuck: those of `mask` have the value they have in `value`. */
  | { kind: 'stuck'; mask: number; value: number }
  /** Bits of what is read or written are inverted. */
  | { kind: 'flip'; mask: number }
  /** The answer comes `ms` later. Above the client's time limit, use `stall`. */
  | { kind: 'delay'; ms: number }
  /** No answer at all: a late one would break QEMU's connection. */
  | { kind: 'stall' }
  /** An error reply. */
  | { kind: 'error'; errno: number }
  /** The reply lacks its last `bytes` bytes, and says so in its size. */
  | { kind: 'short'; bytes: number }
  /** The reply's header has an impossible size. */
  | { kind: 'malformed' }
  /** The reply has another id. */
  | { kind: 'wrong-id' }
  /** An interrupt is not delivered. */
  | { kind: 'irq-lost' }
  /** An interrupt is delivered twice. */
  | { kind: 'irq-duplicate' }
  /** An interrupt is delivered `ms` later. */
  | { kind: 'irq-late'; ms: number }
  /** A DMA access fails. */
  | { kind: 'dma-error' }
  /**
   * The device reports an error to its root port (AER): bits of the correctable or the uncorrectable status register.
   * No message of the protocol says that, so the guest's aer-inject has to; the event waits for who carries it there.
   */
  | { kind: 'aer'; correctable?: number; uncorrectable?: number }
  /**
   * The device is gone: every read gives all ones, every write vanishes, until the fault is cleared. Who serves with
   * QEMU's monitor at hand unplugs it then.
   */
  | { kind: 'removal' }
  /** The connection ends at once, as if the server had crashed; `returnMs` later it can be connected again (relisten). */
  | { kind: 'crash'; returnMs?: number };

export type FaultKind = Fault['kind'];

/** When a fault strikes; every condition given must hold. */
export interface FaultMatch {
  /** Reads, writes, or both (default). */
  access?: 'read' | 'write';
  /** Region index, 7 is configuration space. Any when absent. */
  region?: number;
  /** Accesses that touch [offset, offset + length). Any when absent. */
  offset?: number;
  /** Bytes, default 1. */
  length?: number;
  /** Interrupt faults: only this vector. */
  vector?: number;
  /** Only the nth match (from 1), or with `times` that and those after it. */
  nth?: number;
  /** Strike so many times, then never again. Default: for ever; 1 when `nth` is given. */
  times?: number;
  /** Not before this long after the fault was set, ms. */
  afterMs?: number;
  /** Strike with this probability, 0..1, decided by a generator that starts from `seed`. */
  probability?: number;
  seed?: number;
}

export interface FaultRule {
  /** Names the rule for clearing and counting. */
  id: string;
  when: FaultMatch;
  fault: Fault;
}

const parameters: Record<FaultKind, { required: readonly string[]; optional?: readonly string[] }> = {
  ones: { required: [] },
  stuck: { required: ['mask', 'value'] },
  flip: { required: ['mask'] },
  delay: { required: ['ms'] },
  stall: { required: [] },
  error: { required: ['errno'] },
  short: { required: ['bytes'] },
  malformed: { required: [] },
  'wrong-id': { required: [] },
  'irq-lost': { required: [] },
  'irq-duplicate': { required: [] },
  'irq-late': { required: ['ms'] },
  'dma-error': { required: [] },
  aer: { required: [], optional: ['correctable', 'uncorrectable'] },
  removal: { required: [] },
  crash: { required: [], optional: ['returnMs'] },
};

export const faultKinds = Object.keys(parameters) as FaultKind[];
const matchKeys = ['region', 'offset', 'length', 'vector', 'nth', 'times', 'afterMs', 'probability', 'seed'];
/** QEMU gives up after 5 s by default; a reply later than that breaks the connection for good. */
const MAX_DELAY_MS = 4500;

/** Checks a rule that came from a file or the control socket. Throws INVALID_OPTION that says what would be right. */
export function parseRule(value: unknown): FaultRule {
  const rule = object(value, 'a fault rule');
  const { id } = rule;
  if (typeof id !== 'string' || !/^[\w.-]{1,64}$/.test(id))
    throw refuse(`id ${JSON.stringify(id)} is not 1..64 letters, digits, dots, dashes`);
  const fault = object(rule['fault'], 'fault');
  const kind = fault['kind'] as FaultKind;
  const known = Object.hasOwn(parameters, kind) ? parameters[kind] : undefined;
  if (!known) throw refuse(`fault kind ${JSON.stringify(kind)}; there are ${faultKinds.join(', ')}`);
  const allowed = [...known.required, ...(known.optional ?? [])];
  for (const key of known.required) if (!(key in fault)) throw refuse(`fault ${kind} needs ${key}`);
  for (const [key, entry] of Object.entries(fault)) {
    if (key === 'kind') continue;
    if (!allowed.includes(key)) throw refuse(`fault ${kind} does not know ${JSON.stringify(key)}`);
    number(key, entry, 0, 0xffff_ffff);
  }
  if (kind === 'aer' && Number('correctable' in fault) + Number('uncorrectable' in fault) !== 1)
    throw refuse('fault aer needs correctable or uncorrectable, the bits of that status register');
  if ('ms' in fault && kind === 'delay') number('ms', fault['ms'], 0, MAX_DELAY_MS);
  const when = object(rule['when'] ?? {}, 'when');
  for (const [key, entry] of Object.entries(when)) {
    if (key === 'access') {
      if (entry !== 'read' && entry !== 'write') throw refuse(`access ${JSON.stringify(entry)} is not read or write`);
    } else if (matchKeys.includes(key)) number(key, entry, 0, key === 'probability' ? 1 : Number.MAX_SAFE_INTEGER);
    else throw refuse(`condition ${JSON.stringify(key)}; there are access, ${matchKeys.join(', ')}`);
  }
  return { id, when: when as FaultMatch, fault: fault as Fault };
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} is no JSON object`);
  return value as Record<string, unknown>;
}

function number(key: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max)
    throw refuse(`${key} ${JSON.stringify(value)} is no number of ${min}..${max}`);
}

function refuse(reason: string): VfioUserError {
  return new VfioUserError('INVALID_OPTION', `fault: ${reason}`);
}
