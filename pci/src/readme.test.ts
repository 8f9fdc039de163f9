import { expect, test } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as pci from './index.ts';
import * as testing from './testing/index.ts';

const modules = { '@kata-mock/pci': pci, '@kata-mock/pci/testing': testing };

test.each([
  ['../README.md', 3],
  ['./testing/README.md', 4],
])('the example of %s prints what it promises', async (page, lines) => {
  const outputs = await runReadmeExamples(new URL(page, import.meta.url), modules);
  expect(outputs).toHaveLength(lines);
  for (const { printed, promised } of outputs) if (!promised?.startsWith('give')) expect(printed).toBe(promised);
});
