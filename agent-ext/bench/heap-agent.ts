/**
 * The agent on a fake tree with one mock device, for measuring its memory: `node --expose-gc heap-agent.mjs DIRECTORY`.
 * All of it is the agent's own code, ttrpc, reaper and stdio too; only runc is a stand-in, whose containers are processes
 * that sleep. Serves DIRECTORY/agent.sock; prints a line of figures for each line on its input, and ends with that.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { getHeapStatistics } from 'node:v8';
import { setChildSubreaper } from '@kata-mock/posix';
import { Code, Server } from 'ttrpc-ts';
import { Reaper } from '../src/init/reaper.ts';
import { runcBackend } from '../src/runc/backend.ts';
import { Runc } from '../src/runc/runc.ts';
import { translateErrors } from '../src/service/translate-errors.ts';
import { fakeAgent, mockTree } from '../src/testing/fake-agent.ts';
import type { HeapFigures } from './heap.ts';

const RUNC = `#!/bin/sh
for word; do
  case $previous in --pid-file) file=$word ;; esac
  case $word in create) made=1 ;; esac
  previous=$word
done
[ -z "$made" ] || { sleep 1000 & echo $! > "$file"; }
`;

const [directory = ''] = process.argv.slice(2);
const runcProgram = path.join(directory, 'runc');
writeFileSync(runcProgram, RUNC);
chmodSync(runcProgram, 0o755);
setChildSubreaper();
const reaper = new Reaper();
const [root, bundles] = [path.join(directory, 'state'), path.join(directory, 'bundles')];
const runc = new Runc(reaper, { program: runcProgram, root, bundles });
const fake = fakeAgent({ ...mockTree('02/00'), parts: { reaper, runc } });
mkdirSync(path.join(fake.agent.paths.base, 'rootfs'));
const server = new Server({ interceptors: [translateErrors(fake.agent.log)], undecodable: Code.INVALID_ARGUMENT });
runcBackend(fake.agent).register(server);
await server.listen(`unix://${path.join(directory, 'agent.sock')}`);
console.log(path.join(fake.agent.paths.base, 'rootfs'));

for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(figures()));
server.close();
await reaper.stop();
fake.remove();

/** Twice: the first collection runs finalisers, whose objects the second takes. */
function figures(): HeapFigures {
  for (let turn = 0; turn < 2; turn++) globalThis.gc?.();
  const { used_heap_size, external_memory } = getHeapStatistics();
  return { heapBytes: used_heap_size, externalBytes: external_memory, residentBytes: process.memoryUsage.rss() };
}
