import { VfioUserError } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** One request of the control socket. Parameters are the peer's: check them. */
export type ControlMethod = (host: Host, parameters: Record<string, unknown>) => unknown;

/** The requests every host understands. */
export const methods: Record<string, ControlMethod> = {
  list: (host) => host.list(),
  registers: (host, parameters) => host.registers(text(parameters, 'id')),
  stats: (host, parameters) => host.request(text(parameters, 'id'), 'stats'),
  stop: (host) => {
    setImmediate(() => void host.stop());
  },
};

/** A parameter that must be a text. */
export function text(parameters: Record<string, unknown>, name: string): string {
  const value = parameters[name];
  if (typeof value !== 'string')
    throw new VfioUserError('INVALID_OPTION', `parameter ${name}: ${JSON.stringify(value)} is no text`);
  return value;
}
