import { createRequire } from 'node:module';
import type net from 'node:net';
import { VfioUserError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { ListeningSocket } from '../transport/listening-socket.ts';
import { type ControlMethod, methods } from './methods.ts';

/** One request is a line of JSON of at most this many bytes. */
const MAX_LINE_BYTES = 1 << 20;

export interface ControlServer {
  close(): Promise<void>;
}

/** Requests by name. Parameters are the peer's: check them. */
export type ControlTable = Record<string, (parameters: Record<string, unknown>) => unknown>;

/** Answers requests to a host on a unix socket, as {@link serveControl} does. */
export function startControlServer(
  host: Host,
  path: string,
  more: Record<string, ControlMethod> = {},
): Promise<ControlServer> {
  const bound = Object.entries({ ...methods, ...more }).map(([name, method]): [string, ControlTable[string]] => [
    name,
    (parameters) => method(host, parameters),
  ]);
  return serveControl(path, Object.fromEntries(bound));
}

/**
 * Answers requests on a unix socket (mode 0600): JSON line `{method, params}` in, `{result}` or `{error: {code, message}}`
 * out. A client's requests are carried out and answered one after the other.
 */
export async function serveControl(path: string, table: ControlTable): Promise<ControlServer> {
  // Loaded here, since it takes 4 ms, and a host's functions are to listen before that.
  const { createServer } = createRequire(import.meta.url)('node:net') as typeof net;
  const sockets = new Set<net.Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    let text = '';
    let work = Promise.resolve();
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_LINE_BYTES && !text.includes('\n')) return void socket.destroy();
      const lines = text.split('\n');
      text = lines.pop()!;
      if (lines.length > 0) work = work.then(() => answerAll(socket, table, lines));
    });
  });
  // Given a descriptor, Node leaves the file alone; it would remove whatever is at a path.
  const listening = new ListeningSocket(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ fd: listening.fd }, resolve);
  });
  // What is controlled decides how long the process lives, not this socket.
  server.unref();
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        listening.removeFile();
        server.close(() => resolve());
      }),
  };
}

/** One after the other; whoever sends requests and takes no answers is not read from any further. */
async function answerAll(socket: net.Socket, table: ControlTable, lines: readonly string[]): Promise<void> {
  socket.pause();
  for (const line of lines) {
    const reply = await answer(table, line);
    if (socket.destroyed) return;
    if (!socket.write(`${reply}\n`))
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off('drain', done).off('close', done);
          resolve();
        };
        socket.on('drain', done).on('close', done);
      });
  }
  socket.resume();
}

async function answer(table: ControlTable, line: string): Promise<string> {
  try {
    const request = JSON.parse(line) as { method?: unknown; params?: unknown };
    const { method } = request ?? {};
    if (typeof method !== 'string' || !Object.hasOwn(table, method))
      throw new VfioUserError(
        'NOT_FOUND',
        `no method ${String(JSON.stringify(method)).slice(0, 80)}; there are ${Object.keys(table).join(', ')}`,
      );
    const params = (request.params ?? {}) as Record<string, unknown>;
    return JSON.stringify({ result: (await table[method]!(params)) ?? null });
  } catch (error) {
    const { code = 'INVALID_OPTION', message } = error as Error & { code?: string };
    return JSON.stringify({ error: { code, message } });
  }
}
