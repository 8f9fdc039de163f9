import { type Capability, capability } from './capability.ts';

const UNCORRECTABLE_STATUS = 0x04;
const UNCORRECTABLE_MASK = 0x08;
const SEVERITY = 0x0c;
const CORRECTABLE_STATUS = 0x10;
const CORRECTABLE_MASK = 0x14;

/** AER version 2 with an error source's registers; errors themselves come from the guest's injection tools. */
export function advancedErrorReporting(): Capability {
  return capability(
    0x0001,
    0x48,
    (view) => {
      view.setUint32(SEVERITY, 0x0046_2030, true);
      view.setUint32(CORRECTABLE_MASK, 0x0000_2000, true);
    },
    {
      version: 2,
      place({ config }, offset) {
        config.allowClear(offset + UNCORRECTABLE_STATUS, 4, 0x05ff_f030);
        config.allow(offset + UNCORRECTABLE_MASK, 4, 0x05ff_f030);
        config.allow(offset + SEVERITY, 4, 0x05ff_f030);
        config.allowClear(offset + CORRECTABLE_STATUS, 4, 0x0000_f1c1);
        config.allow(offset + CORRECTABLE_MASK, 4, 0x0000_f1c1);
      },
    },
  );
}
