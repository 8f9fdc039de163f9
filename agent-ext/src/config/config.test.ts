import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configFrom, defaultConfig, unusedSettings } from './config.ts';
import { parseCommandLine } from './kernel-command-line.ts';

const read = (text: string) => {
  const warnings: string[] = [];
  return { config: configFrom(parseCommandLine(text), (message) => warnings.push(message)), warnings };
};

describe('the kernel command line', () => {
  test('is split at blanks outside quotes; later entries win', () => {
    expect([...parseCommandLine('quiet a=1 b="x y" a=2 c=d=e\n')]).toEqual([
      ['quiet', ''],
      ['a', '2'],
      ['b', 'x y'],
      ['c', 'd=e'],
    ]);
  });

  test('without options of the agent gives the defaults', () => {
    expect(read('console=hvc0 quiet').config).toEqual(defaultConfig);
  });

  test('sets what Kata’s agent takes under the same names', () => {
    const { config, warnings } = read(
      'agent.log=debug agent.server_addr=unix:///run/a.sock agent.hotplug_timeout=7 agent.cdi_timeout=5 agent.visible_cdi_devices=true agent.kata_mock.untranslated=warn',
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      logLevel: 'debug',
      listen: ['unix:///run/a.sock'],
      devices: { hotplugTimeoutMs: 7000, cdiTimeoutMs: 5000, visibleCdiDevices: true, untranslated: 'warn' },
    });
  });

  test('stands behind the variables of Kata’s agent', () => {
    const env = { KATA_AGENT_SERVER_ADDR: 'unix:///run/b.sock', KATA_AGENT_LOG_LEVEL: 'warn' };
    const words = parseCommandLine('agent.log=debug agent.server_addr=unix:///run/a.sock');
    expect(configFrom(words, () => {}, env)).toMatchObject({ logLevel: 'warn', listen: ['unix:///run/b.sock'] });
  });

  test('has words that mean nothing here; those are named, without their values', () => {
    const words = parseCommandLine(
      'quiet agent.log=debug agent.container_pipe_size=4096 agent.https_proxy=http://u:p@x',
    );
    const env = { PATH: '/bin', KATA_AGENT_LOG_LEVEL: 'info', KATA_AGENT_POLICY_FILE: '/x' };
    expect(unusedSettings(words, env)).toEqual([
      'agent.container_pipe_size',
      'agent.https_proxy',
      'KATA_AGENT_POLICY_FILE',
    ]);
  });

  test('has no word in docs/agent.md that means nothing here', () => {
    const page = readFileSync(new URL('../../../docs/agent.md', import.meta.url), 'utf8');
    const words = [...page.matchAll(/^\| `(agent\.[^`=]+)=?` \|/gm)].map(([, word = '']) => word);
    expect(words).toHaveLength(8);
    expect(unusedSettings(new Map(words.map((word) => [word, ''])), {})).toEqual([]);
  });

  test.each([
    'agent.cdi_timeout=soon',
    'agent.hotplug_timeout=-1',
    'agent.log=loud',
    'agent.visible_cdi_devices=maybe',
  ])('a value it cannot read keeps the default and is told: %s', (text) => {
    const { config, warnings } = read(text);
    expect(config).toEqual(defaultConfig);
    expect(warnings).toEqual([expect.stringContaining(text)]);
  });
});
