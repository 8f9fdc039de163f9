import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Spec } from '@kata-mock/oci-spec';
import { describe, expect, it } from 'vitest';
import { directory, put } from '../test-support/directories.ts';
import { Cache } from './cache/cache.ts';
import { CdiError } from './errors.ts';

interface Recorded {
  files: Record<string, string>;
  oci: Spec;
  names: string[];
  reference: {
    devices: string[] | null;
    badFiles: string[] | null;
    unresolved?: string[];
    failed?: boolean;
    spec?: Spec;
  };
}

/** Recorded from the Go reference 0.5.2 by tools/reference/record.sh. */
const file = new URL('../test-support/reference-cases.jsonl', import.meta.url);
const recorded = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line): Recorded => JSON.parse(line));

/**
 * A spec as both would write it. Go leaves out what is zero. Since 0.5.2 the reference itself has changed: it fills in file
 * modes, replaces variables instead of appending them, and sorts mounts stably; our own tests have that.
 */
function comparable(spec: Spec | undefined): unknown {
  const { mounts, linux, process, ...rest } = structuredClone(spec ?? { ociVersion: '' });
  for (const device of linux?.devices ?? []) delete device.fileMode;
  const variables = new Map((process?.env ?? []).map((entry) => [entry.split('=')[0], entry]));
  const sorted = (mounts ?? []).map((mount) => JSON.stringify(withoutZeros(mount))).sort();
  return withoutZeros({ ...rest, linux, mounts: sorted, process: { ...process, env: [...variables.values()].sort() } });
}

function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, withoutZeros(item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => !isZero(item)));
}

function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !value;
}

describe('the Go reference and we', () => {
  it(`agree on ${recorded.length} recorded cases: devices, bad files, unresolved names, injected specs`, () => {
    let injected = 0;
    for (const { files, oci, names, reference } of recorded) {
      const base = directory();
      for (const [name, text] of Object.entries(files)) put(base, name, text);
      const specDirs = ['low', 'high'].map((name) => path.join(base, name));
      const cache = new Cache({ specDirs, autoRefresh: false, compat: 'go' });
      const bad = [...cache.errors().keys()].map((place) => path.relative(base, place)).sort();
      const context = JSON.stringify({ files, names });
      expect(bad, context).toEqual(reference.badFiles ?? []);
      expect(cache.listDevices(), context).toEqual(reference.devices ?? []);
      try {
        const { spec } = cache.injectDevices(oci, names);
        expect(comparable(spec), context).toEqual(comparable(reference.spec));
        injected++;
      } catch (error) {
        if (!(error instanceof CdiError)) throw error;
        expect(reference.failed, `${context} ${error.message}`).toBe(true);
        expect(error.code === 'UNRESOLVED' ? error.devices : [], context).toEqual(reference.unresolved ?? []);
      }
    }
    expect(injected).toBeGreaterThan(recorded.length / 2);
  });
});
