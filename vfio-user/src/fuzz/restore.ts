import { Client } from '../client/client.ts';
import { VfioUserError } from '../errors.ts';
import { DmaCmd, Reg } from '../mock-accel/gen/registers.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { MigrationState, PciRegion, viewOf } from '../protocol/index.ts';
import { DeviceServer } from '../server/device-server.ts';
import { LoopbackChannel } from '../transport/loopback.ts';
import { Random } from './messages.ts';

export interface RestoreReport {
  streams: number;
  /** Refused with an error reply; the others were restored. */
  refused: number;
  seconds: number;
}

const options = { memorySize: '1M', aperture: '64K', totalVfs: 2, intx: true };
const PIECE_BYTES = 1 << 16;

/**
 * Gives broken device states to a server: bits turned, cut off, pieces taken out, repeated or put elsewhere, lengths and
 * offsets out of the ordinary. Throws when a refusal is no error reply, or when the device does not work afterwards.
 */
export function fuzzRestore({ streams, seed }: { streams: number; seed: number }): RestoreReport {
  const random = new Random(seed);
  const state = savedState();
  const client = Client.open(new LoopbackChannel(new DeviceServer(createMockAccel(options))));
  const begin = performance.now();
  let refused = 0;
  for (let stream = 0; stream < streams; stream++) {
    if (!restored(client, mutated(random, state), random)) refused++;
    checkWorks(client);
    client.reset();
  }
  client.close();
  return { streams, refused, seconds: Math.round((performance.now() - begin) / 1000) };
}

/** The state of a function with something in every part of it. */
function savedState(): Uint8Array {
  const client = Client.open(new LoopbackChannel(new DeviceServer(createMockAccel(options))));
  client.regionWrite(PciRegion.CONFIG, 4, Uint8Array.of(6, 0));
  client.write32(0, Reg.PASSPHRASE_CMD, 1);
  client.regionWrite(2, 100, Uint8Array.of(1, 2, 3));
  client.migrationState = MigrationState.STOP_COPY;
  const parts: Uint8Array[] = [];
  for (let part = client.migDataRead(PIECE_BYTES); part.length > 0; part = client.migDataRead(PIECE_BYTES))
    parts.push(part);
  client.close();
  return new Uint8Array(Buffer.concat(parts));
}

function mutated(random: Random, state: Uint8Array): Uint8Array {
  let bytes: Uint8Array = state.slice();
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(bytes.length || 1);
    const length = random.below(random.pick([4, 64, 70_000]));
    const kind = random.below(6);
    if (kind === 0) bytes[at]! ^= 1 << random.below(8);
    else if (kind === 1) bytes = bytes.slice(0, at);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3)
      bytes = Buffer.concat([bytes.subarray(0, at), state.subarray(at, at + length), bytes.subarray(at)]);
    else if (kind === 4 && at + 4 <= bytes.length) viewOf(bytes).setUint32(at, random.next(), true);
    // The heads of the records: lengths, types, offsets.
    else if (bytes.length > 400) bytes[random.below(400)] = random.next();
  }
  return bytes;
}

function restored(client: Client, stream: Uint8Array, random: Random): boolean {
  try {
    client.migrationState = MigrationState.RESUMING;
    const piece = 1 + random.below(random.pick([500, 5000, PIECE_BYTES]));
    for (let at = 0; at < stream.length; at += piece) client.migDataWrite(stream.subarray(at, at + piece));
    client.migrationState = MigrationState.RUNNING;
    return true;
  } catch (error) {
    if (!(error instanceof VfioUserError) || error.code !== 'REPLY' || error.errno !== 22) throw error;
    client.reset();
    return false;
  }
}

/** A device that took over nonsense must still end its commands and keep to its limits. */
function checkWorks(client: Client): void {
  client.write32(0, Reg.PASSPHRASE_CMD, 1);
  client.write32(0, Reg.DMA_CMD, DmaCmd.START | (DmaCmd.DIRECTION_IN_DEVICE << DmaCmd.DIRECTION_SHIFT));
  const [passphrase, dma] = [client.read32(0, Reg.PASSPHRASE_STATUS), client.read32(0, Reg.DMA_STATUS) & 0xff];
  if (passphrase < 2 || dma < 2) throw new Error(`after a restore: passphrase ${passphrase}, DMA ${dma}`);
  if (client.read32(0, Reg.DEVICE_ID) !== 0x4b434f4d) throw new Error('after a restore the device is no mock');
}
