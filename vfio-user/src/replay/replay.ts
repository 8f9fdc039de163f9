import { eventfd, memfdCreate } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import {
  Command,
  commandName,
  decodeDmaMap,
  HEADER_BYTES,
  type Header,
  HeaderFlag,
  payloadOf,
  readHeader,
  viewOf,
} from '../protocol/index.ts';
import type { VfioDevice } from '../server/device.ts';
import { DeviceServer } from '../server/device-server.ts';
import type { Session } from '../server/session.ts';
import { Origin, type TraceRecord } from '../trace/pcapng.ts';
import { MemoryChannel } from '../transport/memory-channel.ts';
import { RecordedDma } from './recorded-dma.ts';
import { RecordedTime } from './recorded-time.ts';

/** One place where the device answered, or used DMA by messages, otherwise than in the recording. */
export interface ReplayDifference {
  /** Index of the command in the recording; of the client's command at hand for DMA that is not recorded. */
  record: number;
  id: number;
  command: number;
  /** Hexadecimal; undefined when there was no answer. */
  recorded: string | undefined;
  replayed: string | undefined;
}

export interface ReplayResult {
  /** Client messages given to the device. */
  commands: number;
  differences: ReplayDifference[];
}

/** A guest memory region of a recording is replaced by an empty sparse file; the server takes none larger than this. */
const MAX_STAND_IN_BYTES = 1n << 43n;

export interface ReplayOptions {
  /** The recorded server kept registers and memory from one client to the next. Default false: it reset them. */
  keepState?: boolean;
}

/**
 * Gives the client's messages of a recording to a device, without a VM, and compares its answers. Guest memory is not
 * part of a recording, so what the device reads in mapped memory is zeros. DMA by messages is: its nth command gets the
 * nth recorded answer, and the commands are compared too. Timers of the device go by the recording's time, and what it
 * takes of random bytes is what it took then. Throws INVALID_OPTION for a recording that begins in the middle.
 */
export function replay(
  device: VfioDevice,
  records: readonly TraceRecord[],
  { keepState = false }: ReplayOptions = {},
): ReplayResult {
  const time = new RecordedTime();
  const random = recordedRandom(records);
  const server = new DeviceServer(device, { clock: () => time.now, random, keepState });
  const dma = new RecordedDma(records);
  const recorded = repliesByCommand(records);
  const differences: ReplayDifference[] = [];
  let commands = 0;
  let client: Replayed | undefined;
  try {
    records.forEach((record, index) => {
      time.advance(server, record);
      const header = clientCommand(record);
      if (header === undefined) return;
      const { id, command } = header;
      const expected = recorded.get(index);
      if (command === Command.VERSION && !isError(expected)) {
        server.disconnect();
        client = connect(server, dma);
      }
      if (client === undefined) throw beginsInTheMiddle(record);
      if (client.session.state === 'closed') return;
      commands++;
      client.channel.push(record.message.slice(), standIns(record, command));
      while (client.channel.hasIncoming && client.session.step(0));
      const replayed = replyTo(client.channel.takeSent(), id);
      if (replayed !== expected) differences.push({ record: index, id, command, recorded: expected, replayed });
      for (const found of dma.differences.splice(0)) differences.push({ ...found, record: found.record ?? index });
    });
    dma.finish();
    for (const found of dma.differences) differences.push({ ...found, record: found.record ?? records.length - 1 });
  } finally {
    server.disconnect();
    client?.channel.takeSent();
  }
  return { commands, differences };
}

interface Replayed {
  channel: MemoryChannel;
  session: Session;
}

/** A client of the recording, who answers the device's DMA as it did then. */
function connect(server: DeviceServer, dma: RecordedDma): Replayed {
  const channel: MemoryChannel = new MemoryChannel(() => {
    const request = channel.sent.at(-1);
    const answer = request && dma.answer(request.bytes);
    if (answer) channel.push(answer);
  });
  return { channel, session: server.connect(channel) };
}

/** The header of a record that is a command of the client. */
function clientCommand({ origin, message }: TraceRecord): Header | undefined {
  if (origin !== Origin.CLIENT || message.length < HEADER_BYTES) return undefined;
  const header = readHeader(viewOf(message), 0);
  return (header.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY ? undefined : header;
}

/** A VERSION that was refused began no session. */
function isError(reply: string | undefined): boolean {
  return reply !== undefined && (readHeader(viewOf(Buffer.from(reply, 'hex')), 0).flags & HeaderFlag.ERROR) !== 0;
}

function beginsInTheMiddle({ message }: TraceRecord): VfioUserError {
  const what = commandName(readHeader(viewOf(message), 0).command);
  return new VfioUserError(
    'INVALID_OPTION',
    `the recording begins with ${what}, in the middle of a session whose state it does not have: record from before the client connects (--trace)`,
  );
}

/** The random bytes of the recording in their order; the system's when there are no more, which will differ. */
function recordedRandom(records: readonly TraceRecord[]): (bytes: number) => Uint8Array {
  const taken = records.filter(({ origin }) => origin === Origin.RANDOM).map(({ message }) => message);
  return (bytes) => {
    const next = taken.shift();
    return next?.length === bytes ? next : crypto.getRandomValues(new Uint8Array(bytes));
  };
}

/** The reply to each command: the next one of the server with its id. */
function repliesByCommand(records: readonly TraceRecord[]): Map<number, string> {
  const waiting = new Map<number, number[]>();
  const found = new Map<number, string>();
  records.forEach(({ message, origin }, index) => {
    if (origin === Origin.RANDOM || message.length < HEADER_BYTES) return;
    const fromServer = origin === Origin.SERVER;
    const { id, flags } = readHeader(viewOf(message), 0);
    const reply = (flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY;
    if (!fromServer && !reply && (flags & HeaderFlag.NO_REPLY) === 0)
      waiting.set(id, [...(waiting.get(id) ?? []), index]);
    const command = fromServer && reply ? waiting.get(id)?.shift() : undefined;
    if (command !== undefined) found.set(command, Buffer.from(message).toString('hex'));
  });
  return found;
}

function replyTo(sent: Uint8Array, id: number): string | undefined {
  for (let at = 0; at + HEADER_BYTES <= sent.length; ) {
    const header = readHeader(viewOf(sent), at);
    const reply = (header.flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY;
    if (reply && header.id === id) return Buffer.from(sent.subarray(at, at + header.size)).toString('hex');
    at += Math.max(header.size, HEADER_BYTES);
  }
  return undefined;
}

/** Descriptors in place of the recorded ones: eventfds, or an empty file of the size a region needs. */
function standIns({ fds, message }: TraceRecord, command: number): number[] {
  if (command !== Command.DMA_MAP || fds === 0) return Array.from({ length: fds }, () => eventfd());
  const map = decodeDmaMap(payloadOf(message.subarray(HEADER_BYTES)));
  const size = map.offset + map.size;
  if (size > MAX_STAND_IN_BYTES) return [];
  return [memfdCreate('replay', { size: Number(size), seal: true })];
}
