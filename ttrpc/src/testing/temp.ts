import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A private folder of the test, short enough for socket paths. */
export function tempFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ttrpc-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
