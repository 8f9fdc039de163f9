import { word } from './errors.ts';
import { bind, check, cString, syscall } from './libc.ts';

export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_DIRSYNC = 0x80;
export const MS_NOSYMFOLLOW = 0x100;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_SILENT = 0x8000;
export const MS_UNBINDABLE = 0x20000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;
export const MS_RELATIME = 0x200000;
export const MS_I_VERSION = 0x800000;
export const MS_STRICTATIME = 0x1000000;
export const MS_LAZYTIME = 0x2000000;

export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const MNT_EXPIRE = 4;
export const UMOUNT_NOFOLLOW = 8;

const OPEN_TREE_CLONE = 1;
const AT_RECURSIVE = 0x8000;
const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;

const mountFunction = bind('mount', ['string', 'string', 'string', 'ulong', 'string']);
const umountFunction = bind('umount2', ['string', 'int']);

/**
 * mount(2). Follows symbolic links in both paths: for a target below a tree that someone else can write, open it
 * with openat2() and use {@link moveMount}, or name it as `/proc/self/fd/<fd>`.
 */
export function mount(source: string, target: string, fstype: string, flags = 0, data = ''): void {
  const quoted = [source, target, fstype, word(`0x${flags.toString(16)}`), data];
  check('mount', mountFunction, [source, target, fstype, flags, data], quoted);
}

/** umount2(2); {@link UMOUNT_NOFOLLOW} keeps it from following a link that took the mount point's place. */
export function umount2(target: string, flags = 0): void {
  check('umount2', umountFunction, [target, flags]);
}

/**
 * A descriptor of a copy of the mount at `path` (open_tree with OPEN_TREE_CLONE), attached nowhere: the first half of
 * a bind mount by descriptor. Closing it without {@link moveMount} drops the copy.
 */
export function cloneMount(path: string, options: { recursive?: boolean; dirfd?: number } = {}): number {
  const { recursive = false, dirfd = AT_FDCWD } = options;
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  const quoted = [dirfd, path, flags];
  return syscall('open_tree', [dirfd, cString('open_tree', path, quoted), flags], quoted);
}

/** Attaches a mount of {@link cloneMount} at the directory or file that `targetFd` is; no path is looked up. */
export function moveMount(mountFd: number, targetFd: number): void {
  const empty = Buffer.from([0]);
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  syscall('move_mount', [mountFd, empty, targetFd, empty, flags], [mountFd, '', targetFd, '', flags]);
}

const chrootFunction = bind('chroot', ['string']);

/** Changes the root directory of the whole process; change the working directory as well, or it stays outside. */
export function chroot(path: string): void {
  check('chroot', chrootFunction, [path]);
}

const mknodFunction = bind('mknod', ['string', 'uint', 'uint64_t']);

export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;
export const S_IFREG = 0o100000;

/** `mode` has the type ({@link S_IFCHR} ...) and the permissions, which the umask lessens; `device` is from {@link makedev}. */
export function mknod(path: string, mode: number, device: bigint = 0n): void {
  const quoted = [path, word(`0o${mode.toString(8)}`), word(`${major(device)}:${minor(device)}`)];
  check('mknod', mknodFunction, [path, mode, device], quoted);
}

/** Device number of glibc and the kernel's stat: 32-bit major and minor in 64 bits. */
export function makedev(majorNumber: number, minorNumber: number): bigint {
  const [a, b] = [BigInt(majorNumber >>> 0), BigInt(minorNumber >>> 0)];
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn);
}

export function major(device: bigint | number): number {
  const value = BigInt(device);
  return Number(((value >> 32n) & 0xfffff000n) | ((value >> 8n) & 0xfffn));
}

export function minor(device: bigint | number): number {
  const value = BigInt(device);
  return Number(((value >> 12n) & 0xffffff00n) | (value & 0xffn));
}
