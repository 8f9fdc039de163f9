import { eventfd, memfdCreate } from '@kata-mock/posix';
import { Command, decodeDmaMap, HEADER_BYTES, HeaderFlag, payloadOf, readHeader, viewOf } from '../protocol/index.ts';
import type { VfioDevice } from '../server/device.ts';
import { DeviceServer } from '../server/device-server.ts';
import type { TraceRecord } from '../trace/pcapng.ts';
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

/**
 * Gives the client's messages of a recording to a device, without a VM, and compares its answers. Guest memory is not
 * part of a recording, so what the device reads in mapped memory is zeros. DMA by messages is: its nth command gets the
 * nth recorded answer, and the commands are compared too. Timers of the device go by the recording's time.
 */
export function replay(device: VfioDevice, records: readonly TraceRecord[]): ReplayResult {
  const time = new RecordedTime();
  const server = new DeviceServer(device, { clock: () => time.now });
  const dma = new RecordedDma(records);
  const channel: MemoryChannel = new MemoryChannel(() => {
    const request = channel.sent.at(-1);
    const answer = request && dma.answer(request.bytes);
    if (answer) channel.push(answer);
  });
  const session = server.connect(channel);
  const differences: ReplayDifference[] = [];
  const recorded = repliesByCommand(records);
  let commands = 0;
  try {
    records.forEach((record, index) => {
      if (session.state !== 'closed') time.advance(server, record);
      if (record.fromServer || record.message.length < HEADER_BYTES || session.state === 'closed') return;
      const { id, command, flags } = readHeader(viewOf(record.message), 0);
      if ((flags & HeaderFlag.TYPE_MASK) === HeaderFlag.TYPE_REPLY) return;
      commands++;
      channel.push(record.message.slice(), standIns(record, command));
      while (channel.hasIncoming && session.step(0));
      const replayed = replyTo(channel.takeSent(), id);
      const expected = recorded.get(index);
      if (replayed !== expected) differences.push({ record: index, id, command, recorded: expected, replayed });
      for (const found of dma.differences.splice(0)) differences.push({ ...found, record: found.record ?? index });
    });
    dma.finish();
    for (const found of dma.differences) differences.push({ ...found, record: found.record ?? records.length - 1 });
  } finally {
    server.disconnect();
    channel.takeSent();
  }
  return { commands, differences };
}

/** The reply to each command: the next one of the server with its id. */
function repliesByCommand(records: readonly TraceRecord[]): Map<number, string> {
  const waiting = new Map<number, number[]>();
  const found = new Map<number, string>();
  records.forEach(({ message, fromServer }, index) => {
    if (message.length < HEADER_BYTES) return;
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
