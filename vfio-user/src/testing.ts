/** Helpers of this package's own tests. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from './client/client.ts';
import type { ClientOptions } from './client/connection.ts';
import type { GuestMemory } from './client/dma-service.ts';
import { VfioUserError } from './errors.ts';
import { Errno } from './protocol/index.ts';
import type { VfioDevice } from './server/device.ts';
import { DeviceServer, type DeviceServerOptions } from './server/device-server.ts';
import { LoopbackChannel } from './transport/loopback.ts';

/** A client and a server of `device` in this thread, without a socket. */
export function connectLoopback(
  device: VfioDevice,
  options: ClientOptions & { server?: DeviceServerOptions } = {},
): { client: Client; server: DeviceServer; channel: LoopbackChannel } {
  const server = new DeviceServer(device, options.server);
  const channel = new LoopbackChannel(server);
  const client = Client.open(channel, options);
  channel.whileServerWaits = () => {
    const sent = channel;
    try {
      client.serveUntil(() => !sent.hasSent, 100);
    } catch (error) {
      if (!(error instanceof VfioUserError) || error.code !== 'TIMEOUT') throw error;
    }
  };
  return { client, server, channel };
}

/** Guest memory of `size` bytes from address 0 on, reached by messages. */
export class FakeMemory implements GuestMemory {
  readonly bytes: Uint8Array;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  read(address: bigint, count: number): Uint8Array {
    this.#check(address, count);
    return this.bytes.subarray(Number(address), Number(address) + count);
  }

  write(address: bigint, data: Uint8Array): void {
    this.#check(address, data.length);
    this.bytes.set(data, Number(address));
  }

  #check(address: bigint, count: number): void {
    if (address + BigInt(count) > BigInt(this.bytes.length))
      throw new VfioUserError('DMA', 'outside guest memory', { errno: Errno.ENODEV });
  }
}

/** The errno of the error that `action` throws; undefined when it does not throw. */
export function errnoOf(action: () => unknown): number | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { errno?: number }).errno;
  }
}

/** The code of the error that `action` throws. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** What the descriptors of this process point at, without those of the runtime. */
export function openDescriptors(): string[] {
  const open: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (!['/proc/', 'node_modules', '/dev/null'].some((part) => target.includes(part))) open.push(`${fd} ${target}`);
    } catch {
      // The descriptor that listed the directory is gone by now.
    }
  }
  return open.sort();
}

export function temporaryDirectory(): { path: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'vfu-'));
  return { path: directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
