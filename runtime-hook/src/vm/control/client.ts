import net from 'node:net';
import { KataMockError } from '../../errors.ts';
import { readJsonLines, writeJsonLine } from './lines.ts';
import type { ControlAnswer, ControlCalls, ControlMethod } from './protocol.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A connection to the owner of a sandbox. */
export class ControlClient {
  readonly #socket: net.Socket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  /** Resolves when the owner has gone. */
  readonly closed: Promise<void>;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new KataMockError('VM', 'the sandbox has ended'));
      this.#pending.clear();
    });
    readJsonLines(socket, (value) => this.#answer(value as ControlAnswer));
  }

  static async open(path: string): Promise<ControlClient> {
    const socket = net.connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new ControlClient(socket);
  }

  async call<M extends ControlMethod>(
    method: M,
    params: Parameters<ControlCalls[M]>[0],
    options: { timeoutMs?: number } = {},
  ): Promise<ReturnType<ControlCalls[M]>> {
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      if (this.#socket.destroyed) reject(new KataMockError('VM', 'the sandbox has ended'));
      writeJsonLine(this.#socket, { id, method, params });
      if (options.timeoutMs !== undefined) {
        const reason = `the owner of the sandbox does not answer ${method} within ${options.timeoutMs} ms`;
        timer = setTimeout(() => reject(new KataMockError('VM', reason)), options.timeoutMs);
      }
    });
    try {
      return (await answer) as ReturnType<ControlCalls[M]>;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #answer(answer: ControlAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (!pending) return;
    if ('error' in answer) {
      const { code, message, hint } = answer.error;
      pending.reject(new KataMockError(code, message, { hint }));
    } else pending.resolve(answer.result);
  }
}
