import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BoundedLog } from './bounded-log.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kata-mock-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('stops growing at its limit, says so, and still knows the last lines', () => {
  const log = new BoundedLog(path.join(dir, 'log'), 10);
  for (let line = 0; line < 100; line++) log.write(Buffer.from(`line ${line}\n`));
  log.close();
  expect(readFileSync(log.path, 'utf8')).toBe('line 0\nlin\n[the rest is left out]\n');
  expect(log.tail(2)).toEqual(['line 98', 'line 99']);
});

it('makes the file for its owner only', () => {
  const log = new BoundedLog(path.join(dir, 'log'));
  log.close();
  log.write(Buffer.from('after the end'));
  expect(statSync(log.path).mode & 0o777).toBe(0o600);
});
