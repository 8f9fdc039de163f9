import type { FaultRule } from './rule.ts';

/** One access or interrupt, as far as rules look at it. */
export interface Occasion {
  access?: 'read' | 'write';
  region?: number;
  offset?: number;
  count?: number;
  vector?: number;
}

/** A rule with what it has seen so far. */
export class Matcher {
  readonly rule: FaultRule;
  /** Occasions that met the conditions, and those of them that the fault struck. */
  seen = 0;
  struck = 0;
  readonly #since: number;
  #random: number;

  constructor(rule: FaultRule, now: number) {
    this.rule = rule;
    this.#since = now;
    this.#random = (rule.when.seed ?? 1) >>> 0;
  }

  /** Whether the fault strikes now. Counts, so call it once per occasion. */
  strikes(occasion: Occasion, now: number): boolean {
    const { when } = this.rule;
    if (when.access !== undefined && when.access !== occasion.access) return false;
    if (when.region !== undefined && when.region !== occasion.region) return false;
    if (when.vector !== undefined && when.vector !== occasion.vector) return false;
    if (when.offset !== undefined && !this.#touches(occasion)) return false;
    if (when.afterMs !== undefined && now - this.#since < when.afterMs) return false;
    this.seen++;
    if (when.nth !== undefined && this.seen < when.nth) return false;
    const times = when.times ?? (when.nth === undefined ? Number.POSITIVE_INFINITY : 1);
    if (this.struck >= times) return false;
    if (when.probability !== undefined && this.#next() >= when.probability) return false;
    this.struck++;
    return true;
  }

  #touches({ offset = 0, count = 0 }: Occasion): boolean {
    const start = this.rule.when.offset!;
    return offset < start + (this.rule.when.length ?? 1) && offset + count > start;
  }

  /** 0..1, the same sequence for the same seed (mulberry32). */
  #next(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let value = this.#random;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  }
}
