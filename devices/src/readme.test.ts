import * as testing from '@kata-mock/pci/testing';
import { expect, test } from 'vitest';
import { runReadmeExamples } from '../../tools/readme-example.ts';
import * as explain from './explain/index.ts';
import * as devices from './index.ts';

test('the example of the README prints what it promises', async () => {
  const modules = {
    '@kata-mock/devices': devices,
    '@kata-mock/devices/explain': explain,
    '@kata-mock/pci/testing': testing,
  };
  const outputs = await runReadmeExamples(new URL('../README.md', import.meta.url), modules);
  expect(outputs).toHaveLength(3);
  for (const { printed, promised } of outputs) expect(printed).toBe(promised);
});
