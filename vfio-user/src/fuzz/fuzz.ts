import { readdirSync } from 'node:fs';
import { dup } from '@kata-mock/posix';
import { VfioUserError } from '../errors.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { Command, encodeMessage, encodeVersion, HEADER_BYTES, readHeader, viewOf } from '../protocol/index.ts';
import { DeviceServer } from '../server/device-server.ts';
import { type Chunk, MemoryChannel } from '../transport/memory-channel.ts';
import { DescriptorPool, Random, randomMessage } from './messages.ts';

export interface FuzzOptions {
  messages: number;
  seed: number;
  /** Told ten times how many messages were sent. */
  progress?(done: number, all: number): void;
}

export interface FuzzReport extends Omit<FuzzOptions, 'progress'> {
  /** Clients that came one after the other: a broken header ends a connection. */
  connections: number;
  replies: number;
  errorReplies: number;
  seconds: number;
  /** Growth from the first tenth to the end. */
  leakedDescriptors: number;
  heapGrowthMB: number;
}

const version = encodeMessage(
  { id: 0, command: Command.VERSION, flags: 0, errno: 0 },
  encodeVersion({ major: 0, minor: 1, capabilities: { max_msg_fds: 8, migration: {}, write_multiple: true } }),
);
/** A heap that grew more than this was not collected garbage, MB. */
const HEAP_LIMIT_MB = 64;

/** Feeds a server in this thread. Throws on a crash, a leak or a server that does not answer the next client. */
export function fuzzServer({ messages, seed, progress }: FuzzOptions): FuzzReport {
  const random = new Random(seed);
  const pool = new DescriptorPool();
  const server = new DeviceServer(createMockAccel({ aperture: '1M', totalVfs: 4, memorySize: '1M', intx: true }));
  const report: FuzzReport = {
    messages,
    seed,
    connections: 0,
    replies: 0,
    errorReplies: 0,
    seconds: 0,
    leakedDescriptors: 0,
    heapGrowthMB: 0,
  };
  const begin = performance.now();
  let baseline = { fds: 0, heap: 0 };
  let { channel, session } = connect(server, report);
  const tenth = Math.max(1, Math.floor(messages / 10));
  for (let count = 0; count < messages; count++) {
    if (count > 0 && count % tenth === 0) progress?.(count, messages);
    if (count === Math.floor(messages / 10)) baseline = usage(server);
    if (session.state === 'closed') {
      server.disconnect();
      ({ channel, session } = connect(server, report));
    }
    feed(channel, randomMessage(random), pool.pick(random), random);
    while (channel.hasIncoming && session.step(0));
    checkDescriptors(channel.sent);
    tally(channel.takeSent(), report);
    server.runTimers();
    // A state that refuses most commands would hide the rest.
    if (random.chance(500)) server.reset('command');
    if (random.chance(2000)) session.close();
  }
  server.disconnect();
  ({ channel, session } = connect(server, report));
  server.disconnect();
  server.device.close?.();
  const end = usage(server);
  pool.close();
  report.seconds = Math.round((performance.now() - begin) / 100) / 10;
  report.leakedDescriptors = end.fds - baseline.fds;
  report.heapGrowthMB = Math.round((end.heap - baseline.heap) / 2 ** 20);
  if (report.leakedDescriptors > 0 || report.heapGrowthMB > HEAP_LIMIT_MB)
    throw new VfioUserError('DEVICE', `the server leaks: ${JSON.stringify(report)}`);
  return report;
}

/** A new client; throws when it is not served. */
function connect(server: DeviceServer, report: FuzzReport) {
  const channel = new MemoryChannel();
  const session = server.connect(channel);
  report.connections++;
  channel.push(version);
  session.step(0);
  const reply = channel.takeSent();
  if (session.state !== 'open' || readHeader(viewOf(reply), 0).errno !== 0)
    throw new VfioUserError('DEVICE', `client ${report.connections} is not served`);
  return { channel, session };
}

/** Whole, or split somewhere, or byte by byte. */
function feed(channel: MemoryChannel, message: Uint8Array, fds: number[], random: Random): void {
  const own = fds.map((fd) => dup(fd));
  const whole = message.length > 100 || !random.chance(10);
  const pieces = whole ? 1 : random.chance(4) ? message.length : 2;
  const size = Math.ceil(message.length / pieces);
  for (let at = 0; at < message.length; at += size) channel.push(message.slice(at, at + size), at === 0 ? own : []);
}

/** Descriptors come with answers that tell of them only. */
function checkDescriptors(sent: readonly Chunk[]): void {
  for (const { bytes, fds } of sent) {
    const { command } = readHeader(viewOf(bytes), 0);
    if (fds.length > 0 && command !== Command.DEVICE_GET_REGION_INFO && command !== Command.DEVICE_GET_REGION_IO_FDS)
      throw new VfioUserError('PROTOCOL', `the answer to command ${command} came with ${fds.length} descriptors`);
  }
}

function tally(sent: Uint8Array, report: FuzzReport): void {
  for (let at = 0; at + HEADER_BYTES <= sent.length; ) {
    const { size, errno } = readHeader(viewOf(sent), at);
    if (size < HEADER_BYTES || at + size > sent.length)
      throw new VfioUserError('PROTOCOL', `the server sent a message of ${size} bytes in ${sent.length - at}`);
    report.replies++;
    if (errno !== 0) report.errorReplies++;
    at += size;
  }
}

/** Open descriptors and heap, without what the connected client holds. */
function usage(server: DeviceServer): { fds: number; heap: number } {
  server.dma.unmapAll();
  server.irqs.releaseAll();
  return { fds: readdirSync('/proc/self/fd').length, heap: process.memoryUsage().heapUsed };
}
