import type { FaultRule } from '../faults/rule.ts';
import type { LogLevel } from '../server/bus.ts';

/** One device function for {@link startHost}. */
export interface FunctionSpec {
  id: string;
  socketPath: string;
  /** `mock-accel`, or the file: URL of a module whose default export is a device or makes one from the options. */
  model: string;
  options: Record<string, unknown>;
}

/** What the worker of a function is started with. */
export interface WorkerData {
  spec: FunctionSpec;
  listenFd: number;
  wakeFd: number;
  wakeFlag: SharedArrayBuffer;
  /** Of the ClientSockets that host and worker share. */
  clientSockets: SharedArrayBuffer;
  /** Of the ClientDescriptors, and how many there may be. */
  descriptorList: SharedArrayBuffer;
  maxDescriptors: number;
  onClientGone: 'exit' | 'relisten';
  keepState: boolean;
}

export interface WorkerRequest {
  id: number;
  method: string;
  parameters: Record<string, unknown>;
}

/** What a worker tells the host. */
export type WorkerEvent =
  | { type: 'reply'; id: number; result: unknown }
  | { type: 'failed'; id: number; code: string; message: string }
  | { type: 'connected' }
  | { type: 'disconnected' }
  | { type: 'fault'; rule: FaultRule }
  | { type: 'log'; level: LogLevel; message: string; fields: Record<string, unknown> };
