import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { guestFiles } from './paths.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'init-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the image's first program would give Node, on a machine with this /proc/cpuinfo. */
function snapshotOption(model: string, flags: string): string {
  const cpuinfo = path.join(folder, 'cpuinfo');
  writeFileSync(cpuinfo, `processor\t: 0\nmodel\t\t: 107\nmodel name\t: ${model}\nflags\t\t: ${flags}\n\nbugs\t\t:\n`);
  for (const name of ['node-options', 'agent.blob']) writeFileSync(path.join(folder, name), '--no-warnings\n');
  const script = readFileSync(path.join(guestFiles, 'init'), 'utf8')
    .replace('agent=/usr/lib/kata-mock/agent', `agent=${folder}`)
    .replace('/proc/cpuinfo', cpuinfo)
    .replace(/^exec .*/m, 'echo $snapshot');
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim();
}

it.each<[string, string, string, boolean]>([
  ['an emulated CPU', 'QEMU TCG CPU version 2.5+', 'fpu de sse2 avx2', true],
  ['an emulated CPU with shadow stacks', 'QEMU TCG CPU version 9.9+', 'fpu user_shstk sse2', false],
  ['shadow stacks as its last flag', 'QEMU TCG CPU version 9.9+', 'fpu sse2 user_shstk', false],
  ['a CPU that could be real', 'Intel(R) Xeon(R) Gold', 'fpu de sse2', false],
])('with %s, the agent starts from the snapshot or not', (_, model, flags, isUsed) => {
  expect(snapshotOption(model, flags)).toBe(isUsed ? `--snapshot-blob ${folder}/agent.blob` : '');
});
