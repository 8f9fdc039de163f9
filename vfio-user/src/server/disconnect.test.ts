import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from '../client/client.ts';
import { type Host, startHost } from '../host/host.ts';
import { DmaCmd, Reg } from '../mock-accel/gen/registers.ts';
import { PciRegion } from '../protocol/index.ts';
import { openDescriptors, temporaryDirectory } from '../testing.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let host: Host;

beforeEach(async () => {
  directory = temporaryDirectory();
  const functions = [{ id: 'd', socketPath: path.join(directory.path, 'd'), model: 'mock-accel', options: {} }];
  host = await startHost({ functions, onClientGone: 'relisten' });
});
afterEach(async () => {
  await host.stop();
  directory.remove();
});

test('a client that leaves instead of answering a DMA request keeps nobody waiting', async () => {
  const first = Client.connect(path.join(directory.path, 'd'));
  const before = openDescriptors().length;
  first.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  first.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n });
  first.write32(0, Reg.DMA_LEN, 64);
  const gone = new Promise((resolve) => host.once('disconnected', resolve));
  const begin = performance.now();
  first.regionWrite(0, Reg.DMA_CMD, Uint8Array.of(DmaCmd.START, 0, 0, 0), { posted: true });
  first.close();
  await gone;
  const next = Client.connect(path.join(directory.path, 'd'));
  expect([next.read32(0, Reg.DEVICE_ID), next.read32(0, Reg.DMA_STATUS)]).toEqual([0x4b434f4d, 0]);
  // An answer may take 5 s: that was not waited for.
  expect(performance.now() - begin).toBeLessThan(2500);
  expect(openDescriptors().length).toBeLessThanOrEqual(before);
  next.close();
});

test('a client that does not answer a DMA request holds up no control request', async () => {
  const client = Client.connect(path.join(directory.path, 'd'));
  client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  client.dmaMap({ flags: 3, offset: 0n, address: 0n, size: 4096n });
  client.write32(0, Reg.DMA_LEN, 64);
  client.regionWrite(0, Reg.DMA_CMD, Uint8Array.of(DmaCmd.START, 0, 0, 0), { posted: true });
  const begin = performance.now();
  for (let count = 0; count < 3; count++) expect(await host.request('d', 'stats')).toMatchObject({ connected: true });
  // An answer may take 5 s, and these had to wait for it.
  expect(performance.now() - begin).toBeLessThan(2500);
  const state = (await host.registers('d')).find(({ name }) => name === 'DMA_STATUS')!.value;
  expect(state).toBe('0x00000001');
  client.close();
});
