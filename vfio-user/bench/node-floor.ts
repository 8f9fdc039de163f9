import { execFileSync, spawn } from 'node:child_process';

/** What Node itself takes, the floor of any host written for it. */
export interface NodeFloor {
  /** From exec to the first line of a program. */
  firstLineMs: number;
  /** A process that does nothing, and in it each thread that does nothing. */
  processMB: number;
  threadMB: number;
}

const THREADS = 16;
const program = `
const { Worker } = require('node:worker_threads');
const megabytes = () => Number(/VmRSS:\\s+(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const start = () => new Promise((resolve) => {
  new Worker('require("node:worker_threads").parentPort.postMessage(0); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', { eval: true }).on('message', resolve);
});
(async () => {
  const processMB = megabytes();
  await start();
  const first = megabytes();
  for (let index = 0; index < ${THREADS}; index++) await start();
  console.log(JSON.stringify({ processMB, threadMB: (megabytes() - first) / ${THREADS} }));
  process.exit(0);
})();`;

export async function nodeFloor(rounds: number): Promise<NodeFloor> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await firstLine());
  const memory = JSON.parse(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })) as Omit<
    NodeFloor,
    'firstLineMs'
  >;
  const rounded = (value: number) => Number(value.toFixed(1));
  return {
    firstLineMs: rounded(times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!),
    processMB: rounded(memory.processMB),
    threadMB: rounded(memory.threadMB),
  };
}

function firstLine(): Promise<number> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', 'require("node:fs").writeSync(1, "x")'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => resolve(performance.now() - begin));
    child.once('error', reject);
  });
}
