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
  /** Reads, writes, or both (default); for `dma-error` the device's own. The next three are not for DMA. */
  access?: 'read' | 'write';
  /** Region index, 7 is configuration space. Any when absent. */
  region?: number;
  /** Accesses that touch [offset, offset + length). Any when absent. */
  offset?: number;
  /** Bytes from `offset`, default 1. */
  length?: number;
  /** Interrupt faults: only this vector. */
  vector?: number;
  /** Only the nth match (from 1), or with `times` that and those after it. */
  nth?: number;
  /** Strike so many times (1 or more), then never again. Default: for ever; 1 when `nth` is given. */
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

/** What a fault looks at: commands of the client, interrupts, or the device's DMA. */
export type Occasions = 'access' | 'interrupt' | 'dma';

/** Least and largest value of a number; integers unless it says so. */
interface Range {
  min: number;
  max: number;
  fraction?: boolean;
}

interface Kind {
  occasions: Occasions;
  required?: Record<string, Range>;
  optional?: Record<string, Range>;
}

/** QEMU gives up after 5 s by default; a reply later than that breaks the connection for good. */
export const MAX_DELAY_MS = 4500;
const U32 = 0xffff_ffff;
const BITS: Range = { min: 1, max: U32 };
const MILLISECONDS: Range = { min: 0, max: U32, fraction: true };

const kinds: Record<FaultKind, Kind> = {
  ones: { occasions: 'access' },
  stuck: { occasions: 'access', required: { mask: BITS, value: { min: 0, max: U32 } } },
  flip: { occasions: 'access', required: { mask: BITS } },
  delay: { occasions: 'access', required: { ms: { ...MILLISECONDS, max: MAX_DELAY_MS } } },
  stall: { occasions: 'access' },
  error: { occasions: 'access', required: { errno: { min: 1, max: 4095 } } },
  short: { occasions: 'access', required: { bytes: { min: 1, max: U32 } } },
  malformed: { occasions: 'access' },
  'wrong-id': { occasions: 'access' },
  'irq-lost': { occasions: 'interrupt' },
  'irq-duplicate': { occasions: 'interrupt' },
  'irq-late': { occasions: 'interrupt', required: { ms: MILLISECONDS } },
  'dma-error': { occasions: 'dma' },
  aer: { occasions: 'access', optional: { correctable: BITS, uncorrectable: BITS } },
  removal: { occasions: 'access' },
  crash: { occasions: 'access', optional: { returnMs: MILLISECONDS } },
};

export const faultKinds = Object.keys(kinds) as FaultKind[];
export const occasionsOf = (kind: FaultKind): Occasions => kinds[kind].occasions;

/** The conditions beside `access`, and what they can be said of. */
const conditions: Record<string, Range & { of?: Occasions }> = {
  region: { min: 0, max: 8, of: 'access' },
  offset: { min: 0, max: Number.MAX_SAFE_INTEGER, of: 'access' },
  length: { min: 1, max: Number.MAX_SAFE_INTEGER, of: 'access' },
  vector: { min: 0, max: 2047, of: 'interrupt' },
  nth: { min: 1, max: Number.MAX_SAFE_INTEGER },
  times: { min: 1, max: Number.MAX_SAFE_INTEGER },
  afterMs: MILLISECONDS,
  probability: { min: 0, max: 1, fraction: true },
  seed: { min: 0, max: U32 },
};
/** Conditions that say something only together with another. */
const together = { length: 'offset', seed: 'probability' };

/** Checks a rule that came from a file or the control socket. Throws INVALID_OPTION that says what would be right. */
export function parseRule(value: unknown): FaultRule {
  const rule = object(value, 'a fault rule');
  const { id } = rule;
  if (typeof id !== 'string' || !/^[\w.-]{1,64}$/.test(id))
    throw refuse(`id ${JSON.stringify(id)} is not 1..64 letters, digits, dots, dashes`);
  const fault = object(rule['fault'], 'fault');
  const name = fault['kind'] as FaultKind;
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (!kind) throw refuse(`fault kind ${JSON.stringify(name)}; there are ${faultKinds.join(', ')}`);
  checkParameters(name, kind, fault);
  const when = object(rule['when'] ?? {}, 'when');
  checkConditions(name, kind, when);
  return { id, when: when as FaultMatch, fault: fault as Fault };
}

function checkParameters(
  name: FaultKind,
  { required = {}, optional = {} }: Kind,
  fault: Record<string, unknown>,
): void {
  const known: Record<string, Range> = { ...required, ...optional };
  for (const key of Object.keys(required)) if (!(key in fault)) throw refuse(`fault ${name} needs ${key}`);
  for (const [key, entry] of Object.entries(fault)) {
    if (key === 'kind') continue;
    if (!Object.hasOwn(known, key)) throw refuse(`fault ${name} does not know ${JSON.stringify(key)}`);
    checkNumber(key, entry, known[key]!);
  }
  if (name === 'aer' && Number('correctable' in fault) + Number('uncorrectable' in fault) !== 1)
    throw refuse('fault aer needs correctable or uncorrectable, the bits of that status register');
}

/** A condition that can never hold, or says nothing, would look like a fault that does not work. */
function checkConditions(name: FaultKind, { occasions }: Kind, when: Record<string, unknown>): void {
  for (const [key, entry] of Object.entries(when)) {
    if (key === 'access') {
      if (entry !== 'read' && entry !== 'write') throw refuse(`access ${JSON.stringify(entry)} is not read or write`);
      if (occasions === 'interrupt') throw refuse(`condition access says nothing of ${name}`);
      continue;
    }
    const condition = Object.hasOwn(conditions, key) ? conditions[key]! : undefined;
    if (!condition)
      throw refuse(`condition ${JSON.stringify(key)}; there are access, ${Object.keys(conditions).join(', ')}`);
    checkNumber(key, entry, condition);
    if (condition.of && condition.of !== occasions) throw refuse(`condition ${key} says nothing of ${name}`);
  }
  for (const [key, other] of Object.entries(together))
    if (key in when && !(other in when)) throw refuse(`condition ${key} needs ${other}`);
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} is no JSON object`);
  return value as Record<string, unknown>;
}

function checkNumber(key: string, value: unknown, { min, max, fraction }: Range): void {
  const fits = typeof value === 'number' && value >= min && value <= max && (fraction || Number.isInteger(value));
  if (!fits) throw refuse(`${key} ${JSON.stringify(value)} is no ${fraction ? 'number' : 'integer'} of ${min}..${max}`);
}

function refuse(reason: string): VfioUserError {
  return new VfioUserError('INVALID_OPTION', `fault: ${reason}`);
}
