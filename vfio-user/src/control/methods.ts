import { VfioUserError } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** One request of the control socket. Parameters are the peer's: check them. */
export type ControlMethod = (host: Host, parameters: Record<string, unknown>) => unknown;

/** Requests that go to the function that parameter `id` names. */
const perFunction = [
  'registers',
  'stats',
  'fault-set',
  'fault-list',
  'fault-clear',
  'interrupt',
  'trace-start',
  'trace-stop',
  'reload',
];

/** The requests every host understands. */
export const methods: Record<string, ControlMethod> = {
  list: (host) => host.list(),
  stop: (host) => {
    setImmediate(() => void host.stop());
  },
  ...Object.fromEntries(
    perFunction.map((method): [string, ControlMethod] => [
      method,
      (host, { id, ...parameters }) => host.request(text('id', id), method, parameters),
    ]),
  ),
};

/** A parameter that must be a text. */
export function text(name: string, value: unknown): string {
  if (typeof value !== 'string')
    throw new VfioUserError('INVALID_OPTION', `parameter ${name}: ${JSON.stringify(value)} is no text`);
  return value;
}
