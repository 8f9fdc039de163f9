import { expect, test } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as echo from './echo.ts';
import * as ttrpc from './index.ts';

test('the example of the README prints what it says', async () => {
  const outputs = await runReadmeExamples(new URL('../README.md', import.meta.url), {
    'ttrpc-ts': ttrpc,
    'ttrpc-ts/echo': echo,
  });
  expect(outputs.map(({ printed }) => printed)).toEqual(['hello, world', 'a', 'b', 'xy', 'true there is nothing here']);
  const promised = outputs.filter((output) => output.promised !== undefined && output.promised !== '');
  expect(promised.length).toBeGreaterThan(0);
});
