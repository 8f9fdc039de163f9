import { expect, test } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as agent from './index.ts';

test('the example of the README prints what it promises', async () => {
  const outputs = await runReadmeExamples(new URL('../README.md', import.meta.url), { '@kata-mock/agent-ext': agent });
  expect(outputs).toHaveLength(2);
  for (const { printed, promised } of outputs) expect(printed).toBe(promised);
});
