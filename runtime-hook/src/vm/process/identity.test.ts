import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { isAlive, processIdentity } from './identity.ts';

it('knows a running process and tells it from one that has ended', async () => {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const identity = processIdentity(child.pid ?? 0);
  expect(identity?.pid).toBe(child.pid);
  expect(isAlive(identity!)).toBe(true);
  expect(isAlive({ ...identity!, startTime: '1' })).toBe(false);
  child.stdin.end();
  await once(child, 'exit');
  expect(isAlive(identity!)).toBe(false);
});
