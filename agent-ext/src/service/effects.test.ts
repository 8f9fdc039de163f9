import { readFileSync } from 'node:fs';
import { AgentService } from '@kata-mock/contracts';
import { describe, expect, test } from 'vitest';
import { fakeAgent } from '../testing/fake-agent.ts';
import { effects } from './effects.ts';
import { agentHandlers } from './index.ts';

const page = readFileSync(new URL('../../../docs/agent.md', import.meta.url), 'utf8');

describe('the calls of the agent', () => {
  test('are all in the table of docs/agent.md, in the order of the protocol', () => {
    const rows = AgentService.methods.map(({ name, localName }) => {
      const effect = effects[localName as keyof typeof effects];
      return `| ${name} | ${typeof effect === 'string' ? effect : `UNIMPLEMENTED: ${effect.unimplemented}`} |`;
    });
    expect(page).toContain(['| call | effect |', '|---|---|', ...rows, ''].join('\n'));
  });

  test('have a handler, but for those that say why not', () => {
    const fake = fakeAgent();
    const refused = Object.entries(effects).filter(([, effect]) => typeof effect !== 'string');
    const handled = Object.keys(agentHandlers(fake.agent));
    expect([...handled, ...refused.map(([name]) => name)].sort()).toEqual(Object.keys(effects).sort());
    fake.remove();
  });
});
