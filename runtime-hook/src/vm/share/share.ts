import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startWorker, workerUrl } from '@kata-mock/posix';
import { KataMockError } from '../../errors.ts';
import type { ShareCalls, ShareMessage, ShareMethod } from './protocol.ts';

export interface ProcessEnd {
  code: number | null;
  signal: string | null;
}

/** The directory virtiofsd serves, with its own mount namespace. Emits `ended` when a process started here ends. */
export class Share extends EventEmitter<{ ended: [number, ProcessEnd] }> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #nextId = 1;

  private constructor(worker: Worker) {
    super();
    this.#worker = worker;
    worker.on('message', (message: ShareMessage) => this.#receive(message));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () =>
      this.#fail(new KataMockError('VM', 'the thread that holds the shared directory has ended')),
    );
  }

  /** @param sizeBytes bound of what containers write into their throw-away layers */
  static async create(dir: string, sizeBytes: number): Promise<Share> {
    const share = new Share(startWorker(workerUrl(import.meta.url, 'share')));
    try {
      await share.call('init', { dir, sizeBytes });
    } catch (error) {
      await share.close();
      throw new KataMockError('HOST', `cannot set up the shared directory: ${(error as Error).message}`, {
        cause: error,
        hint: 'mounts need root (CAP_SYS_ADMIN); try sudo',
      });
    }
    return share;
  }

  call<M extends ShareMethod>(method: M, params: Parameters<ShareCalls[M]>[0]): Promise<ReturnType<ShareCalls[M]>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, method, params });
    });
  }

  /** Ends the thread; the mounts go with the last process of their namespace. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(message: ShareMessage): void {
    if (message.kind === 'ended') {
      this.emit('ended', message.pid, { code: message.code, signal: message.signal });
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'result') pending?.resolve(message.result);
    else pending?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  #fail(error: Error): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
