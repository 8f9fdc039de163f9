import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const table = readFileSync(new URL('../BEHAVIOUR.md', import.meta.url), 'utf8');
const rows = [...table.matchAll(/^\| [^|]+ \| (\S+\.test\.ts) \| ([^|]+) \|$/gm)].map(([, file, name]) => [
  file!,
  name!,
]);

test('every row of BEHAVIOUR.md is read', () => {
  const lines = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| what holds |'));
  expect(rows).toHaveLength(lines.length);
  expect(rows.length).toBeGreaterThan(60);
});

test.each(rows)('%s has the test "%s"', (file, name) => {
  const source = readFileSync(new URL(file, import.meta.url), 'utf8');
  // How a name is written: the first argument of a call, or the first entry of a case.
  const written = ["'", '"', '`'].flatMap((quote) => ['(', '['].map((open) => `${open}${quote}${name}${quote},`));
  const compact = source.replace(/([([])\s+/g, '$1');
  expect(written.some((text) => compact.includes(text))).toBe(true);
});
