import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { scenarios } from './index.ts';
import { runScenario } from './run-scenario.ts';

describe('scenarios of upstream issues', () => {
  test.each(scenarios.map(({ name, scenario }) => [name, scenario] as const))('%s', async (_, scenario) => {
    const { cases } = await runScenario(scenario);
    for (const { container, differences } of cases)
      expect({ container, differences }).toEqual({ container, differences: [] });
  });

  test('every file is in the list', () => {
    const files = readdirSync(new URL('./files', import.meta.url)).map((name) => name.replace('.json', ''));
    expect(scenarios.map(({ name }) => name)).toEqual(files.sort());
  });

  test('a scenario whose expectation does not hold says every difference', async () => {
    const first = scenarios.find(({ name }) => name === '4091-sriov-virtual-functions');
    const [one] = first!.scenario.cases;
    const wrong = {
      ...first!.scenario,
      cases: [{ ...one!, expect: { env: ['X=1'], devices: ['/dev/x c 1:1'], warnings: ['never'] } }],
    };
    const { passed, cases } = await runScenario(wrong);
    expect(passed).toBe(false);
    expect(cases[0]?.differences).toHaveLength(3);
  });
});
