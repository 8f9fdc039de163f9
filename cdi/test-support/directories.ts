import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { CdiSpec, ContainerEdits } from '../src/index.ts';

/** A directory that is gone after the test, with these files: text, or specs as JSON. */
export function directory(files: Record<string, string | object> = {}): string {
  const made = mkdtempSync(path.join(tmpdir(), 'cdi-test-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) put(made, name, content);
  return made;
}

export function put(where: string, name: string, content: string | object): string {
  const file = path.join(where, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** A spec of kind vendor.com/device with these devices, each with the edits given or a variable that names it. */
export function spec(devices: Record<string, ContainerEdits> | string[], more: Partial<CdiSpec> = {}): CdiSpec {
  const entries: [string, ContainerEdits][] = Array.isArray(devices)
    ? devices.map((name) => [name, { env: [`DEVICE_${name}=1`] }])
    : Object.entries(devices);
  return {
    cdiVersion: '1.1.0',
    kind: 'vendor.com/device',
    devices: entries.map(([name, containerEdits]) => ({ name, containerEdits })),
    ...more,
  };
}
