/**
 * An NRI plugin and the runtime it registers with, on the two ends of one socket. Each side serves one connection of
 * the trunk and calls over the other.
 */
import type { Duplex } from 'node:stream';
import { type Client, Connection, createClient, type Handlers, Multiplexer, NriConnection, Server } from 'ttrpc-ts';
import { Plugin, Runtime } from './gen/nri/nri_pb.ts';

/** The plugin's side of a trunk: serves Plugin, returns a client of Runtime. */
export function plugin(trunk: Duplex, handlers: Handlers<typeof Plugin>): Client<typeof Runtime> {
  const mux = new Multiplexer(trunk);
  new Server().register(Plugin, handlers).serve(mux.open(NriConnection.PLUGIN));
  return createClient(Runtime, new Connection(mux.open(NriConnection.RUNTIME)));
}

/** The runtime's side of a trunk: serves Runtime, returns a client of Plugin. */
export function runtime(trunk: Duplex, handlers: Handlers<typeof Runtime>): Client<typeof Plugin> {
  const mux = new Multiplexer(trunk);
  new Server().register(Runtime, handlers).serve(mux.open(NriConnection.RUNTIME));
  return createClient(Plugin, new Connection(mux.open(NriConnection.PLUGIN)));
}
