import { type Capability, capability } from './capability.ts';

export interface MsixLayout {
  vectors: number;
  /** BAR of the table and of the pending bits. */
  bar: number;
  tableOffset: number;
  pbaOffset: number;
}

/** MSI-X; enable and function mask are writable. The hypervisor emulates the table itself. */
export function msix(layout: MsixLayout): Capability {
  return capability(
    0x11,
    12,
    (view) => {
      view.setUint16(2, layout.vectors - 1, true);
      view.setUint32(4, layout.tableOffset | layout.bar, true);
      view.setUint32(8, layout.pbaOffset | layout.bar, true);
    },
    { place: (fn, offset) => fn.config.allow(offset + 2, 2, 0xc000) },
  );
}
