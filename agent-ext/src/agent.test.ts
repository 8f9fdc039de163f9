import { expect, test } from 'vitest';
import { guestPaths } from './agent.ts';
import { fakeAgent } from './testing/fake-agent.ts';

test('nothing of the agent’s own is below the directory where requests mount and write', () => {
  const fake = fakeAgent();
  for (const { base, ...own } of [guestPaths, fake.agent.paths]) {
    for (const place of Object.values(own)) expect(`${place}/`.startsWith(`${base}/`)).toBe(false);
  }
  fake.remove();
});
