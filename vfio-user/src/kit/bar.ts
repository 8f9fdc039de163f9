import { VfioUserError } from '../errors.ts';
import type { Region } from '../server/device.ts';
import type { ConfigSpace } from './config-space.ts';

/** A base address register and what is behind it. */
export interface Bar {
  /** `memory64` (default) takes two registers, so only even numbers; `io` is at most 256 bytes. */
  kind?: 'memory64' | 'memory32' | 'io';
  prefetchable?: boolean;
  region: Region;
}

const BAR0 = 0x10;
const BARS = 6;

/** Throws INVALID_OPTION when a BAR stands where the upper half of a 64-bit one is. */
export function checkUpperHalves(bars: Record<number, Bar>): void {
  for (const [key, { kind = 'memory64' }] of Object.entries(bars)) {
    const upper = Number(key) + 1;
    if (kind === 'memory64' && bars[upper])
      throw new VfioUserError('INVALID_OPTION', `BAR${upper}: it is the upper half of BAR${key}, which has 64 bits`);
  }
}

/** Checks a BAR and puts its register in configuration space. */
export function placeBar(config: ConfigSpace, number: number, bar: Bar): void {
  const { kind = 'memory64', prefetchable = false, region } = bar;
  const { size } = region;
  const least = kind === 'io' ? 4 : 16;
  const most = kind === 'io' ? 256 : kind === 'memory32' ? 2 ** 31 : 2 ** 52;
  const refuse = (reason: string) => new VfioUserError('INVALID_OPTION', `BAR${number}: ${reason}`);
  if (!(Number.isInteger(number) && number >= 0 && number < BARS)) throw refuse(`there are 0..${BARS - 1}`);
  if (!(size >= least && size <= most && Number.isInteger(Math.log2(size))))
    throw refuse(`size ${size} is no power of two of ${least}..${most} bytes`);
  if (kind === 'memory64' && number % 2 !== 0) throw refuse('a 64-bit BAR has an even number');
  const offset = BAR0 + number * 4;
  const type = (kind === 'io' ? 1 : kind === 'memory64' ? 4 : 0) | (prefetchable && kind !== 'io' ? 8 : 0);
  config.view.setUint32(offset, type, true);
  const mask = BigInt.asUintN(64, -BigInt(size));
  config.allow(offset, 4, Number(mask & 0xffff_ffffn) & ~0xf);
  if (kind === 'io') config.allow(offset, 4, Number(mask & 0xffff_ffffn) & ~0x3);
  if (kind === 'memory64') config.allow(offset + 4, 4, Number(mask >> 32n));
}
