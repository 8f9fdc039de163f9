import net from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection, type ConnectionOptions } from '../client/connection.ts';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { requestGuestPort } from './hybrid-vsock.ts';
import { loadPosix } from './posix.ts';

export interface ConnectOptions extends ConnectionOptions {
  /** Milliseconds to wait for the connection. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  /** Gives up connecting with CANCELED. */
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT = 10_000;

/** Connects to a server. Throws UNAVAILABLE when nobody answers, DEADLINE_EXCEEDED, CANCELED or INVALID_ARGUMENT. */
export async function connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
  return new Connection(await open(parseAddress(address), options), options);
}

/** The connected stream behind an address. */
export async function open(address: Address, options: ConnectOptions = {}): Promise<Duplex> {
  const { signal, connectTimeoutMs = DEFAULT_TIMEOUT } = options;
  if (signal?.aborted) throw new TtrpcError(Code.CANCELED, 'connecting canceled', { cause: signal.reason });
  if (address.kind === 'vsock') {
    const { vsockOpen } = await loadPosix('vsock addresses');
    return translated(
      address,
      vsockOpen(address.cid, address.port, { timeoutMs: connectTimeoutMs, ...(signal && { signal }) }),
      signal,
    );
  }
  const socket = net.connect(target(address));
  const timer = setTimeout(() => socket.destroy(timedOut(connectTimeoutMs)), connectTimeoutMs);
  const aborted = () => socket.destroy(new TtrpcError(Code.CANCELED, 'connecting canceled', { cause: signal?.reason }));
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    await connected(address, socket);
    if (address.kind === 'hvsock') await requestGuestPort(socket, address.port);
    // Answers are small and awaited: never hold them back to fill a packet.
    socket.setNoDelay(true);
    return socket;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}

function target(address: Exclude<Address, { kind: 'vsock' }>): net.NetConnectOpts {
  switch (address.kind) {
    case 'tcp':
      return { host: address.host, port: address.port };
    case 'abstract':
      return { path: `\0${address.name}` };
    default:
      return { path: address.path };
  }
}

function connected(address: Address, socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(unreachable(address, error));
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve();
    });
  });
}

async function translated(
  address: Address,
  opening: Promise<Duplex>,
  signal: AbortSignal | undefined,
): Promise<Duplex> {
  try {
    return await opening;
  } catch (error) {
    if (signal?.aborted) throw new TtrpcError(Code.CANCELED, 'connecting canceled', { cause: signal.reason });
    throw unreachable(address, error as Error);
  }
}

function unreachable(address: Address, error: Error): TtrpcError {
  if (error instanceof TtrpcError) return error;
  return new TtrpcError(Code.UNAVAILABLE, `cannot connect to ${formatAddress(address)}: ${error.message}`, {
    cause: error,
  });
}

function timedOut(timeoutMs: number): TtrpcError {
  return new TtrpcError(Code.DEADLINE_EXCEEDED, `no connection within ${timeoutMs} ms`);
}
