import { type Capability, capability } from './capability.ts';

const PMCSR = 4;
const STATE_MASK = 0x3;
const NO_SOFT_RESET = 0x8;

/** PM version 3; the function keeps its registers through D3hot (NO_SOFT_RESET). */
export function powerManagement(): Capability {
  return capability(
    0x01,
    8,
    (view) => {
      view.setUint16(2, 0x0003, true);
      view.setUint16(PMCSR, NO_SOFT_RESET, true);
    },
    { place: (fn, offset) => fn.config.allow(offset + PMCSR, 2, STATE_MASK) },
  );
}
