import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runSource } from './testing.ts';

it('the example of the README prints what it says', () => {
  const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
  const example = /```ts\n(.*?)```\n\nprints `(.*?)`/s.exec(readme);
  expect(runSource(example![1]!)).toBe(`${example![2]}\n`);
});
