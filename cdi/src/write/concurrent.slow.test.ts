import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { directory } from '../../test-support/directories.ts';
import { versionedSpec, versionOf } from '../../test-support/versioned-spec.ts';
import { Cache } from '../cache/cache.ts';
import { readCdiSpec } from '../load/file.ts';
import { writeSpec } from './write.ts';

const ROUNDS = 10_000;
const writer = fileURLToPath(new URL('../../test-support/writer.ts', import.meta.url));

it(`a reader never sees a torn spec while another process writes it ${ROUNDS} times`, async () => {
  const dir = directory();
  const file = writeSpec(dir, 'spec.json', versionedSpec(0));
  const cache = new Cache({ specDirs: [dir], autoRefresh: false });
  const args = ['--import', 'tsx', '--conditions=@kata-mock/source', writer, dir, String(ROUNDS)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  let isRunning = true;
  const exited = once(child, 'exit').finally(() => {
    isRunning = false;
  });

  let last = 0;
  let reads = 0;
  const seen = new Set<number>();
  while (isRunning) {
    const direct = versionOf(readCdiSpec(file));
    cache.refresh();
    expect([...cache.errors().values()]).toEqual([]);
    const [cached] = cache.specs();
    const version = versionOf(cached?.spec ?? expect.unreachable());
    // Neither ever goes back in time.
    expect(direct).toBeGreaterThanOrEqual(last);
    expect(version).toBeGreaterThanOrEqual(direct);
    last = version;
    seen.add(version);
    if (++reads % 50 === 0) await turn();
  }
  expect(await exited).toEqual([0, null]);
  cache.refresh();
  expect(versionOf(readCdiSpec(file))).toBe(ROUNDS);
  expect(seen.size).toBeGreaterThan(20);
  expect(readdirSync(path.dirname(file))).toEqual(['spec.json']);
}, 180_000);
