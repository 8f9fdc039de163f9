import net from 'node:net';
import { VfioUserError } from '../errors.ts';

const CONNECT_MS = 3000;
const ANSWER_MS = 10_000;
/** QEMU's longest answers are far below; who sends more without an end of line is no QEMU. */
const MAX_LINE_CHARACTERS = 1 << 20;
/** A QEMU that lives for ever tells of ever more; only the latest matter to who waits. */
const KEPT_EVENTS = 1000;

export interface MonitorEvent {
  event: string;
  data?: Record<string, unknown>;
}

type Line = { QMP?: object; return?: unknown; error?: { class: string; desc: string } } & Partial<MonitorEvent>;

/** QEMU's monitor (QMP) on a unix socket: what happens to a device beside vfio-user is asked for here. */
export class Monitor {
  readonly path: string;
  readonly #socket: net.Socket;
  readonly #events: MonitorEvent[] = [];
  #taken: ((line: Line) => void) | undefined;
  #arrived: (() => void) | undefined;
  #closed: Error | undefined;

  /** Throws DISCONNECTED when nobody listens, or when another client keeps the monitor to itself: QEMU serves one. */
  static async connect(path: string): Promise<Monitor> {
    const monitor = new Monitor(path);
    try {
      await monitor.#within(CONNECT_MS, 'does not greet; does another client keep it?', (resolve) => {
        monitor.#taken = (line) => line.QMP && resolve(undefined);
      });
      await monitor.execute('qmp_capabilities');
      return monitor;
    } catch (error) {
      monitor.close();
      throw error;
    }
  }

  private constructor(path: string) {
    this.path = path;
    this.#socket = net.connect(path);
    const end = (reason: string) => {
      this.#closed ??= this.#error(reason);
    };
    this.#socket.on('error', (error) => end(error.message)).on('close', () => end('QEMU closed it'));
    let text = '';
    this.#socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop()!;
      for (const line of lines) this.#line(line);
      if (text.length > MAX_LINE_CHARACTERS) this.#refuse(text);
    });
  }

  /** Runs one command. Throws REPLY with what QEMU says against it. */
  async execute(command: string, parameters: object = {}): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    const line = await this.#within<Line>(ANSWER_MS, `does not answer ${command}`, (resolve) => {
      this.#taken = resolve;
    });
    if (line.error) throw new VfioUserError('REPLY', `QEMU monitor, ${command}: ${line.error.desc}`);
    return line.return;
  }

  /** The first event since the connection that is the one wanted. */
  async event(wanted: (event: MonitorEvent) => boolean, timeoutMs: number, otherwise: string): Promise<MonitorEvent> {
    return this.#within(timeoutMs, otherwise, (resolve) => {
      this.#arrived = () => {
        const found = this.#events.find(wanted);
        if (found) resolve(found);
      };
      this.#arrived();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #line(text: string): void {
    let line: Line | null;
    try {
      line = JSON.parse(text) as Line | null;
    } catch {
      line = null;
    }
    if (typeof line !== 'object' || line === null) this.#refuse(text);
    else if (line.event === undefined) this.#taken?.(line);
    else {
      this.#events.push(line as MonitorEvent);
      if (this.#events.length > KEPT_EVENTS) this.#events.shift();
      this.#arrived?.();
    }
  }

  #refuse(text: string): void {
    this.#socket.destroy(new Error(`${JSON.stringify(text.slice(0, 80))} is no answer of QEMU's monitor`));
  }

  #within<T>(timeoutMs: number, otherwise: string, start: (resolve: (value: T) => void) => void): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#error(otherwise)), timeoutMs);
      const settle = (action: () => void) => {
        clearTimeout(timer);
        this.#socket.off('close', gone);
        action();
      };
      const gone = () => settle(() => reject(this.#closed ?? this.#error('QEMU closed it')));
      this.#socket.once('close', gone);
      start((value) => settle(() => resolve(value)));
    });
  }

  #error(reason: string): VfioUserError {
    return new VfioUserError('DISCONNECTED', `QEMU monitor ${JSON.stringify(this.path)}: ${reason}`);
  }
}
