import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PosixError, recvmsg, sendmsg, setSocketTimeouts, unixConnect } from '@kata-mock/posix';
import { Client } from '../client/client.ts';
import { VfioUserError } from '../errors.ts';
import { startHost } from '../host/host.ts';
import { Command, encodeMessage, encodeVersion } from '../protocol/index.ts';
import type { FuzzOptions, FuzzReport } from './fuzz.ts';
import { DescriptorPool, Random, randomMessage } from './messages.ts';

const MESSAGES_EACH = 200;

/** Feeds a host over its socket, client after client. Throws when one is not served or descriptors leak. */
export async function fuzzLive({ messages, seed, progress }: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed);
  const pool = new DescriptorPool();
  const directory = mkdtempSync(path.join(tmpdir(), 'vfu-fuzz-'));
  const socketPath = path.join(directory, 'd.sock');
  const functions = [{ id: 'd', socketPath, model: 'mock-accel', options: { aperture: '1M', memorySize: '1M' } }];
  const host = await startHost({ functions, onClientGone: 'relisten' });
  const begin = performance.now();
  const tenth = Math.max(1, Math.floor(messages / MESSAGES_EACH / 10));
  let connections = 0;
  try {
    Client.connect(socketPath).close();
    const before = readdirSync('/proc/self/fd').length;
    for (let sent = 0; sent < messages; sent += MESSAGES_EACH) {
      oneClient(socketPath, random, pool);
      connections++;
      if (connections % 20 === 0) await host.request('d', 'stats');
      if (connections % tenth === 0) progress?.(sent + MESSAGES_EACH, messages);
    }
    const client = Client.connect(socketPath);
    if (client.read32(0, 0) !== 0x4b434f4d) throw new VfioUserError('DEVICE', 'the next client reads nonsense');
    client.close();
    await host.request('d', 'stats');
    const leaked = readdirSync('/proc/self/fd').length - before;
    if (leaked > 1) throw new VfioUserError('DEVICE', `${leaked} descriptors leaked`);
    const seconds = Math.round((performance.now() - begin) / 100) / 10;
    return {
      messages,
      seed,
      connections,
      replies: 0,
      errorReplies: 0,
      seconds,
      leakedDescriptors: leaked,
      heapGrowthMB: 0,
    };
  } finally {
    await host.stop();
    pool.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Connects, negotiates, sends its share of messages while it drops what comes back, and leaves. */
function oneClient(socketPath: string, random: Random, pool: DescriptorPool): void {
  const fd = unixConnect(socketPath);
  const buffer = new Uint8Array(1 << 20);
  setSocketTimeouts(fd, { receiveMs: 1, sendMs: 2000 });
  try {
    const hello = encodeVersion({ major: 0, minor: 1, capabilities: { max_msg_fds: 8 } });
    sendmsg(fd, encodeMessage({ id: 0, command: Command.VERSION, flags: 0, errno: 0 }, hello));
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
