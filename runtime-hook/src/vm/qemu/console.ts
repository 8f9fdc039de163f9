import net from 'node:net';
import type { BoundedLog } from '../process/bounded-log.ts';

/** Copies the guest's console into a log, as the shim reads it from QEMU's socket. */
export function recordConsole(socketPath: string, log: BoundedLog, onLine?: (line: string) => void): net.Socket {
  const socket = net.connect(socketPath);
  let partial = '';
  socket.on('data', (chunk: Buffer) => {
    log.write(chunk);
    if (!onLine) return;
    const lines = (partial + chunk.toString('latin1')).split(/\r?\n/);
    partial = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) onLine(line);
  });
  socket.on('error', () => {});
  // The VM's end is noticed elsewhere.
  socket.unref();
  return socket;
}
