import type { Socket } from 'node:net';

/** Longest line taken, in bytes; a container's spec travels in one. */
const maxLineBytes = 8 * 1024 * 1024;

/** Calls `onLine` with each JSON value a line holds; a line that is none, or too long, ends the connection. */
export function readJsonLines(socket: Socket, onValue: (value: unknown) => void): void {
  let partial: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...partial, rest.subarray(0, end)]).toString('utf8');
      partial = [];
      size = 0;
      rest = rest.subarray(end + 1);
      try {
        onValue(JSON.parse(line));
      } catch {
        socket.destroy();
        return;
      }
    }
    size += rest.byteLength;
    if (size > maxLineBytes) socket.destroy();
    else if (rest.byteLength > 0) partial.push(rest);
  });
}

export function writeJsonLine(socket: Socket, value: unknown): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`);
}
