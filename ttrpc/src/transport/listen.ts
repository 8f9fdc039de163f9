import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { isMainThread } from 'node:worker_threads';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import type { PeerCredentials } from '../server/context.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { hostSidePath } from './hybrid-vsock.ts';
import { loadPosix } from './posix.ts';

export interface Listener {
  /** The address it got; names the port that was chosen for port 0. */
  readonly address: string;
  /** Stops listening and removes a socket file; connections that were accepted live on. */
  close(): Promise<void>;
}

export interface ListenSettings {
  accept: (duplex: Duplex, peer: PeerCredentials | undefined) => void;
  /** Fail rather than accept connections whose peer the system does not name. */
  needsPeer: boolean;
}

/** Listens on any address; unix sockets get mode 0600. Throws what the system says, with the address. */
export async function listen(text: string, settings: ListenSettings): Promise<Listener> {
  const address = parseAddress(text);
  const unix = address.kind === 'unix' || address.kind === 'abstract';
  if (settings.needsPeer && !unix) {
    throw new TtrpcError(Code.FAILED_PRECONDITION, `${text}: only unix sockets tell who connects`);
  }
  try {
    if (address.kind === 'vsock') return await listenVsock(address, settings);
    return await listenNet(address, settings);
  } catch (error) {
    if (error instanceof TtrpcError) throw error;
    const { message } = error as Error;
    const { code } = TtrpcError.from(error);
    const cause = { cause: error };
    throw new TtrpcError(
      code === Code.UNKNOWN ? Code.UNAVAILABLE : code,
      `cannot listen on ${text}: ${message}`,
      cause,
    );
  }
}

async function listenNet(address: Exclude<Address, { kind: 'vsock' }>, settings: ListenSettings): Promise<Listener> {
  const credentials = settings.needsPeer ? (await loadPosix('peer credentials')).peerCredentials : undefined;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.setNoDelay(true);
    let peer: PeerCredentials | undefined;
    try {
      peer = credentials?.(descriptorOf(socket));
    } catch {
      // Gone already, or a Node that hides the descriptor: nobody vouches for this peer.
      socket.destroy();
      return;
    }
    settings.accept(socket, peer);
  });
  const path = socketFile(address);
  if (path !== undefined) mustHaveFolder(path);
  try {
    await bind(server, address, path);
  } catch (error) {
    if (path === undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await isStale(path))) {
      throw error;
    }
    unlinkSync(path);
    await bind(server, address, path);
  }
  const bound = server.address();
  const port = address.kind === 'tcp' && typeof bound === 'object' && bound !== null ? { port: bound.port } : {};
  return {
    address: formatAddress({ ...address, ...port }),
    // Not the callback of close(): that waits for every connection too.
    close: async () => {
      server.close();
    },
  };
}

function socketFile(address: Address): string | undefined {
  if (address.kind === 'unix') return address.path;
  return address.kind === 'hvsock' ? hostSidePath(address.path, address.port) : undefined;
}

/** Node says "permission denied" of a socket in a folder that is missing. */
function mustHaveFolder(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  throw Object.assign(new Error(`there is no folder ${folder}: make it first`), { code: 'ENOENT' });
}

function bind(server: net.Server, address: Exclude<Address, { kind: 'vsock' }>, path: string | undefined) {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const listening = () => {
      server.off('error', reject);
      // An error of a single accept (out of descriptors) must not end the program; Node goes on accepting.
      server.on('error', () => {});
      resolve();
    };
    if (address.kind === 'tcp') server.listen(address.port, address.host, listening);
    else if (address.kind === 'abstract') server.listen(`\0${address.name}`, listening);
    else bindPrivately(path!, () => server.listen(path, listening));
  });
}

/** Binds with a file mode of 0600 from the first moment on, where the process-wide mask may be changed. */
function bindPrivately(path: string, bindNow: () => void): void {
  const before = isMainThread ? process.umask(0o177) : undefined;
  try {
    // Node binds within the call.
    bindNow();
  } finally {
    if (before !== undefined) process.umask(before);
  }
  if (before === undefined) {
    try {
      chmodSync(path, 0o600);
    } catch {
      // The bind failed; its error is on the way.
    }
  }
}

/** Whether a socket file is left over from a server that ended without cleaning up. */
function isStale(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

async function listenVsock(address: Extract<Address, { kind: 'vsock' }>, settings: ListenSettings): Promise<Listener> {
  const { FdListener, vsockListen } = await loadPosix('vsock addresses');
  const listener = new FdListener(vsockListen(address.port, address.cid, { nonblock: true }));
  listener.on('connection', (duplex) => settings.accept(duplex, undefined));
  listener.on('error', () => {});
  return {
    address: formatAddress(address),
    close: async () => listener.close(),
  };
}

/** Node has no public name for the descriptor of a socket. */
function descriptorOf(socket: net.Socket): number {
  const { _handle } = socket as unknown as { _handle?: { fd?: unknown } };
  if (typeof _handle?.fd !== 'number' || _handle.fd < 0) throw new Error('the socket has no descriptor');
  return _handle.fd;
}
