import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { deviceKeys } from '../inventory/device-keys.ts';
import { parseDeviceList } from '../inventory/device-list.ts';
import { parseDeviceSpec } from '../inventory/device-spec.ts';
import { allowedDevices, defaultPolicy } from '../policy/policy.ts';
import { defaultConfigFile } from './config.ts';
import { parseConfig } from './parse-config.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../../docs/hook.md'), 'utf8');
/** Cells of the table rows whose first cell begins with this text. */
const row = (first: string) =>
  page
    .split('\n')
    .find((line) => line.startsWith(`| \`${first}\``))
    ?.split('|')
    .slice(1, -1);

/** Names of the settings in a section, from what the parser says about one that does not exist. */
function settings(section: string): string[] {
  try {
    parseConfig(section === '' ? 'x = 1' : `[${section}]\nx = 1`, '/c');
  } catch (error) {
    const hint = (error as { hint: string }).hint.replace('keys: ', '');
    return hint.split(', ').filter((key) => !['policy', 'vm', 'log', `${section}.x`, 'x'].includes(key));
  }
  throw new Error('an unknown key was taken');
}

describe('docs/hook.md', () => {
  test.each(['', 'policy'])('describes every setting of section "%s"', (section) => {
    const names = settings(section).filter((name) => name !== 'cdi');
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => !row(name))).toEqual([]);
    expect(page).toContain('`[[cdi]]`');
  });

  test('describes every key of a device, with an example that works', () => {
    for (const key of deviceKeys) {
      const [, example = ''] = row(key.name) ?? [];
      expect(() => parseDeviceSpec(`${key.name}=${example.replaceAll('`', '').trim()}`), key.name).not.toThrow();
    }
  });

  test('gives the limits that hold', () => {
    expect(row('policy.maxDevices')?.[3]?.trim()).toBe(String(defaultPolicy.maxDevices));
    expect(row('policy.maxNumaNode')?.[3]?.trim()).toBe(String(defaultPolicy.maxNumaNode));
    expect(row('policy.containerPaths')?.[3]).toContain(JSON.stringify(defaultPolicy.containerPaths));
  });

  test('shows a refusal as it is printed', () => {
    const refused = () => allowedDevices(parseDeviceList('300'), defaultPolicy, defaultConfigFile);
    const quoted = page.split('\n').filter((line) => line.startsWith('kata-mock-qemu: '));
    expect(refused).toThrow(quoted[0]?.replace('kata-mock-qemu: ', ''));
  });

  test.each(
    [...page.matchAll(/^\| `([^`]+)` \| (?:two plain|SPECs|a JSON|no devices)/gm)].map((match) => match[1] ?? ''),
  )('shows the annotation %j, which can be read', (text) => {
    expect(() => parseDeviceList(text)).not.toThrow();
  });
});
