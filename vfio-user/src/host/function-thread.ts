import { closeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import { closeAll, eventfd, eventfdWrite, startWorker, workerUrl } from '@kata-mock/posix';
import { describeFailure, VfioUserError, type VfioUserErrorCode } from '../errors.ts';
import { ClientDescriptors, descriptorList } from '../server/client-descriptors.ts';
import { ListeningSocket } from '../transport/listening-socket.ts';
import { ClientSockets } from './client-sockets.ts';
import type { DescriptorShare } from './descriptor-share.ts';
import type { FunctionSpec, WorkerData, WorkerEvent, WorkerRequest } from './messages.ts';

/** How long a thread may take to leave its loop before its connections are ended under it, ms: its client may not read. */
const SHUTDOWN_MS = 150;
/** How long before the thread is ended from outside, ms. */
const TERMINATE_MS = 300;
/** Heaps of these sizes are enough for a device, MB. Named limits make a further function 0.8 MB smaller. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 };

/** One function as the main thread sees it: its socket, its worker, requests to it. */
export class FunctionThread {
  readonly spec: FunctionSpec;
  /** Resolves when the worker has ended; never rejects. */
  readonly closed: Promise<void>;
  readonly #listening: ListeningSocket;
  readonly #wakeFd = eventfd();
  readonly #wakeFlag = new SharedArrayBuffer(4);
  readonly #clientMemory = ClientSockets.memory();
  readonly #client = new ClientSockets(this.#clientMemory);
  /** What the thread holds of its client, once it is started. */
  #descriptors: ClientDescriptors | undefined;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #onEvent: (event: WorkerEvent) => void;
  #resolveClosed: () => void = () => {};
  #worker: Worker | undefined;
  #nextId = 1;
  #ended = false;

  /** Listens at once; clients wait until {@link start}. */
  constructor(spec: FunctionSpec, onEvent: (event: WorkerEvent) => void) {
    this.spec = spec;
    this.#onEvent = onEvent;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    try {
      this.#listening = new ListeningSocket(spec.socketPath);
    } catch (error) {
      closeSync(this.#wakeFd);
      throw error;
    }
  }

  start(options: Pick<WorkerData, 'onClientGone' | 'keepState'>, share: DescriptorShare): void {
    const list = descriptorList(share.processLimit);
    this.#descriptors = new ClientDescriptors(share.each, list);
    const workerData: WorkerData = {
      spec: this.spec,
      listenFd: this.#listening.fd,
      wakeFd: this.#wakeFd,
      wakeFlag: this.#wakeFlag,
      clientSockets: this.#clientMemory,
      descriptorList: list,
      maxDescriptors: share.each,
      ...options,
    };
    // Gives the threads to come a gc(); see function.worker.ts.
    setFlagsFromString('--expose-gc');
    const worker = startWorker(workerUrl(import.meta.url, 'function'), {
      workerData,
      name: this.spec.id,
      // Descriptors come by recvmsg, which Node does not know of.
      trackUnmanagedFds: false,
      resourceLimits: HEAP,
    });
    this.#worker = worker;
    worker.on('message', (event: WorkerEvent) => this.#event(event));
    worker.on('error', (error) => {
      const fields = describeFailure(error);
      this.#onEvent({ type: 'log', level: 'error', message: 'the device thread failed', fields });
    });
    worker.on('exit', () => this.#exited());
  }

  /** Asks the function something; answered between two of its client's messages. */
  request(method: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#ended || !this.#worker)
      return Promise.reject(new VfioUserError('DISCONNECTED', `function ${this.spec.id} has ended`));
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#post({ id, method, parameters });
    return reply;
  }

  async stop(): Promise<void> {
    if (!this.#worker) this.#exited();
    if (this.#ended) return;
    this.#post({ id: 0, method: 'stop', parameters: {} });
    const timers = [
      // A thread that waits for its client to read on never looks.
      setTimeout(() => this.#client.shutdown(), SHUTDOWN_MS),
      // Neither does a device model in an endless loop.
      setTimeout(() => void this.#worker?.terminate(), TERMINATE_MS),
    ];
    await this.closed;
    for (const timer of timers) clearTimeout(timer);
  }

  #post(request: WorkerRequest): void {
    this.#worker!.postMessage(request);
    // In this order: a thread that sees the flag empties the descriptor, which nobody does after it.
    eventfdWrite(this.#wakeFd);
    Atomics.store(new Int32Array(this.#wakeFlag), 0, 1);
  }

  #event(event: WorkerEvent): void {
    if (event.type !== 'reply' && event.type !== 'failed') {
      this.#onEvent(event);
      return;
    }
    const waiting = this.#waiting.get(event.id);
    this.#waiting.delete(event.id);
    if (event.type === 'reply') waiting?.resolve(event.result);
    else waiting?.reject(new VfioUserError(event.code as VfioUserErrorCode, event.message));
  }

  #exited(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { reject } of this.#waiting.values())
      reject(new VfioUserError('DISCONNECTED', `function ${this.spec.id} has ended`));
    this.#waiting.clear();
    this.#listening.close();
    closeSync(this.#wakeFd);
    // One that was ended from outside could not do it.
    closeAll([...this.#client.takeAll(), ...(this.#descriptors?.takeAll() ?? [])]);
    this.#resolveClosed();
  }
}
