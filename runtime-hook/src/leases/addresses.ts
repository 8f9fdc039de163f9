/**
 * Host addresses made up for devices that are given none. Domain ac00 (for accelerator) is far from the few domains
 * real machines have, so none of them names hardware. 256 buses of 32 slots, function 0: 8192 devices at once.
 */
const domain = 'ac00';

export function* madeUpAddresses(): Generator<string> {
  for (let bus = 0; bus < 256; bus++) {
    for (let slot = 0; slot < 32; slot++) yield `${domain}:${hex(bus)}:${hex(slot)}.0`;
  }
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}
