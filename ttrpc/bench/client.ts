/** The benchmark's client process: measures, and sends the figures to its parent. */
import { type Client, connect, createClient } from 'ttrpc-ts';
import { connectFloor, type FloorClient } from './floor.ts';
import { Bench } from './gen/ttrpc/bench/v1/bench_pb.ts';
import { alternate, median, seconds } from './measure.ts';

const folder = process.argv[2]!;
const SMALL = 32;
const MIB = 1024 * 1024;
const STREAMS = 2000;

const connection = await connect(`unix://${folder}/ttrpc.sock`);
const client = createClient(Bench, connection);
const bare = await connectFloor(`${folder}/bare.sock`, false);
const batched = await connectFloor(`${folder}/batched.sock`, true);

// Memory first, while there is no garbage of the others.
process.send?.({ name: 'streams', ...(await streams(client)) });
process.send?.({ name: 'roundTrip', ...(await roundTrip(bare, client)) });
process.send?.({ name: 'inFlight', ...(await inFlight(bare, client)) });
process.send?.({ name: 'inFlightBatched', ...(await inFlight(batched, client)) });
process.send?.({ name: 'large', ...(await large(bare, client)) });
bare.close();
batched.close();
await connection.close();
process.disconnect?.();

/** Microseconds of one call after the other, median. */
function roundTrip(floor: FloorClient, client: Client<typeof Bench>) {
  const latencies = new Float64Array(5000);
  const data = new Uint8Array(SMALL);
  return alternate(
    7,
    async () => {
      await floor.run(latencies.length, SMALL, 1, latencies);
      return median(latencies) / 1000;
    },
    async () => {
      for (let i = 0; i < latencies.length; i++) {
        const began = performance.now();
        await client.echo({ data });
        latencies[i] = (performance.now() - began) * 1e6;
      }
      return median(latencies) / 1000;
    },
  );
}

/** Calls a second with 1,000 in flight. */
function inFlight(floor: FloorClient, client: Client<typeof Bench>) {
  const count = 100_000;
  const width = 1000;
  const data = new Uint8Array(SMALL);
  return alternate(
    7,
    async () => count / (await seconds(() => floor.run(count, SMALL, width))),
    async () => {
      const worker = async () => {
        for (let i = 0; i < count / width; i++) await client.echo({ data });
      };
      return count / (await seconds(() => Promise.all(Array.from({ length: width }, worker))));
    },
  );
}

/** MiB a second of messages of 1 MiB, one after the other. */
function large(floor: FloorClient, client: Client<typeof Bench>) {
  const count = 200;
  const data = new Uint8Array(MIB).fill(1);
  return alternate(
    7,
    async () => count / (await seconds(() => floor.run(count, MIB, 1))),
    async () => {
      const work = async () => {
        for (let i = 0; i < count; i++) await client.echo({ data });
      };
      return count / (await seconds(work));
    },
  );
}

/** Bytes of memory a stream takes that is open and quiet, at the client (its iterators included) and at the server. */
async function streams(client: Client<typeof Bench>) {
  // A first batch pays for what is made once.
  await (await hold(client, 100))();
  const before = await memory();
  const close = await hold(client, STREAMS);
  const after = await memory();
  await close();
  return { client: (after.client - before.client) / STREAMS, server: (after.server - before.server) / STREAMS };
}

/** Opens streams and has each answer once, so that each is really open at both ends; returns what closes them. */
async function hold(client: Client<typeof Bench>, count: number): Promise<() => Promise<void>> {
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const open = Array.from({ length: count }, () => client.hold(oneThenQuiet(closed))[Symbol.asyncIterator]());
  for (const stream of open) await stream.next();
  return async () => {
    close();
    for (const stream of open) await stream.next();
  };
}

async function* oneThenQuiet(closed: Promise<void>) {
  yield {};
  await closed;
}

async function memory(): Promise<{ client: number; server: number }> {
  const answer = new Promise<NodeJS.MemoryUsage>((resolve) => process.once('message', resolve));
  process.send?.('memory');
  const server = held(await answer);
  globalThis.gc?.();
  return { client: held(process.memoryUsage()), server };
}

function held(usage: NodeJS.MemoryUsage): number {
  return usage.heapUsed + usage.external;
}
