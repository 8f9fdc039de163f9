import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Runs in a pid namespace of its own, where it says which number the next process gets. */
const SCRIPT = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setChildSubreaper } from '@kata-mock/posix';
import { Reaper } from '${new URL('./reaper.ts', import.meta.url).pathname}';
setChildSubreaper();
const alive = setInterval(() => {}, 1000);
const reaper = new Reaper();
// A parent that is still there would take its status.
const adopted = 'while read -r a b c q r </proc/$$/stat && [ "$q" != ' + process.pid + ' ]; do :; done';
const orphan = async (script) => {
  const child = reaper.track(spawn('sh', ['-c', "sh -c '" + adopted + '; ' + script + "' >/dev/null 2>&1 & echo $!"], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const [output] = await once(child.stdout, 'data');
  if (child.exitCode === null) await once(child, 'exit');
  return Number(output);
};
await reaper.waitFor(await orphan('sleep 0.1'));
const stranger = await orphan('sleep 0.1; exit 42');
await reaper.waitFor(await orphan('sleep 0.5'));
let pid;
for (let tries = 0; tries < 200 && pid !== stranger; tries++) {
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(stranger - 2 - (tries % 3)));
  pid = await orphan('sleep 0.5; exit 7');
}
if (pid !== stranger) throw new Error('no process got number ' + stranger);
process.stdout.write(String(await reaper.waitFor(pid)));
// Or the process would wait for its thread, which waits for a child.
await reaper.stop();
process.exit(0);
`;

const [unshare, ...options] = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

function mayUnshare(): boolean {
  try {
    execFileSync(unshare, [...options, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const skipped = mayUnshare() ? false : 'no pid namespace may be made here';
if (skipped) console.log(`skipped: ${skipped}`);

test.skipIf(skipped)(
  'a process is not told the status of one that had its number before',
  async () => {
    const node = [process.execPath, '--import', 'tsx', '--conditions=@kata-mock/source', '--input-type=module'];
    const { stdout } = await promisify(execFile)(unshare, [...options, ...node, '-e', SCRIPT], { timeout: 60_000 });
    expect(stdout).toBe('7');
  },
  60_000,
);
