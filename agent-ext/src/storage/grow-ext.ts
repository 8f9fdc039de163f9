import { constants } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import type { Guest } from '@kata-mock/devices';
import { readAttribute } from '@kata-mock/pci';
import { ioctlAsync, type MountInfo } from '@kata-mock/posix';
import { AgentError } from '../errors.ts';
import { atPlace, openBelow, placeOf } from './safe-path.ts';

/** _IOW('f', 16, __u64): the new size in blocks. What resize2fs asks of a mounted file system. */
const EXT4_IOC_RESIZE_FS = 0x40086610;
/** Unit of a block device's `size` in sysfs, whatever its real sectors are. */
const SECTOR_BYTES = 512n;

/** Grows a mounted ext3 or ext4 below `base` to `size` bytes, 0 for all its device has. It never shrinks. */
export async function growExt(guest: Guest, base: string, mount: MountInfo, size: bigint): Promise<void> {
  const { source, mountPoint } = mount;
  const device = deviceBytes(guest, source);
  if (size > device) {
    throw new AgentError(
      'FAILED_PRECONDITION',
      `cannot grow "${mountPoint}" to ${size} bytes: ${source} has ${device}`,
    );
  }
  const root = await atPlace(openBelow(base, mountPoint), (place) => open(place, constants.O_DIRECTORY));
  try {
    const { bsize, blocks } = await statfs(placeOf(root.fd), { bigint: true });
    const wanted = (size === 0n ? device : size) / bsize;
    // statfs leaves the file system's own tables out, so a size that is a little larger may be no growth at all.
    if (wanted < blocks) {
      const message = `cannot shrink "${mountPoint}" to ${size} bytes: it has ${blocks * bsize} already`;
      throw new AgentError('INVALID_ARGUMENT', message);
    }
    const argument = Buffer.alloc(8);
    argument.writeBigUInt64LE(wanted);
    await ioctlAsync(root.fd, EXT4_IOC_RESIZE_FS, argument);
  } finally {
    await root.close();
  }
}

function deviceBytes(guest: Guest, node: string): bigint {
  const found = guest.readNode(node);
  const sectors =
    found === undefined || found === 'other'
      ? undefined
      : readAttribute(`${guest.sysfs}/dev/block/${found.major}:${found.minor}`, 'size');
  if (sectors === undefined)
    throw new AgentError('NOT_FOUND', `cannot tell the size of "${node}": it is no block device`);
  return BigInt(sectors) * SECTOR_BYTES;
}
