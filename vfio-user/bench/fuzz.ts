/**
 * Feeds generated and mutated messages to a server: `npm run fuzz -w vfio-user -- [--messages N] [--seed N] [--live]`.
 * Without --live the server is in this thread (a million messages in a minute or so), with it a host's socket is used.
 * Fails when anything is thrown, a descriptor or memory leaks, or the next client is not served.
 */
import { parseArgs } from 'node:util';
import { type FuzzReport, fuzzServer } from '../src/fuzz/fuzz.ts';
import { fuzzLive } from '../src/fuzz/live.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    live: { type: 'boolean', default: false },
  },
});
const options = { messages: Number(values.messages), seed: Number(values.seed) };
const report: FuzzReport = values.live ? await fuzzLive(options) : fuzzServer(options);
console.log(JSON.stringify(report));
