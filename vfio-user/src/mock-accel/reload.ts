import { VfioUserError } from '../errors.ts';
import type { PciFunction } from '../kit/pci-function.ts';
import type { MockAccelSettings } from './options.ts';

/** What the guest saw when it enumerated the function; it would not notice a change. */
const fixed: (keyof MockAccelSettings)[] = ['vf', 'totalVfs', 'aperture', 'dma', 'msix', 'intx'];

/** Throws INVALID_OPTION when `next` changes what only a new device can have. */
export function checkReload(now: MockAccelSettings, next: MockAccelSettings): void {
  const changed = fixed.filter((key) => now[key] !== next[key]);
  if (changed.length > 0)
    throw new VfioUserError(
      'INVALID_OPTION',
      `a reload cannot change ${changed.join(', ')}: start the function anew and plug it again`,
    );
}

/** Gives a running function another PCI identity; a guest sees it when it looks again. */
export function reloadIdentity(fn: PciFunction, settings: MockAccelSettings): void {
  fn.config.amend((view) => {
    view.setUint16(0x00, settings.vendor, true);
    view.setUint16(0x02, settings.device, true);
    view.setUint32(0x08, ((settings.classCode << 8) | settings.revision) >>> 0, true);
    view.setUint16(0x2c, settings.subsystemVendor, true);
    view.setUint16(0x2e, settings.subsystem, true);
  });
}
