import type { Duplex } from 'node:stream';
import type { DescService } from '@bufbuild/protobuf';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { MAX_BODY_LENGTH } from '../protocol/frame.ts';
import { DEFAULT_STREAM_BUFFER } from '../stream/receive-queue.ts';
import { type Listener, listen } from '../transport/listen.ts';
import type { PeerCredentials } from './context.ts';
import type { Handlers } from './handlers.ts';
import type { ServerInterceptor } from './interceptor.ts';
import { type MethodServer, serveMethod } from './methods.ts';
import { type RawHandler, serveRaw } from './raw.ts';
import { ServerConnection } from './server-connection.ts';

export interface ConnectionInfo {
  /** Who connected, where that is known. */
  peer: PeerCredentials | undefined;
}

export interface ServerOptions {
  /** Largest frame body sent or taken, in bytes. Default 4 MiB, the protocol's limit. */
  maxMessageLength?: number | undefined;
  /** Bytes a stream may hold that its handler does not read before it ends with RESOURCE_EXHAUSTED. Default 16 MiB. */
  streamBufferBytes?: number | undefined;
  /** Bytes of answers a client may leave unread before its requests are left unread too. Default 16 MiB. */
  sendBufferBytes?: number | undefined;
  /** Calls a connection may have running; one more gets RESOURCE_EXHAUSTED. Default 65,536. */
  maxCalls?: number | undefined;
  /** Status of a call whose bytes are no request of its method. Default INTERNAL, as the Go server answers. */
  undecodable?: Code | undefined;
  /** Run around each handler, the first outermost. */
  interceptors?: readonly ServerInterceptor[] | undefined;
  /** Ask the kernel who connects, for `context.peer`; unix sockets only. Needs @kata-mock/posix. Default false. */
  peerCredentials?: boolean | undefined;
  /** Whether to serve a connection; without it all are. Implies `peerCredentials`. */
  authorize?: ((peer: PeerCredentials) => boolean) | undefined;
  onConnect?: ((connection: ConnectionInfo) => void) | undefined;
  onDisconnect?: ((connection: ConnectionInfo, error: Error | undefined) => void) | undefined;
}

/** Far more than a shim or an agent has, and what bounds the memory a hostile client can take. */
const DEFAULT_MAX_CALLS = 65_536;

/** Serves registered services on any number of listeners and streams. */
export class Server {
  readonly #options: ServerOptions;
  readonly #services = new Map<string, Map<string, MethodServer>>();
  readonly #connections = new Set<ServerConnection>();
  readonly #listeners = new Set<Listener>();
  #fallback: MethodServer | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
  }

  /** Offers a service. Throws ALREADY_EXISTS when it is offered already. */
  register<S extends DescService>(service: S, handlers: Handlers<S>): this {
    if (this.#services.has(service.typeName)) {
      throw new TtrpcError(Code.ALREADY_EXISTS, `service ${service.typeName} is registered already`);
    }
    const methods = new Map<string, MethodServer>();
    const given = handlers as Record<string, unknown>;
    for (const method of service.methods) {
      const handler = given[method.localName];
      if (typeof handler !== 'function') continue;
      // Bound, so that a class instance may be the handlers.
      const serve = serveMethod(service, method, handler.bind(handlers), this.#options);
      methods.set(method.name, serve);
    }
    this.#services.set(service.typeName, methods);
    return this;
  }

  /** Serves, as bytes, every method that no registered handler serves. For proxies. */
  fallback(handler: RawHandler): this {
    this.#fallback = serveRaw(handler);
    return this;
  }

  /** Listens on an address; the listener says which one it got. */
  async listen(address: string): Promise<Listener> {
    this.#refuseWhenStopped();
    const { authorize, peerCredentials = authorize !== undefined } = this.#options;
    const listener = await listen(address, {
      needsPeer: peerCredentials || authorize !== undefined,
      accept: (duplex, peer) => {
        if (authorize !== undefined && (peer === undefined || !authorize(peer))) duplex.destroy();
        else this.serve(duplex, { peer });
      },
    });
    this.#listeners.add(listener);
    if (this.#stopped) await listener.close();
    return listener;
  }

  /** Serves one connected stream, which the server then owns. */
  serve(duplex: Duplex, info: Partial<ConnectionInfo> = {}): void {
    this.#refuseWhenStopped();
    const options = this.#options;
    const connection: ConnectionInfo = { peer: info.peer };
    this.#connections.add(
      new ServerConnection(duplex, {
        maxMessageLength: options.maxMessageLength ?? MAX_BODY_LENGTH,
        streamBufferBytes: options.streamBufferBytes ?? DEFAULT_STREAM_BUFFER,
        sendBufferBytes: options.sendBufferBytes ?? DEFAULT_STREAM_BUFFER,
        maxCalls: options.maxCalls ?? DEFAULT_MAX_CALLS,
        peer: info.peer,
        lookUp: (service, method) => this.#lookUp(service, method),
        closed: (closed, error) => {
          this.#connections.delete(closed);
          if (this.#connections.size === 0) this.#idle?.();
          options.onDisconnect?.(connection, error);
        },
      }),
    );
    options.onConnect?.(connection);
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Stops accepting, lets the calls that run finish, then closes. Calls that come meanwhile get UNAVAILABLE.
   * After `graceMs` (default: no limit) what still runs is cut off; resolves to whether that was needed.
   */
  async shutdown(options: { graceMs?: number | undefined } = {}): Promise<{ cut: boolean }> {
    await this.#stopListening();
    if (this.#connections.size === 0) return { cut: false };
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    for (const connection of [...this.#connections]) connection.drain();
    let cut = false;
    const { graceMs } = options;
    const timer =
      graceMs === undefined
        ? undefined
        : setTimeout(() => {
            cut = true;
            this.close();
          }, graceMs);
    await idle;
    clearTimeout(timer);
    return { cut };
  }

  /** Ends everything at once: listeners, connections, calls. */
  close(): void {
    void this.#stopListening();
    for (const connection of [...this.#connections]) connection.destroy();
  }

  async #stopListening(): Promise<void> {
    this.#stopped = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  #refuseWhenStopped(): void {
    if (this.#stopped) throw new TtrpcError(Code.FAILED_PRECONDITION, 'the server has been shut down: make a new one');
  }

  #lookUp(service: string, method: string): MethodServer {
    const methods = this.#services.get(service);
    const serve = methods?.get(method) ?? this.#fallback;
    if (serve !== undefined) return serve;
    // The words of the Go server, which clients match on to learn what a peer offers.
    const what = methods === undefined ? `service ${service}` : `method ${method}`;
    throw new TtrpcError(Code.UNIMPLEMENTED, what);
  }
}
