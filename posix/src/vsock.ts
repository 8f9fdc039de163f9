import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { ioctl, setNonblocking } from './descriptors.ts';
import { PosixError, refuse, word } from './errors.ts';
import { FdDuplex, type FdDuplexOptions } from './fd-duplex.ts';
import { bind, check, checkRestarting, errno, failure } from './libc.ts';
import { bindFunction, configured, connectFunction, getsockoptFunction, listenFunction } from './socket.ts';
import { FdWatcher } from './watcher.ts';

const AF_VSOCK = 40;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_VM_SOCKETS_CONNECT_TIMEOUT = 6;
const IOCTL_VM_SOCKETS_GET_LOCAL_CID = 0x7b9;

/** Any context: what a listener binds to. */
export const VMADDR_CID_ANY = 0xffffffff;
/** Loopback within the own context (Linux 5.6, module vsock_loopback). */
export const VMADDR_CID_LOCAL = 1;
/** The host, as a guest sees it. */
export const VMADDR_CID_HOST = 2;

const setsockoptFunction = bind('setsockopt', ['int', 'int', 'int', 'pointer', 'uint']);

/** Listens on a vsock port. ENODEV or EADDRNOTAVAIL when this kernel has no vsock transport. */
export function vsockListen(
  port: number,
  cid: number = VMADDR_CID_ANY,
  options: { backlog?: number; nonblock?: boolean } = {},
): number {
  const { backlog = 128, nonblock = false } = options;
  const address = vsockAddress(cid, port);
  return configured(AF_VSOCK, nonblock, (fd) => {
    check('bind', bindFunction, [fd, address, address.byteLength], [word(`vsock ${cid}:${port}`)]);
    check('listen', listenFunction, [fd, backlog]);
  });
}

/** Connects to a vsock port; blocks for `timeoutMs` (default 2000) at most, then ETIMEDOUT. */
export function vsockConnect(cid: number, port: number, options: { timeoutMs?: number } = {}): number {
  const { timeoutMs = 2000 } = options;
  const address = vsockAddress(cid, port);
  return configured(AF_VSOCK, false, (fd) => {
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(Math.floor(timeoutMs / 1000)), 0);
    time.writeBigInt64LE(BigInt(Math.round(timeoutMs % 1000) * 1000), 8);
    check('setsockopt', setsockoptFunction, [fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, time, time.byteLength]);
    checkRestarting('connect', connectFunction, [fd, address, address.byteLength], [word(`vsock ${cid}:${port}`)]);
  });
}

/**
 * Like {@link vsockConnect}, without blocking the thread. ETIMEDOUT after `timeoutMs` (default 2000); the signal's
 * reason when it aborts first.
 */
export async function vsockOpen(
  cid: number,
  port: number,
  options: { timeoutMs?: number; signal?: AbortSignal } & FdDuplexOptions = {},
): Promise<FdDuplex> {
  const { timeoutMs = 2000, signal, ...stream } = options;
  signal?.throwIfAborted();
  const address = vsockAddress(cid, port);
  const quoted = [word(`vsock ${cid}:${port}`)];
  const fd = configured(AF_VSOCK, true, (socket) => {
    setNonblocking(socket, true);
    if (connectFunction(socket, address, address.byteLength) === 0) return;
    const { EINPROGRESS } = constants.errno;
    if (errno() !== EINPROGRESS) throw failure('connect', quoted);
  });
  try {
    await writable(fd, timeoutMs, signal, quoted);
    const error = socketError(fd);
    if (error !== 0) throw new PosixError('connect', error, quoted, 'the connection was refused or timed out');
    return new FdDuplex(fd, stream);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function writable(fd: number, timeoutMs: number, signal: AbortSignal | undefined, quoted: unknown[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      watcher.close();
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    const aborted = () => finish(() => reject(signal?.reason));
    const watcher = new FdWatcher(fd, { writable: () => finish(resolve) });
    const late = () => reject(refuse('connect', 'ETIMEDOUT', quoted, `no answer within ${timeoutMs} ms`));
    const timer = setTimeout(() => finish(late), timeoutMs);
    signal?.addEventListener('abort', aborted);
    watcher.watch({ writable: true });
  });
}

function socketError(fd: number): number {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4);
  check('getsockopt', getsockoptFunction, [fd, SOL_SOCKET, SO_ERROR, value, length], [fd, word('SO_ERROR')]);
  return value.readInt32LE();
}

/** Context id of this machine; undefined when it has no vsock device. */
export function vsockLocalCid(): number | undefined {
  let fd: number;
  try {
    fd = openSync('/dev/vsock', 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') return undefined;
    throw error;
  }
  try {
    const cid = Buffer.alloc(4);
    ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, cid);
    const value = cid.readUInt32LE();
    return value === VMADDR_CID_ANY ? undefined : value;
  } finally {
    closeSync(fd);
  }
}

function vsockAddress(cid: number, port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_VSOCK, 0);
  address.writeUInt32LE(port, 4);
  address.writeUInt32LE(cid, 8);
  return address;
}
