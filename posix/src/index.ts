/**
 * System calls that Node lacks, for 64-bit Linux with glibc. Calls throw {@link PosixError}; descriptors are plain
 * numbers, close-on-exec, and the caller's to close unless said otherwise.
 */
export * from './credentials.ts';
export * from './descriptors.ts';
export { errnoName, PosixError } from './errors.ts';
export * from './eventfd.ts';
export { eventfdSignal, eventfdTake } from './eventfd-shared.ts';
export { FdDuplex, type FdDuplexOptions } from './fd-duplex.ts';
export { FdListener } from './fd-listener.ts';
export * from './kernel.ts';
export * from './memory.ts';
export * from './message.ts';
export { type ExchangeOptions, IDLE, type MessageExchange, messageExchange } from './message-exchange.ts';
export { MAX_MESSAGE_FDS } from './message-header.ts';
export * from './mount.ts';
export { type MountInfo, mountinfo, parseMountinfo } from './mountinfo.ts';
export * from './openat2.ts';
export { pipe } from './pipe.ts';
export * from './pool.ts';
export * from './process.ts';
export { endWithReader } from './reader-gone.ts';
export {
  accept,
  EXHAUSTED_PAUSE_MS,
  MAX_SOCKET_PATH,
  peerCredentials,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  shutdown,
  socketpair,
  tryAccept,
  type UnixListenOptions,
  unixConnect,
  unixListen,
} from './socket.ts';
export { setSocketTimeouts } from './socket-timeout.ts';
export { seekData, seekHole } from './sparse.ts';
export { getWinsize, openPty, setWinsize } from './tty.ts';
export { parseUevent, type Uevent, UeventMonitor, ueventSocket } from './uevent.ts';
export * from './vsock.ts';
export * from './wait.ts';
export { FdWatcher } from './watcher.ts';
export { startWorker, workerUrl } from './worker.ts';
