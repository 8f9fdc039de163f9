import { randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { ioctl } from '@kata-mock/posix';

/** _IOW(VHOST_VIRTIO, 0x60, __u64) of linux/vhost.h. */
const VHOST_VSOCK_SET_GUEST_CID = 0x4008af60;
/** 0 to 2 are the hypervisor, local and the host. */
const firstCid = 3;
const lastCid = 0xfffffffe;

/** A guest CID that is ours as long as the descriptor is open. */
export interface VsockReservation {
  cid: number;
  fd: number;
}

/** Reserves a random CID, as Kata does. Undefined, with the reason, when the host has no usable vhost-vsock. */
export function reserveVsock(path = '/dev/vhost-vsock'): { reservation: VsockReservation } | { reason: string } {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    return { reason: `${path}: ${(error as NodeJS.ErrnoException).code}` };
  }
  for (let attempt = 0; ; attempt++) {
    const cid = randomInt(firstCid, lastCid);
    const argument = Buffer.alloc(8);
    argument.writeBigUInt64LE(BigInt(cid));
    try {
      ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, argument);
      return { reservation: { cid, fd } };
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'EADDRINUSE' && attempt < 32) continue;
      closeSync(fd);
      return { reason: `${path}: setting a guest CID fails with ${code}` };
    }
  }
}
