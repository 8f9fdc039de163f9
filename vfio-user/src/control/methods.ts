import { VfioUserError } from '../errors.ts';
import { aerEvent } from '../faults/events.ts';
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
  'fault-events': (host, { id }) => host.faultEvents.take(functionOf(host, id)),
  aer: (host, { id, fault }) => {
    const event = aerEvent(functionOf(host, id), fault);
    host.tellFault(event);
    return event;
  },
  ...Object.fromEntries(
    perFunction.map((method): [string, ControlMethod] => [
      method,
      (host, { id, ...parameters }) => host.request(text('id', id), method, parameters),
    ]),
  ),
};

function functionOf(host: Host, value: unknown): string {
  const id = text('id', value);
  const known = host.list().map((one) => one.id);
  if (!known.includes(id))
    throw new VfioUserError('NOT_FOUND', `no function ${JSON.stringify(id)}; there are ${known.join(', ')}`);
  return id;
}

/** A parameter that must be a text. */
export function text(name: string, value: unknown): string {
  if (typeof value !== 'string')
    throw new VfioUserError('INVALID_OPTION', `parameter ${name}: ${JSON.stringify(value)} is no text`);
  return value;
}
