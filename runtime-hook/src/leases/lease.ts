import type { ProcessIdentity } from '../vm/process/identity.ts';

/** What a lease file holds: who has the address, and which sandbox it is for. */
export interface Lease {
  owner: ProcessIdentity;
  sandboxId: string;
}

/** Undefined for a text that is no lease. */
export function parseLease(text: string): Lease | undefined {
  try {
    const { owner, sandboxId } = JSON.parse(text) as Lease;
    if (!Number.isSafeInteger(owner.pid) || typeof owner.startTime !== 'string') return undefined;
    return { owner: { pid: owner.pid, startTime: owner.startTime }, sandboxId: String(sandboxId) };
  } catch {
    return undefined;
  }
}
