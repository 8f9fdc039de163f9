import { VfioUserError } from '../errors.ts';
import type { DeviceServer } from '../server/device-server.ts';
import { Tracer } from './tracer.ts';

/** How often a trace under way is brought to its file, ms. */
const FLUSH_MS = 200;

/** Starts a trace of one function. The file is the caller's choice: who may use the control socket owns the host. */
export function startTrace(server: DeviceServer, { file }: Record<string, unknown>): { file: string } {
  if (typeof file !== 'string' || file === '') throw new VfioUserError('INVALID_OPTION', 'file: give a path');
  if (server.observer) throw new VfioUserError('INVALID_OPTION', 'a trace is under way; stop it first');
  const tracer = new Tracer(file, server.device.name, server);
  server.observer = tracer;
  const flush = () => {
    if (server.observer !== tracer) return;
    tracer.flush();
    if (tracer.failure) return server.log('error', tracer.failure.message);
    server.timers.after(FLUSH_MS, flush);
  };
  server.timers.after(FLUSH_MS, flush);
  return { file };
}

export function stopTrace(server: DeviceServer): { file: string; messages: number } {
  const tracer = server.observer;
  if (!(tracer instanceof Tracer)) throw new VfioUserError('NOT_FOUND', 'no trace is under way');
  server.observer = undefined;
  tracer.close();
  return { file: tracer.file, messages: tracer.messages };
}

/** Brings a trace that may be under way to its file, when the function ends. */
export function endTrace(server: DeviceServer): void {
  if (server.observer === undefined) return;
  try {
    stopTrace(server);
  } catch (error) {
    server.log('error', (error as Error).message);
  }
}
