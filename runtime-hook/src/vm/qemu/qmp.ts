/** QEMU's machine protocol: one JSON object a line, answers by id, events in between. */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { KataMockError } from '../../errors.ts';

/** A guest can break QEMU; an endless line must not break us. */
const maxLineBytes = 4 * 1024 * 1024;

export interface QmpEvent {
  event: string;
  data?: unknown;
}

interface Pending {
  command: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Emits `event` (QmpEvent) and, once, `close`. */
export class Qmp extends EventEmitter<{ event: [QmpEvent]; close: [] }> {
  readonly #stream: Duplex;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #partial = '';
  #closed = false;
  #greeted: ((greeting: unknown) => void) | undefined;

  private constructor(stream: Duplex) {
    super();
    this.#stream = stream;
  }

  /**
   * Waits for QEMU's greeting and negotiates. `stream` may be connected before QEMU runs: the shim dials its own
   * listening socket first and passes it on.
   */
  static async open(stream: Duplex, signal?: AbortSignal): Promise<Qmp> {
    const qmp = new Qmp(stream);
    const greeting = new Promise<unknown>((resolve, reject) => {
      qmp.#greeted = resolve;
      qmp.once('close', () => reject(new KataMockError('VM', 'QEMU ended before it greeted on QMP')));
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => qmp.#receive(text));
    stream.on('end', () => qmp.close());
    stream.on('close', () => qmp.#close());
    stream.on('error', () => qmp.#close());
    await greeting;
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  execute(command: string, args?: Record<string, unknown>): Promise<unknown> {
    if (this.#closed) return Promise.reject(gone(command));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
      this.#stream.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }), id })}\n`);
    });
  }

  close(): void {
    this.#stream.destroy();
    this.#close();
  }

  #receive(text: string): void {
    this.#partial += text;
    if (this.#partial.length > maxLineBytes) {
      this.close();
      return;
    }
    const lines = this.#partial.split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') this.#message(line);
    }
  }

  #message(line: string): void {
    let message: {
      QMP?: unknown;
      event?: string;
      data?: unknown;
      id?: number;
      return?: unknown;
      error?: { desc?: string };
    };
    try {
      message = JSON.parse(line);
    } catch {
      this.close();
      return;
    }
    if (message.QMP !== undefined) this.#greeted?.(message.QMP);
    else if (typeof message.event === 'string') this.emit('event', { event: message.event, data: message.data });
    else this.#answer(message);
  }

  #answer(message: { id?: number; return?: unknown; error?: { desc?: string } }): void {
    const pending = this.#pending.get(message.id ?? -1);
    if (!pending) return;
    this.#pending.delete(message.id ?? -1);
    if (message.error)
      pending.reject(new KataMockError('VM', `QEMU refuses ${pending.command}: ${message.error.desc}`));
    else pending.resolve(message.return);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of this.#pending.values()) pending.reject(gone(pending.command));
    this.#pending.clear();
    this.emit('close');
  }
}

function gone(command: string): KataMockError {
  return new KataMockError('VM', `QEMU has ended; it cannot answer ${command}`);
}
