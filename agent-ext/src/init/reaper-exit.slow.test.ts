import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Its last child outlives it: a thread waits for that one while the process wants to end. */
const SCRIPT = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setChildSubreaper } from '@kata-mock/posix';
import { endOfAChild, Reaper } from '${new URL('./reaper.ts', import.meta.url).pathname}';
setChildSubreaper();
const reaper = new Reaper();
const orphan = async (seconds) => {
  const child = reaper.track(spawn('sh', ['-c', 'sleep ' + seconds + ' >/dev/null 2>&1 & echo $!'], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const [output] = await once(child.stdout, 'data');
  if (child.exitCode === null) await once(child, 'exit');
  return Number(output);
};
void reaper.waitFor(await orphan(20));
const alive = setInterval(() => {}, 1000);
await reaper.waitFor(await orphan(0.1));
const waits = (thread) => readFileSync('/proc/self/task/' + thread + '/wchan', 'latin1') === 'do_wait';
for (const end = Date.now() + 5000; Date.now() < end && !readdirSync('/proc/self/task').some(waits); ) await setImmediate();
endOfAChild();
process.exit(3);
`;

test('a process that fails ends at once although its thread waits for a child', async () => {
  const node = ['--import', 'tsx', '--conditions=@kata-mock/source', '--input-type=module', '-e', SCRIPT];
  const run = promisify(execFile)(process.execPath, node, { timeout: 10_000 });
  await expect(run).rejects.toMatchObject({ code: 3, killed: false });
}, 20_000);
