/** One function of a host: its device and the loop that serves it, blocking this thread. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { FaultRule } from '../faults/rule.ts';
import type { Log } from '../server/bus.ts';
import { DeviceServer } from '../server/device-server.ts';
import type { WorkerData, WorkerEvent, WorkerRequest } from './messages.ts';
import { createDevice } from './models.ts';
import { requests } from './requests.ts';
import { serveClients } from './serve-clients.ts';

const { spec, listenFd, wakeFd, wakeFlag, onClientGone, keepState } = workerData as WorkerData;
const port = parentPort!;
const tell = (event: WorkerEvent) => port.postMessage(event);
const outside = (rule: FaultRule) => tell({ type: 'fault', rule });
const log: Log = (level, message, fields = {}) => tell({ type: 'log', level, message, fields });

const device = await createDevice(spec.model, spec.options);
const server = new DeviceServer(device, { log, keepState });

try {
  serveClients(server, {
    listenFd,
    wakeFd,
    wakeFlag: new Int32Array(wakeFlag),
    onClientGone,
    connected: () => tell({ type: 'connected' }),
    disconnected: () => tell({ type: 'disconnected' }),
    woken() {
      let stop = false;
      for (let item = receiveMessageOnPort(port); item; item = receiveMessageOnPort(port)) {
        const request = item.message as WorkerRequest;
        if (request.method === 'stop') stop = true;
        else answer(request);
      }
      return stop;
    },
  });
} finally {
  device.close?.();
}

function answer({ id, method, parameters }: WorkerRequest): void {
  try {
    const handler = Object.hasOwn(requests, method) ? requests[method] : undefined;
    const result = handler ? handler(server, parameters, outside) : device.control?.(method, parameters);
    tell({ type: 'reply', id, result });
  } catch (error) {
    const { code = 'DEVICE', message } = error as Error & { code?: string };
    tell({ type: 'failed', id, code, message });
  }
}
