import { VfioUserError } from '../errors.ts';
import { type Fault, parseRule } from './rule.ts';

/** A fault that the protocol has no message for: someone beside the connection has to bring it about. */
export interface FaultEvent {
  /** Which function. */
  id: string;
  /** Which rule struck. */
  rule: string;
  fault: Fault;
  /** ms since the epoch. */
  at: number;
}

/** An AER event of now, without a rule that waits for an access. Throws INVALID_OPTION for another fault. */
export function aerEvent(id: string, fault: unknown): FaultEvent {
  const rule = parseRule({ id: 'aer', fault });
  if (rule.fault.kind !== 'aer') throw new VfioUserError('INVALID_OPTION', `fault ${rule.fault.kind} is not aer`);
  return { id, rule: rule.id, fault: rule.fault, at: Date.now() };
}

/** The rest is forgotten, oldest first, when nobody takes it: a guest decides how often a rule strikes. */
const KEPT = 256;

/** What is left to do for those who look later. */
export class FaultEvents {
  #events: FaultEvent[] = [];

  add(event: FaultEvent): void {
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events.shift();
  }

  /** Gives the events of one function, once. */
  take(id: string): FaultEvent[] {
    const taken = this.#events.filter((event) => event.id === id);
    this.#events = this.#events.filter((event) => event.id !== id);
    return taken;
  }
}
