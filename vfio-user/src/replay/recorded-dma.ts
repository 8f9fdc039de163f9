import { Command, Errno, encodeMessage, HEADER_BYTES, HeaderFlag, readHeader, viewOf } from '../protocol/index.ts';
import { Origin, type TraceRecord } from '../trace/pcapng.ts';

/** A command of the server in a recording, and the client's answer to it. */
interface Exchange {
  /** Index in the recording. */
  record: number;
  request: Uint8Array;
  reply: Uint8Array | undefined;
}

/** A command of the server that came otherwise than recorded; undefined where there was none. */
export interface DmaDifference {
  record: number | undefined;
  id: number;
  command: number;
  recorded: string | undefined;
  replayed: string | undefined;
}

/** Plays the client's part in DMA by messages: the nth command of the server gets the nth answer of the recording. */
export class RecordedDma {
  readonly differences: DmaDifference[] = [];
  readonly #exchanges: Exchange[];
  #next = 0;

  constructor(records: readonly TraceRecord[]) {
    this.#exchanges = exchangesOf(records);
  }

  /** The answer to `message`, with its id; undefined when it is no command of the server. */
  answer(message: Uint8Array): Uint8Array | undefined {
    if (!isDma(message, HeaderFlag.TYPE_COMMAND)) return undefined;
    const exchange = this.#exchanges[this.#next++];
    const { id, command } = readHeader(viewOf(message), 0);
    const recorded = exchange && withoutId(exchange.request);
    const replayed = withoutId(message);
    if (recorded !== replayed) this.differences.push({ record: exchange?.record, id, command, recorded, replayed });
    // Nothing to tell: an error, so that the device does not wait for an answer that cannot come.
    if (!exchange?.reply || readHeader(viewOf(exchange.request), 0).command !== command)
      return encodeMessage({ id, command, flags: HeaderFlag.TYPE_REPLY | HeaderFlag.ERROR, errno: Errno.EIO });
    const reply = exchange.reply.slice();
    viewOf(reply).setUint16(0, id, true);
    return reply;
  }

  /** Adds the commands of the recording that the server did not send. After the last message. */
  finish(): void {
    for (const { record, request } of this.#exchanges.slice(this.#next)) {
      const { id, command } = readHeader(viewOf(request), 0);
      this.differences.push({ record, id, command, recorded: withoutId(request), replayed: undefined });
    }
  }
}

function exchangesOf(records: readonly TraceRecord[]): Exchange[] {
  const exchanges: Exchange[] = [];
  const open = new Map<number, Exchange>();
  records.forEach(({ message, origin }, record) => {
    const fromServer = origin === Origin.SERVER;
    if (origin === Origin.RANDOM || !isDma(message, fromServer ? HeaderFlag.TYPE_COMMAND : HeaderFlag.TYPE_REPLY))
      return;
    const { id } = readHeader(viewOf(message), 0);
    if (fromServer) {
      const exchange: Exchange = { record, request: message, reply: undefined };
      exchanges.push(exchange);
      open.set(id, exchange);
    } else {
      const exchange = open.get(id);
      if (exchange) exchange.reply = message;
      open.delete(id);
    }
  });
  return exchanges;
}

function isDma(message: Uint8Array, type: number): boolean {
  if (message.length < HEADER_BYTES) return false;
  const { command, flags } = readHeader(viewOf(message), 0);
  return (flags & HeaderFlag.TYPE_MASK) === type && (command === Command.DMA_READ || command === Command.DMA_WRITE);
}

/** Hexadecimal, with the id zero: a server may number its commands as it likes. */
function withoutId(message: Uint8Array): string {
  return `0000${Buffer.from(message).toString('hex', 2)}`;
}
