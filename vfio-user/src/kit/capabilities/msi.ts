import { VfioUserError } from '../../errors.ts';
import { type Capability, capability } from './capability.ts';

export const MSI = 0x05;
const CONTROL = 2;

/** MSI with 64-bit address. `vectors` is 1, 2, 4, 8, 16 or 32; INVALID_OPTION otherwise. */
export function msi(vectors: number): Capability {
  if (![1, 2, 4, 8, 16, 32].includes(vectors))
    throw new VfioUserError('INVALID_OPTION', `MSI: ${vectors} vectors; there can be 1, 2, 4, 8, 16 or 32`);
  const capable = Math.log2(vectors);
  return capability(MSI, 14, (view) => view.setUint16(CONTROL, (capable << 1) | 0x80, true), {
    place(fn, offset) {
      const { config } = fn;
      config.allow(offset + CONTROL, 2, 0x0071);
      config.allow(offset + 4, 4, 0xfffffffc);
      config.allow(offset + 8, 4, 0xffffffff);
      config.allow(offset + 12, 2, 0xffff);
      config.watch(offset + CONTROL, 2, () => {
        const control = config.view.getUint16(offset + CONTROL, true);
        const enabled = Math.min((control >> 4) & 7, capable);
        config.view.setUint16(offset + CONTROL, (control & ~0x70) | (enabled << 4), true);
      });
    },
  });
}
