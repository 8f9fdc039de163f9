import net from 'node:net';
import path from 'node:path';

/** The device host's control socket in its VM's directory. */
export function deviceHostSocket(vmDirectory: string): string {
  return path.join(vmDirectory, 'control.sock');
}

export interface DeviceHostWatch {
  /** Resolves when the device host has gone. */
  gone: Promise<void>;
  close(): void;
}

/** Notices the end of a device host, however it comes, by a connection that breaks. */
export async function watchDeviceHost(vmDirectory: string): Promise<DeviceHostWatch> {
  const socket = net.connect(deviceHostSocket(vmDirectory));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  socket.resume();
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { gone, close: () => socket.destroy() };
}
