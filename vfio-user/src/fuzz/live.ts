import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PosixError, recvmsg, sendmsg, setSocketTimeouts, unixConnect } from '@kata-mock/posix';
import { Client } from '../client/client.ts';
import { VfioUserError } from '../errors.ts';
import { startHost } from '../host/host.ts';
import { Command, encodeMessage, encodeVersion, HeaderFlag } from '../protocol/index.ts';
import { openDescriptors } from '../testing.ts';
import type { FuzzOptions, FuzzReport } from './fuzz.ts';
import { fuzzMappings } from './mappings.ts';
import { type MemoryUse, memoryUse } from './measured-device.ts';
import { DescriptorPool, Random, randomMessage } from './messages.ts';
import { fuzzPieces } from './pieces.ts';

const MESSAGES_EACH = 200;
/** What the device's thread may hold more at the end than after the first tenth, once collected. */
const HEAP_LIMIT_MB = 1;
/** The same of the whole process: catches native memory and mappings. The allocator keeps some of what was freed. */
const RESIDENT_LIMIT_MB = 128;

export interface LiveReport extends FuzzReport {
  residentGrowthMB: number;
  /** Sessions sent in pieces; each was answered as the whole one. */
  splitSessions: number;
}

/**
 * Feeds a host over its socket, client after client, then one session in all the pieces it can be sent in, then one
 * that maps and unmaps memory. Throws when one is not served, an answer depends on the pieces, or descriptors, memory or
 * addresses leak.
 */
export async function fuzzLive({ messages, seed, progress }: FuzzOptions): Promise<LiveReport> {
  const random = new Random(seed);
  const pool = new DescriptorPool();
  const buffer = new Uint8Array(1 << 20);
  const directory = mkdtempSync(path.join(tmpdir(), 'vfu-fuzz-'));
  const socketPath = path.join(directory, 'd.sock');
  const model = new URL(`./measured-device${path.extname(import.meta.url)}`, import.meta.url).href;
  const functions = [{ id: 'd', socketPath, model, options: { aperture: '1M', memorySize: '1M' } }];
  const host = await startHost({ functions, onClientGone: 'relisten' });
  const begin = performance.now();
  const tenth = Math.max(1, Math.floor(messages / MESSAGES_EACH / 10));
  const measure = async () => {
    memoryUse();
    return (await host.request('d', 'memory-use')) as MemoryUse;
  };
  let connections = 0;
  try {
    Client.connect(socketPath).close();
    await host.request('d', 'stats');
    const before = openDescriptors().length;
    let baseline = await measure();
    for (let sent = 0; sent < messages; sent += MESSAGES_EACH) {
      oneClient(socketPath, buffer, random, pool);
      connections++;
      if (connections % 20 === 0) await host.request('d', 'stats');
      if (connections === tenth) baseline = await measure();
      if (connections % tenth === 0) progress?.(sent + MESSAGES_EACH, messages);
    }
    const splitSessions = fuzzPieces(socketPath);
    fuzzMappings(socketPath);
    const client = Client.connect(socketPath);
    if (client.read32(0, 0) !== 0x4b434f4d) throw new VfioUserError('DEVICE', 'the next client reads nonsense');
    client.close();
    await host.request('d', 'stats');
    const leaked = openDescriptors().length - before;
    if (leaked > 1) throw new VfioUserError('DEVICE', `${leaked} descriptors leaked`);
    const end = await measure();
    const heapGrowthMB = megabytes(end.heap - baseline.heap);
    const residentGrowthMB = megabytes(end.resident - baseline.resident);
    if (heapGrowthMB > HEAP_LIMIT_MB || residentGrowthMB > RESIDENT_LIMIT_MB)
      throw new VfioUserError(
        'DEVICE',
        `the server leaks memory: ${heapGrowthMB} MB in its thread, ${residentGrowthMB} MB in the process`,
      );
    const seconds = Math.round((performance.now() - begin) / 100) / 10;
    return {
      messages,
      seed,
      connections,
      replies: 0,
      errorReplies: 0,
      seconds,
      leakedDescriptors: leaked,
      heapGrowthMB,
      residentGrowthMB,
      splitSessions,
    };
  } finally {
    await host.stop();
    pool.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function megabytes(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}

/** Connects, negotiates, sends its share of messages while it drops what comes back, and leaves. */
function oneClient(socketPath: string, buffer: Uint8Array, random: Random, pool: DescriptorPool): void {
  const fd = unixConnect(socketPath);
  setSocketTimeouts(fd, { receiveMs: 1, sendMs: 2000 });
  try {
    const twin = random.chance(4) && { twin_socket: { supported: true } };
    const hello = encodeVersion({ major: 0, minor: 1, capabilities: { max_msg_fds: 8, ...twin } });
    const flags = random.chance(8) ? HeaderFlag.NO_REPLY : 0;
    sendmsg(fd, encodeMessage({ id: 0, command: Command.VERSION, flags, errno: 0 }, hello));
    for (let count = 0; count < MESSAGES_EACH; count++) {
      sendmsg(fd, randomMessage(random), { fds: pool.pick(random) });
      if (count % 16 === 0) drop(fd, buffer);
    }
    drop(fd, buffer);
  } catch (error) {
    // A broken header makes the server hang up; that is right.
    if (!(error instanceof PosixError) || !['EPIPE', 'ECONNRESET'].includes(error.code)) throw error;
  } finally {
    closeSync(fd);
  }
}

function drop(fd: number, buffer: Uint8Array): void {
  try {
    const { fds } = recvmsg(fd, buffer, { maxFds: 8 });
    for (const one of fds) closeSync(one);
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== 'EAGAIN') throw error;
  }
}
