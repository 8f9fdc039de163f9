import { chmodSync, closeSync, linkSync, lstatSync, rmSync } from 'node:fs';
import { setNonblocking } from './descriptors.ts';
import { type PosixError, refuse, word } from './errors.ts';
import { bind, check, checkRestarting } from './libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** Bytes of a path that sun_path holds beside its NUL. */
export const MAX_SOCKET_PATH = 107;

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

export const socketFunction = bind('socket', ['int', 'int', 'int']);
export const bindFunction = bind('bind', ['int', 'pointer', 'uint']);
export const connectFunction = bind('connect', ['int', 'pointer', 'uint']);
export const listenFunction = bind('listen', ['int', 'int']);
const acceptFunction = bind('accept4', ['int', 'pointer', 'pointer', 'int']);
const socketpairFunction = bind('socketpair', ['int', 'int', 'int', 'pointer']);
const shutdownFunction = bind('shutdown', ['int', 'int']);
export const getsockoptFunction = bind('getsockopt', ['int', 'int', 'int', 'pointer', 'pointer']);
const fchmodFunction = bind('fchmod', ['int', 'uint']);

export interface UnixListenOptions {
  /** Permissions of the socket file. Default 0600. */
  mode?: number;
  /** Default 128. */
  backlog?: number;
  /** accept() throws EAGAIN instead of waiting. */
  nonblock?: boolean;
}

/**
 * Listens on a unix stream socket. Nobody with fewer rights than `mode` can connect at any moment: the file gets its
 * permissions before it appears; and from when it appears it can be connected to, unless its path is so long that there
 * is no room for another name beside it. A path that starts with a NUL byte is an abstract address. An existing file is
 * never removed (EADDRINUSE).
 */
export function unixListen(path: string, options: UnixListenOptions = {}): number {
  return (path.startsWith('\0') ? undefined : listenBeside(path, options)) ?? listenAt(path, options);
}

/** Listens under another name and then links the file to its own. Undefined when that is not possible. */
function listenBeside(path: string, options: UnixListenOptions): number | undefined {
  const draft = `${path}.${Math.random().toString(36).slice(2, 10)}`;
  if (Buffer.byteLength(draft) > MAX_SOCKET_PATH) return undefined;
  let fd: number | undefined;
  try {
    fd = listenAt(draft, options);
    // Fails when there is a file, as bind() would; rename() would replace it.
    linkSync(draft, path);
    return fd;
  } catch {
    // Or the file system has no links. Why there can be no socket, if so, bind() says best.
    if (fd !== undefined) closeSync(fd);
    return undefined;
  } finally {
    if (fd !== undefined) rmSync(draft, { force: true });
  }
}

function listenAt(path: string, { mode = 0o600, backlog = 128, nonblock = false }: UnixListenOptions): number {
  const address = unixAddress('bind', path);
  return configured(AF_UNIX, nonblock, (fd) => {
    const abstract = path.startsWith('\0');
    // Linux makes the file with the socket's own mode, less the umask.
    if (!abstract) check('fchmod', fchmodFunction, [fd, mode]);
    check('bind', bindFunction, [fd, address, address.byteLength], [path]);
    // At once: who waits for the file connects as soon as it is there. The umask has only taken permissions away.
    check('listen', listenFunction, [fd, backlog]);
    if (!abstract && (lstatSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
  });
}

/** Connects to a unix stream socket; ECONNREFUSED when nobody listens. A path that starts with a NUL byte is abstract. */
export function unixConnect(path: string): number {
  const address = unixAddress('connect', path);
  return configured(AF_UNIX, false, (fd) => {
    checkRestarting('connect', connectFunction, [fd, address, address.byteLength], [path]);
  });
}

/** Takes one connection of a listening socket of any family. Blocks unless the listener is non-blocking. */
export function accept(fd: number, options: { nonblock?: boolean } = {}): number {
  const flags = SOCK_CLOEXEC | (options.nonblock ? SOCK_NONBLOCK : 0);
  return checkRestarting('accept4', acceptFunction, [fd, null, null, flags], [fd]);
}

/** How long to leave waiting connections alone when there is nothing free for them, ms. */
export const EXHAUSTED_PAUSE_MS = 100;

/**
 * {@link accept} for servers that live on whatever happens: `none` when nobody waits any more, `exhausted` when this
 * process or machine has no descriptor or memory for another connection; see {@link EXHAUSTED_PAUSE_MS}.
 */
export function tryAccept(fd: number, options: { nonblock?: boolean } = {}): number | 'none' | 'exhausted' {
  try {
    return accept(fd, options);
  } catch (error) {
    const { code } = error as PosixError;
    // ECONNABORTED: the peer gave up while it waited.
    if (code === 'EAGAIN' || code === 'ECONNABORTED') return 'none';
    if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS' || code === 'ENOMEM') return 'exhausted';
    throw error;
  }
}

/** Two connected unix stream sockets. */
export function socketpair(): [number, number] {
  const pair = Buffer.alloc(8);
  check(
    'socketpair',
    socketpairFunction,
    [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair],
    [word('AF_UNIX'), word('SOCK_STREAM')],
  );
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

/** Ends one or both directions ({@link SHUT_RD}, {@link SHUT_WR}, {@link SHUT_RDWR}) for every process that has the socket. */
export function shutdown(fd: number, how: number): void {
  check('shutdown', shutdownFunction, [fd, how]);
}

/** Who connected (SO_PEERCRED): the process at the time of connect or listen. */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  const credentials = Buffer.alloc(12);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(credentials.byteLength);
  check(
    'getsockopt',
    getsockoptFunction,
    [fd, SOL_SOCKET, SO_PEERCRED, credentials, length],
    [fd, word('SO_PEERCRED')],
  );
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8) };
}

/** A socket that is closed again when `prepare` fails. */
export function configured(family: number, nonblock: boolean, prepare: (fd: number) => void): number {
  const fd = check('socket', socketFunction, [family, SOCK_STREAM | SOCK_CLOEXEC, 0]);
  try {
    prepare(fd);
    if (nonblock) setNonblocking(fd, true);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function unixAddress(syscall: string, path: string): Buffer {
  const bytes = Buffer.from(path);
  const abstract = path.startsWith('\0');
  if (bytes.byteLength === 0) throw refuse(syscall, 'EINVAL', [path], 'the socket path is empty');
  if (bytes.byteLength > MAX_SOCKET_PATH) {
    const reason = `a socket path has at most ${MAX_SOCKET_PATH} bytes, this one ${bytes.byteLength}; use a shorter directory`;
    throw refuse(syscall, 'ENAMETOOLONG', [path], reason);
  }
  if (!abstract && bytes.includes(0)) throw refuse(syscall, 'EINVAL', [path], 'the socket path has a NUL byte');
  const address = Buffer.alloc(2 + bytes.byteLength + (abstract ? 0 : 1));
  address.writeUInt16LE(AF_UNIX);
  bytes.copy(address, 2);
  return address;
}
