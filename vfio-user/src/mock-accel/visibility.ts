import type { ConfigSpace } from '../kit/config-space.ts';

/** Guests read configuration space in pieces of at most this size; QEMU reads it whole, once, when it starts. */
const GUEST_READ_BYTES = 4;
const EXTENDED_SPACE = 0x100;

/**
 * Shows no extended capability in QEMU's one large read: QEMU then leaves that space to the function, and the guest sees
 * SR-IOV. With any extended capability in that read QEMU rebuilds the list and leaves SR-IOV out.
 */
export function leaveExtendedSpaceToUs(config: ConfigSpace): void {
  config.patchRead = (offset, target, at, count) => {
    if (count <= GUEST_READ_BYTES || offset + count <= EXTENDED_SPACE) return;
    const from = Math.max(0, EXTENDED_SPACE - offset);
    target.fill(0, at + from, at + count);
  };
}

/** A virtual function answers a scan of the bus with all ones, as real ones do; QEMU's large read sees the truth. */
export function hideFromScan(config: ConfigSpace): void {
  config.patchRead = (offset, target, at, count) => {
    if (count > GUEST_READ_BYTES || offset >= 4) return;
    target.fill(0xff, at, at + Math.min(count, 4 - offset));
  };
}
