import { once } from 'node:events';
import { Echo, echoHandlers } from '../echo.ts';
import { Server } from '../server/server.ts';
import type { Io } from './io.ts';

/** How long a stop waits for calls that run. */
const GRACE_MS = 2000;

/** `ttrpc serve`: the echo service, until it is stopped. */
export async function serve(address: string, io: Io): Promise<void> {
  const server = new Server().register(Echo, echoHandlers);
  const listener = await server.listen(address);
  io.err(`ttrpc: serving ${Echo.typeName} on ${listener.address}\n`);
  if (!io.stop.aborted) await once(io.stop, 'abort');
  await server.shutdown({ graceMs: GRACE_MS });
}
