/**
 * Feeds generated and mutated messages to a server: `npm run fuzz -w vfio-user -- [--messages N] [--seed N] [--live]`.
 * Without --messages and --live all runs are made: 1,000,000 messages to a server in this thread, 200,000 to a host's
 * socket together with one session in every way it can be cut and one that maps and unmaps memory, 20,000 broken device
 * states to restore. --messages N alone means the first run only, --live the second only.
 * Fails when anything is thrown, a descriptor or memory leaks, or the next client is not served.
 */
import { parseArgs } from 'node:util';
import { type FuzzReport, fuzzServer } from '../src/fuzz/fuzz.ts';
import { fuzzLive } from '../src/fuzz/live.ts';
import { fuzzRestore } from '../src/fuzz/restore.ts';

const IN_PROCESS = 1_000_000;
const LIVE = 200_000;
const STATES = 20_000;

const { values } = parseArgs({
  options: {
    messages: { type: 'string' },
    seed: { type: 'string', default: '1' },
    live: { type: 'boolean', default: false },
  },
});
const seed = number('seed', values.seed);
const messages = values.messages === undefined ? undefined : number('messages', values.messages);

if (!values.live)
  show('in process', fuzzServer({ messages: messages ?? IN_PROCESS, seed, progress: progress('in process') }));
if (values.live || messages === undefined)
  show('live', await fuzzLive({ messages: messages ?? LIVE, seed, progress: progress('live') }));

if (!values.live && messages === undefined) {
  const report = fuzzRestore({ streams: STATES, seed });
  process.stderr.write(`restore: ${report.streams} states, ${report.refused} refused, ${report.seconds} s\n`);
  console.log(JSON.stringify({ run: 'restore', ...report }));
}

/** Progress and words on stderr, the report as JSON on stdout. */
function show(run: string, report: FuzzReport): void {
  const { messages: sent, connections, replies, seconds, leakedDescriptors } = report;
  const answers = replies > 0 ? `, ${replies} replies` : '';
  process.stderr.write(
    `${run}: ${sent} messages, ${connections} clients${answers}, ${Math.max(0, leakedDescriptors)} descriptors leaked, ${seconds} s\n`,
  );
  console.log(JSON.stringify({ run, ...report }));
}

function progress(run: string): (done: number, all: number) => void {
  const begin = performance.now();
  return (done, all) => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    process.stderr.write(`${run}: ${Math.round((100 * done) / all)} % of ${all} messages, ${seconds} s\n`);
  };
}

function number(name: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  process.stderr.write(`fuzz: --${name} ${JSON.stringify(value)} is no number\n`);
  process.exit(2);
}
