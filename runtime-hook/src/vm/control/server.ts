import { chmodSync } from 'node:fs';
import net from 'node:net';
import { KataMockError } from '../../errors.ts';
import { readJsonLines, writeJsonLine } from './lines.ts';
import type { ControlAnswer, ControlRequest } from './protocol.ts';

/** One client of the owner. */
export interface ControlPeer {
  /** Runs when the client has gone. */
  onGone(action: () => void): void;
}

export type ControlHandler = (method: string, params: unknown, peer: ControlPeer) => Promise<unknown>;

export async function serveControl(path: string, handle: ControlHandler): Promise<net.Server> {
  const server = net.createServer((socket) => serveClient(socket, handle));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  // The directory is closed to others already.
  chmodSync(path, 0o600);
  return server;
}

function serveClient(socket: net.Socket, handle: ControlHandler): void {
  const actions: (() => void)[] = [];
  const peer: ControlPeer = {
    onGone: (action) => {
      if (socket.destroyed) action();
      else actions.push(action);
    },
  };
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const action of actions.splice(0)) action();
  });
  readJsonLines(socket, (value) => {
    const { id, method, params } = checkRequest(value);
    handle(method, params, peer).then(
      (result) => writeJsonLine(socket, { id, result } satisfies ControlAnswer),
      (error: unknown) => writeJsonLine(socket, { id, error: describe(error) } satisfies ControlAnswer),
    );
  });
}

function checkRequest(value: unknown): ControlRequest {
  const { id, method, params } = (value ?? {}) as Partial<ControlRequest>;
  if (typeof id !== 'number' || typeof method !== 'string') throw new TypeError('not a request');
  return { id, method, params };
}

function describe(error: unknown) {
  if (error instanceof KataMockError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'VM' as const, message: error instanceof Error ? error.message : String(error) };
}
