export * from './descriptors.ts';
export { errnoName, PosixError } from './errors.ts';
export * from './eventfd.ts';
export * from './memory.ts';
export * from './message.ts';
export {
  accept,
  MAX_SOCKET_PATH,
  peerCredentials,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  shutdown,
  socketpair,
  type UnixListenOptions,
  unixConnect,
  unixListen,
} from './socket.ts';
export { startWorker, workerUrl } from './worker.ts';
