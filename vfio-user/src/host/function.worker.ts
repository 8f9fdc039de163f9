/** One function of a host: its device and the loop that serves it, blocking this thread. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { mallocTrim } from '@kata-mock/posix';
import type { FaultRule } from '../faults/rule.ts';
import type { Log } from '../server/bus.ts';
import { ClientDescriptors } from '../server/client-descriptors.ts';
import { DeviceServer } from '../server/device-server.ts';
import { endTrace } from '../trace/control.ts';
import { ClientSockets } from './client-sockets.ts';
import type { WorkerData, WorkerEvent, WorkerRequest } from './messages.ts';
import { createDevice } from './models.ts';
import { requests } from './requests.ts';
import { serveClients } from './serve-clients.ts';

const { spec, listenFd, wakeFd, wakeFlag, onClientGone, keepState, ...shared } = workerData as WorkerData;
const port = parentPort!;
const tell = (event: WorkerEvent) => port.postMessage(event);
const outside = (rule: FaultRule) => tell({ type: 'fault', rule });
const log: Log = (level, message, fields = {}) => tell({ type: 'log', level, message, fields });

// No await at the top: bundled as CommonJS, a thread starts without Node's module loader.
void serve();

async function serve(): Promise<void> {
  const device = await createDevice(spec.model, spec.options);
  const server = new DeviceServer(device, {
    log,
    keepState,
    descriptors: new ClientDescriptors(shared.maxDescriptors, shared.descriptorList),
  });
  // What starting left behind is 1.3 MB; from now on next to nothing is allocated, so nothing would collect it.
  (globalThis as { gc?(): void }).gc?.();
  mallocTrim();
  try {
    serveClients(server, {
      listenFd,
      wakeFd,
      wakeFlag: new Int32Array(wakeFlag),
      clientSockets: new ClientSockets(shared.clientSockets),
      onClientGone,
      connected: () => tell({ type: 'connected' }),
      disconnected: () => tell({ type: 'disconnected' }),
      woken() {
        let stop = false;
        for (let item = receiveMessageOnPort(port); item; item = receiveMessageOnPort(port)) {
          const request = item.message as WorkerRequest;
          if (request.method === 'stop') stop = true;
          else answer(server, request);
        }
        return stop;
      },
    });
  } finally {
    endTrace(server);
    device.close?.();
  }
}

function answer(server: DeviceServer, { id, method, parameters }: WorkerRequest): void {
  try {
    const handler = Object.hasOwn(requests, method) ? requests[method] : undefined;
    const result = handler ? handler(server, parameters, outside) : server.device.control?.(method, parameters);
    tell({ type: 'reply', id, result });
  } catch (error) {
    const { code = 'DEVICE', message } = error as Error & { code?: string };
    tell({ type: 'failed', id, code, message });
  }
}
