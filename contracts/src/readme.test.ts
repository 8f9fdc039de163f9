import * as stream from 'node:stream';
import * as ttrpc from 'ttrpc-ts';
import { expect, test } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as contracts from './index.ts';

test('the example of the README prints what it says', async () => {
  const outputs = await runReadmeExamples(new URL('../README.md', import.meta.url), {
    '@kata-mock/contracts': contracts,
    'ttrpc-ts': ttrpc,
    'node:stream': stream,
  });
  expect(outputs.length).toBe(3);
  for (const { printed, promised } of outputs) expect(printed).toBe(promised);
});
