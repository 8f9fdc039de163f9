import { type Capability, capability } from './capability.ts';

export interface SriovOptions {
  totalVfs: number;
  vfDeviceId: number;
  /** Bytes of the VFs' BAR0, a power of two; a 64-bit memory BAR. */
  vfBarBytes: number;
  /** Called when software turns VFs on or off. */
  changed?(vfs: number): void;
}

const CONTROL = 0x08;
const NUM_VFS = 0x10;
const VF_BAR0 = 0x24;
const VF_ENABLE = 0x1;
const MEMORY_64 = 0x4;

/** SR-IOV with VFs in the same slot: VF i is function i + 1 (offset 1, stride 1). */
export function sriov(options: SriovOptions): Capability {
  const { totalVfs, vfDeviceId, vfBarBytes, changed } = options;
  return capability(
    0x0010,
    0x40,
    (view) => {
      view.setUint16(0x0c, totalVfs, true);
      view.setUint16(0x0e, totalVfs, true);
      view.setUint16(0x14, 1, true);
      view.setUint16(0x16, 1, true);
      view.setUint16(0x1a, vfDeviceId, true);
      view.setUint32(0x1c, 0x553, true);
      view.setUint32(0x20, 1, true);
      view.setUint32(VF_BAR0, MEMORY_64, true);
    },
    {
      version: 1,
      place({ config }, offset) {
        const { view } = config;
        config.allow(offset + CONTROL, 2, 0x0019);
        config.allow(offset + NUM_VFS, 2, 0xffff);
        config.allow(offset + 0x20, 4, 0x553);
        config.allow(offset + VF_BAR0, 4, ~(vfBarBytes - 1));
        config.allow(offset + VF_BAR0 + 4, 4, 0xffff_ffff);
        let [enabled, count] = [false, 0];
        config.watch(offset + CONTROL, NUM_VFS + 2 - CONTROL, (how) => {
          const written = how === 'written';
          // While VFs are enabled the number stays; one above the total becomes what it can mean.
          const number = written && enabled ? count : Math.min(view.getUint16(offset + NUM_VFS, true), totalVfs);
          view.setUint16(offset + NUM_VFS, number, true);
          const before = enabled ? count : 0;
          enabled = (view.getUint16(offset + CONTROL, true) & VF_ENABLE) !== 0;
          count = number;
          const now = enabled ? count : 0;
          if (written && now !== before) changed?.(now);
        });
      },
    },
  );
}
