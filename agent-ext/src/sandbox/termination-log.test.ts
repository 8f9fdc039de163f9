import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readTerminationLog, terminationLogOf } from './termination-log.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'termination-'));
});
afterEach(() => rmSync(base, { recursive: true }));

describe('a termination log', () => {
  const annotations = { 'io.kubernetes.container.terminationMessagePath': '/dev/termination-log' };
  const mounts = [{ destination: '/dev/termination-log', source: '/run/x', type: 'bind' }];

  test('is the source of the mount that the annotation names', () => {
    expect(terminationLogOf({ ociVersion: '1', annotations, mounts })).toBe('/run/x');
    expect(terminationLogOf({ ociVersion: '1', annotations, mounts: [] })).toBeUndefined();
    expect(terminationLogOf({ ociVersion: '1', mounts })).toBeUndefined();
  });

  test('is read up to 4 KiB, and is empty when nobody wrote it', async () => {
    writeFileSync(`${base}/log`, 'x'.repeat(5000));
    expect(await readTerminationLog(base, `${base}/log`)).toBe('x'.repeat(4096));
    expect(await readTerminationLog(base, `${base}/none`)).toBe('');
  });

  test.each(['link', 'fifo', '../out'])('is not read when it is %s', async (kind) => {
    symlinkSync('/etc/hostname', `${base}/link`);
    execFileSync('mkfifo', [`${base}/fifo`]);
    await expect(readTerminationLog(base, `${base}/${kind}`)).rejects.toMatchObject({ name: 'AgentError' });
  });
});
