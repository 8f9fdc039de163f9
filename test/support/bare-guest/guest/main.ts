/** First program of a bare guest: does what the test on the host asks, and nothing of its own. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import readline from 'node:readline';
import type { Answer, Request } from '../protocol.ts';
import { PORT } from '../protocol.ts';
import { operations } from './operations.ts';

function findPort(): string {
  const ports = '/sys/class/virtio-ports';
  for (const name of fs.readdirSync(ports)) {
    if (fs.readFileSync(`${ports}/${name}/name`, 'utf8').trim() === PORT) return `/dev/${name}`;
  }
  throw new Error(`no virtio-serial port ${PORT}`);
}

function answer(line: string): Answer {
  try {
    const { op, args } = JSON.parse(line) as Request;
    const result = (operations[op] as (...args: unknown[]) => unknown)(...args);
    return { result: result ?? null };
  } catch (error) {
    const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
    return { error: { code, message } };
  }
}

for (const target of ['/run', '/tmp']) spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', target]);
// A port can be open once only.
const fd = fs.openSync(findPort(), 'r+');
const lines = readline.createInterface({ input: fs.createReadStream('', { fd }) });
fs.writeSync(fd, `${JSON.stringify({ result: 'ready' })}\n`);
for await (const line of lines) {
  // Uevents and mappings' faults come by the event loop: give it a turn before each answer.
  await new Promise((resolve) => setImmediate(resolve));
  fs.writeSync(fd, `${JSON.stringify(answer(line))}\n`);
}
