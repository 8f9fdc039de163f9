import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setChildSubreaper } from '@kata-mock/posix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Reaper } from './reaper.ts';

let reaper: Reaper;
beforeAll(() => {
  setChildSubreaper();
  reaper = new Reaper();
});
afterAll(async () => {
  await reaper.stop();
  setChildSubreaper(false);
});

/** Waits until it is ours: a parent that is still there would take its status. */
const UNTIL_ADOPTED = `while read -r a b c q r </proc/$$/stat && [ "$q" != ${process.pid} ]; do :; done`;

/** Starts a process whose parent ends at once, so that it comes to us. Returns its pid. */
const orphan = async (script: string): Promise<number> => {
  const inner = `sh -c '${UNTIL_ADOPTED}; ${script}' >/dev/null 2>&1 & echo $!`;
  const child = reaper.track(spawn('sh', ['-c', inner], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  if (child.exitCode === null) await once(child, 'exit');
  return Number(output.toString());
};

describe('the reaper', () => {
  test('tells the exit code of an adopted process', async () => {
    expect(await reaper.waitFor(await orphan('sleep 0.1; exit 7'))).toBe(7);
  });

  test('tells the signal that ended one as a shell does', async () => {
    expect(await reaper.waitFor(await orphan('sleep 0.1; kill -9 $$'))).toBe(137);
  });

  test('keeps the status of one that ended before anybody asked', async () => {
    const pid = await orphan('exit 3');
    // The next one ends later, so the first has been seen when it has.
    await reaper.waitFor(await orphan('sleep 0.1'));
    expect(await reaper.waitFor(pid)).toBe(3);
  });

  test('takes nothing from Node: its own children end with their status', async () => {
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const child = reaper.track(spawn('sh', ['-c', `exit ${index}`]));
        const [code] = (await once(child, 'exit')) as [number];
        return code;
      }),
    );
    expect(codes).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('leaves no zombie', async () => {
    await reaper.waitFor(await orphan('exit 0'));
    const children = readdirSync('/proc/self/task').flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    const zombies = children.filter((pid) => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
    expect(zombies).toEqual([]);
  });
});
