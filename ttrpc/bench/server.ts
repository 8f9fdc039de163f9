/** The benchmark's server process: the floor on one socket, ttrpc on another. */
import { Server } from 'ttrpc-ts';
import { serveFloor } from './floor.ts';
import { Bench } from './gen/ttrpc/bench/v1/bench_pb.ts';

const folder = process.argv[2]!;

serveFloor(`${folder}/bare.sock`, false);
serveFloor(`${folder}/batched.sock`, true);
const server = new Server().register(Bench, {
  echo: (request) => ({ data: request.data }),
  async *hold(requests) {
    for await (const { data } of requests) yield { data };
  },
});
await server.listen(`unix://${folder}/ttrpc.sock`);

process.on('message', (question) => {
  if (question !== 'memory') return;
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
process.send?.('ready');
process.on('disconnect', () => process.exit());
