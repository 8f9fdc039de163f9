import { constants, fstatSync, readFileSync } from 'node:fs';
import { F_SEAL_SHRINK, F_SEAL_WRITE, fileFlags, getSeals, mountinfo } from '@kata-mock/posix';
import { DmaMapFlag, Errno, protocolError } from '../protocol/index.ts';

/** How the memory behind a descriptor is reached. */
export interface DmaFile {
  mode: 'mmap' | 'file';
  /** Bytes; mappings begin and end at multiples of it. */
  blockBytes: bigint;
}

const PAGE = 4096n;
const F_SEAL_FUTURE_WRITE = 0x10;
const O_PATH = 0o10000000;
/** File systems whose answers come from the kernel: behind others (FUSE, network) stands a process, perhaps the client's. */
const LOCAL = new Set([
  'tmpfs',
  'ramfs',
  'hugetlbfs',
  'overlay',
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'f2fs',
  'zfs',
  'bcachefs',
]);

/** Throws EINVAL for a descriptor whose own file operations (fstat, pread) may wait for someone else. */
export function assertLocalFile(fd: number): void {
  // Memory has seals, and to ask for them asks no file system.
  if (sealsOf(fd) !== undefined) return;
  const id = Number(/^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]);
  const mount = mountinfo().find((one) => one.id === id);
  if (!mount || !LOCAL.has(mount.fstype))
    throw protocolError(
      `DMA_MAP: the descriptor is neither memory nor a file on a local file system that is mounted here${mount ? `, but on ${mount.fstype}` : ''}`,
    );
}

/** Looks at the file of a region; throws with the errno that an access would fail with. */
export function dmaFile(fd: number, map: { offset: bigint; size: bigint; flags: number }): DmaFile {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) throw protocolError('DMA_MAP: the descriptor is no regular file');
  if (map.offset + map.size > stat.size)
    throw protocolError(`DMA_MAP: the file has ${stat.size} bytes, the region ends at ${map.offset + map.size}`);
  const seals = sealsOf(fd) ?? 0;
  const mode = (map.flags & DmaMapFlag.FILE_IO) === 0 && (seals & F_SEAL_SHRINK) !== 0 ? 'mmap' : 'file';
  assertAllowed(fd, map.flags, mode, seals);
  return { mode, blockBytes: stat.blksize > PAGE ? stat.blksize : PAGE };
}

function assertAllowed(fd: number, wanted: number, mode: DmaFile['mode'], seals: number): void {
  const flags = fileFlags(fd);
  const access = flags & (constants.O_WRONLY | constants.O_RDWR);
  const write = (wanted & DmaMapFlag.WRITE) !== 0;
  const read = (wanted & DmaMapFlag.READ) !== 0 || (write && mode === 'mmap');
  if ((read && access === constants.O_WRONLY) || (write && access === constants.O_RDONLY) || (flags & O_PATH) !== 0)
    throw protocolError('DMA_MAP: the descriptor was opened with fewer rights than the region has', Errno.EACCES);
  if (write && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0)
    throw protocolError('DMA_MAP: the memory is sealed against writes', Errno.EPERM);
}

function sealsOf(fd: number): number | undefined {
  try {
    return getSeals(fd);
  } catch {
    // Only memory has them.
    return undefined;
  }
}
