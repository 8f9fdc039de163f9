import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from './paths.ts';

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');

it("runs the README's commands", { timeout: 30_000 }, () => {
  const block = /```sh\n([^`]+)```/.exec(readme)?.[1]?.trim().split('\n') ?? [];
  expect(block.length).toBeGreaterThan(1);
  for (const line of block) {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: projectRoot, encoding: 'utf8' });
    // --check exits 1 where a package is missing, and says which.
    const fine = status === 0 || (line.includes('--check') && /missing: /.test(stderr));
    expect(fine, `${line}: ${status}\n${stdout}${stderr}`).toBe(true);
  }
});

it('names every source file in the table', () => {
  const named = new Set([...readme.matchAll(/`((?:src|guest)\/[\w-]+(?:\.ts)?)`/g)].map((match) => match[1]));
  for (const file of named) expect(() => readFileSync(path.join(import.meta.dirname, '..', file!)), file).not.toThrow();
});
