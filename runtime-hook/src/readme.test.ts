import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as hook from './index.ts';

const page = new URL('../README.md', import.meta.url);

it('the example of the README prints what it says', async () => {
  const printed = (await runReadmeExamples(page, { '@kata-mock/runtime-hook': hook })).map((output) => output.printed);
  expect(printed).toHaveLength(2);
  expect(readFileSync(page, 'utf8')).toContain(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
});
