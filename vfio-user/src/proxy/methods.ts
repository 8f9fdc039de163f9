import type { ControlTable } from '../control/server.ts';
import { VfioUserError } from '../errors.ts';
import { aerEvent } from '../faults/events.ts';
import { PROXY_ID as ID, type ProxyServer } from './proxy-server.ts';

/** What a proxy's control socket answers: the requests of a host that do not need the device. */
export function proxyMethods(proxy: ProxyServer): ControlTable {
  const { listen, connect } = proxy.options;
  const methods: ControlTable = {
    list: () => [{ id: ID, model: 'proxy', socketPath: listen, server: connect }],
    stats: () => ({ connected: proxy.connected, clients: proxy.clients }),
    'fault-set': ({ rule }) => proxy.setFault(rule),
    'fault-list': () => proxy.faults.list(),
    'fault-clear': ({ rule }) => {
      const cleared = proxy.faults.clear(rule as string | undefined);
      if (rule !== undefined && cleared === 0)
        throw new VfioUserError('NOT_FOUND', `no fault ${JSON.stringify(rule)} is set`);
      return { cleared };
    },
    'fault-events': () => proxy.faultEvents.take(ID),
    aer: ({ fault }) => {
      const event = aerEvent(ID, fault);
      proxy.faultEvents.add(event);
      return event;
    },
    'trace-start': ({ file }) => {
      if (typeof file !== 'string' || file === '') throw new VfioUserError('INVALID_OPTION', 'file: give a path');
      proxy.startTrace(file);
      return { file };
    },
    'trace-stop': () => proxy.stopTrace(),
    stop: () => proxy.stop(),
  };
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]): [string, ControlTable[string]] => [
      name,
      (parameters) => {
        const { id = ID } = parameters;
        if (id !== ID) throw new VfioUserError('NOT_FOUND', `no function ${JSON.stringify(id)}; there is ${ID}`);
        return method(parameters);
      },
    ]),
  );
}
