import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { killServers, startServer } from '../cli/program.testing.ts';
import { Client } from '../client/client.ts';
import { migrate } from '../client/migrate.ts';
import { PciRegion } from '../protocol/index.ts';
import { temporaryDirectory } from '../testing.ts';
import { Reg } from './gen/registers.ts';

const MIB = 1 << 20;
const PROFILES = { version: 1, profiles: { movable: { uuid: 'MOVES', aperture: '8M' } } };
let directory: ReturnType<typeof temporaryDirectory>;

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  killServers();
  directory.remove();
});

async function serverProcess(name: string): Promise<{ client: Client; ended: Promise<unknown> }> {
  const socket = path.join(directory.path, name);
  const profile = path.join(directory.path, 'profiles.json');
  writeFileSync(profile, JSON.stringify(PROFILES));
  const child = startServer(['--profile', profile, socket], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit').then(([status]) => status as unknown);
  // The socket's file is there a moment before anyone listens.
  const connect = () => Client.connect(socket, { timeoutMs: 30_000 });
  const client = await vi.waitFor(connect, { timeout: 30_000, interval: 50 });
  return { client, ended };
}

test('a device moves to another process, which then has its registers and memory byte for byte', async () => {
  const [from, to] = await Promise.all([serverProcess('a.sock'), serverProcess('b.sock')]);
  const memory = Buffer.alloc(8 * MIB);
  for (let at = 0; at < memory.length; at += 4) memory.writeUInt32LE((at * 2654435761) >>> 0, at);
  for (let at = 0; at < memory.length; at += MIB) from.client.regionWrite(2, at, memory.subarray(at, at + MIB));
  from.client.write32(0, Reg.STATUS, 0x1234);
  from.client.write32(0, Reg.PASSPHRASE_CMD, 1);
  const everything = (client: Client) => [
    Buffer.from(client.regionRead(0, 0, 4096)),
    Buffer.from(client.regionRead(PciRegion.CONFIG, 0, 4096)),
    Buffer.concat(Array.from({ length: 8 }, (_, part) => client.regionRead(2, part * MIB, MIB))),
  ];
  const before = everything(from.client);
  const moved = migrate(from.client, to.client, {
    beforeRound: () => from.client.regionWrite(2, 3 * MIB, memory.subarray(0, 1000)),
  });
  before[2]!.set(memory.subarray(0, 1000), 3 * MIB);
  for (const [index, part] of everything(to.client).entries())
    expect(part.equals(before[index]!), `part ${index}`).toBe(true);
  expect(moved.initial).toBeGreaterThan(8 * MIB);
  expect(moved.dirty).toBe(65_536 + 16);
  for (const { client, ended } of [from, to]) {
    client.close();
    expect(await ended).toBe(0);
  }
}, 90_000);
