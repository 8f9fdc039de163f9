import { expect, test } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as runtimeHook from './index.ts';

test('the example of the README prints what it promises', async () => {
  const outputs = await runReadmeExamples(new URL('../README.md', import.meta.url), {
    '@kata-mock/runtime-hook': runtimeHook,
  });
  expect(outputs).toHaveLength(4);
  for (const { printed, promised } of outputs) expect(printed).toBe(promised);
});
