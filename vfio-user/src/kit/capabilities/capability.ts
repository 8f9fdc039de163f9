import type { PciFunction } from '../pci-function.ts';

/** A capability of either list: its bytes, what software may write, and how it takes part in the function's life. */
export interface Capability {
  id: number;
  /** Version of an extended capability; absent for one of the standard list. */
  version?: number;
  /** What follows the header (2 bytes in the standard list, 4 in the extended one). */
  body: Uint8Array;
  /** Called once it has its place: sets masks and hooks. Offsets are absolute. */
  place?(fn: PciFunction, offset: number): void;
}

/** Capability whose body is written by a function of its view; offsets count from the capability's start. */
export function capability(
  id: number,
  bytes: number,
  fill: (view: DataView) => void,
  extra: Pick<Capability, 'version' | 'place'> = {},
): Capability {
  const whole = new Uint8Array(bytes);
  fill(new DataView(whole.buffer));
  return { id, body: whole.subarray(extra.version === undefined ? 2 : 4), ...extra };
}
