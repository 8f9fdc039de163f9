import { type Client, createClient } from '../client/client.ts';
import { Connection, type ConnectionOptions } from '../client/connection.ts';
import { Echo, echoHandlers } from '../echo.ts';
import type { Handlers } from '../server/handlers.ts';
import { Server, type ServerOptions } from '../server/server.ts';
import { connectedPair } from './pair.ts';
import { WirePeer } from './wire-peer.ts';

/** A server of the echo service, with handlers of a test in place of its own. */
export function echoServer(handlers: Handlers<typeof Echo> = {}, options: ServerOptions = {}): Server {
  return new Server(options).register(Echo, { ...echoHandlers, ...handlers });
}

/** A raw peer of a new echo server. */
export function peerOfEcho(handlers: Handlers<typeof Echo> = {}, options: ServerOptions = {}): WirePeer {
  const [here, there] = connectedPair();
  echoServer(handlers, options).serve(there);
  return new WirePeer(here);
}

export interface Served {
  client: Client<typeof Echo>;
  connection: Connection;
  server: Server;
}

/** A client of a new echo server, over a pair of streams in memory. */
export function echoClient(
  handlers: Handlers<typeof Echo> = {},
  options: ServerOptions = {},
  connectionOptions: ConnectionOptions = {},
): Served {
  const [here, there] = connectedPair();
  const server = echoServer(handlers, options);
  server.serve(there);
  const connection = new Connection(here, connectionOptions);
  return { client: createClient(Echo, connection), connection, server };
}

/** A client whose server is a raw peer. */
export function clientOfPeer(connectionOptions: ConnectionOptions = {}) {
  const [here, there] = connectedPair();
  const connection = new Connection(here, connectionOptions);
  return { client: createClient(Echo, connection), connection, peer: new WirePeer(there) };
}
