/** Paths in the guest that host and agent agree on (Kata's). */

/** Mount point of the virtio-fs share. */
export const guestSharePath = '/run/kata-containers/shared/containers/';
/** Tag of the virtio-fs device. */
export const shareTag = 'kataShared';
/** The sandbox's own /dev/shm. */
export const guestShmPath = '/run/kata-containers/sandbox/shm';

/** A container's root inside the guest; `<share on the host>/<id>/rootfs` is the same directory. */
export function guestRootPath(containerId: string): string {
  return `${guestSharePath}${containerId}/rootfs`;
}
