import { closeSync } from 'node:fs';
import {
  closeAll,
  eventfd,
  eventfdRead,
  ioctl,
  memfdCreate,
  recvmsg,
  SHUT_WR,
  sendmsg,
  setSocketTimeouts,
  shutdown,
  unixConnect,
} from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import {
  Command,
  DmaMapFlag,
  encodeDmaMap,
  encodeMessage,
  encodeRegionAccess,
  encodeRegionInfoRequest,
  encodeSetIrqs,
  encodeVersion,
  HEADER_BYTES,
  PciIrq,
} from '../protocol/index.ts';

/** Bytes sent that are still in the other end's socket (SIOCOUTQ). */
const SIOCOUTQ = 0x5411;
const STATUS = { offset: 0x2c, region: 0, count: 4 };
const VECTOR = { index: PciIrq.MSIX, start: 0, count: 1, action: 'trigger' } as const;

interface Message {
  bytes: Uint8Array;
  fds: number[];
}

/** A whole life of a client. Without the memfd or the eventfd at the right message the answers are others. */
function session(memory: number, interrupt: number): Message[] {
  const contents: [number, Uint8Array, number[]?][] = [
    [Command.VERSION, encodeVersion({ major: 0, minor: 1, capabilities: { max_msg_fds: 8 } })],
    [Command.DEVICE_GET_REGION_INFO, encodeRegionInfoRequest(0)],
    [Command.REGION_WRITE, encodeRegionAccess(STATUS, Uint8Array.of(0x12, 0x34, 0x56, 0x78))],
    [Command.REGION_READ, encodeRegionAccess(STATUS)],
    [
      Command.DMA_MAP,
      encodeDmaMap({ flags: DmaMapFlag.READ | DmaMapFlag.MMAP, offset: 0n, address: 0x10_0000n, size: 4096n }),
      [memory],
    ],
    [Command.DEVICE_SET_IRQS, encodeSetIrqs({ ...VECTOR, data: 'eventfd' }), [interrupt]],
    [Command.DEVICE_SET_IRQS, encodeSetIrqs({ ...VECTOR, data: 'none' })],
    [Command.DEVICE_RESET, new Uint8Array(0)],
    [Command.REGION_READ, encodeRegionAccess(STATUS)],
  ];
  return contents.map(([command, payload, fds = []], id) => ({
    bytes: encodeMessage({ id, command, flags: 0, errno: 0 }, payload),
    fds,
  }));
}

/**
 * Sends one session to the server at `socketPath` message by message, then again in every other way: split at each byte,
 * byte by byte, and in as few sends as descriptors allow: they belong to the last message that begins in their send.
 * Throws when the answers or the interrupt are not the same each time. Returns the number of sessions.
 */
export function fuzzPieces(socketPath: string): number {
  const memory = memfdCreate('pieces', { size: 4096, seal: true });
  const interrupt = eventfd();
  try {
    const messages = session(memory, interrupt);
    const starts: number[] = [];
    let length = 0;
    for (const { bytes } of messages) {
      starts.push(length);
      length += bytes.length;
    }
    const needed = starts.filter((_, index) => index > 0 && messages[index - 1]!.fds.length > 0);
    const play = (cuts: Iterable<number>) => {
      const answers = playSession(socketPath, messages, new Set([...cuts, ...needed]));
      return `${Buffer.from(answers).toString('hex')}, interrupts ${eventfdRead(interrupt)}`;
    };
    const expected = play(starts);
    if (!expected.endsWith(', interrupts 1'))
      throw new VfioUserError('DEVICE', `the session is not served: ${expected}`);
    const everywhere = Array.from({ length }, (_, at) => at);
    const ways = [[], everywhere, ...everywhere.map((at) => [at]), ...everywhere.map((at) => [...starts, at])];
    for (const cuts of ways) {
      const answers = play(cuts);
      if (answers !== expected)
        throw new VfioUserError('DEVICE', `cut at ${cuts}: the answers are ${answers}, not ${expected}`);
    }
    return 1 + ways.length;
  } finally {
    closeAll([memory, interrupt]);
  }
}

/** Sends the messages cut where told, each piece once the server has the one before it. Returns all it answered. */
function playSession(socketPath: string, messages: readonly Message[], cuts: ReadonlySet<number>): Uint8Array {
  const all = Buffer.concat(messages.map(({ bytes }) => bytes));
  let length = 0;
  const placed = messages.map(({ bytes, fds }) => {
    length += bytes.length;
    return { at: length - bytes.length, end: length, fds };
  });
  const fd = unixConnect(socketPath);
  setSocketTimeouts(fd, { receiveMs: 5000, sendMs: 5000 });
  try {
    const answers = new Answers(fd);
    const ends = [...cuts, all.length].filter((cut) => cut > 0).sort((a, b) => a - b);
    let start = 0;
    for (const to of ends) {
      const begun = placed.filter(({ at }) => at >= start && at < to);
      sendmsg(fd, all.subarray(start, to), { fds: begun.flatMap(({ fds }) => fds) });
      // Two pieces that wait together would be received as one. What was answered was received.
      const ended = placed.filter(({ end }) => end > start && end <= to).length;
      if (ended > 0) answers.receive(ended);
      else untilTaken(fd);
      start = to;
    }
    shutdown(fd, SHUT_WR);
    return answers.rest();
  } finally {
    closeSync(fd);
  }
}

/** Waits until the server has taken all pieces out of its socket: a part of a message it does not leave there. */
function untilTaken(fd: number): void {
  const waiting = Buffer.alloc(4);
  const end = performance.now() + 5000;
  do {
    ioctl(fd, SIOCOUTQ, waiting);
    if (performance.now() > end) throw new VfioUserError('DEVICE', 'the server does not receive');
  } while (waiting.readInt32LE() > 0);
}

/** What the server answers, in one piece. */
class Answers {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(4096);
  #length = 0;
  /** Where the next answer begins. */
  #next = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Waits for so many further ones. */
  receive(count: number): void {
    for (let left = count; left > 0; left--) {
      while (this.#length < this.#next + HEADER_BYTES || this.#length < this.#next + this.#size())
        if (this.#more() === 0) throw new VfioUserError('DEVICE', 'the server hung up');
      this.#next += this.#size();
    }
  }

  /** All of them, once the server has hung up. */
  rest(): Uint8Array {
    while (this.#more() > 0);
    return this.#bytes.subarray(0, this.#length);
  }

  #size(): number {
    return this.#bytes.readUInt32LE(this.#next + 4);
  }

  #more(): number {
    const { bytes, fds } = recvmsg(this.#fd, this.#bytes.subarray(this.#length), { maxFds: 8 });
    closeAll(fds);
    this.#length += bytes;
    return bytes;
  }
}
