import { madeUpDomain } from '../inventory/made-up-domain.ts';

/** Host addresses to lease: 256 buses of 32 slots, function 0, so 8192 devices at once. */
export function* madeUpAddresses(): Generator<string> {
  for (let bus = 0; bus < 256; bus++) {
    for (let slot = 0; slot < 32; slot++) yield `${madeUpDomain}:${hex(bus)}:${hex(slot)}.0`;
  }
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}
