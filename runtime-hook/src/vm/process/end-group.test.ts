import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { endGroup } from './end-group.ts';
import { isAlive, processIdentity } from './identity.ts';

it('resolves when a whole group has ended, the children of its leader too', async () => {
  const leader = spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [pid] = await once(leader.stdout, 'data');
  const child = processIdentity(Number(pid))!;
  expect(isAlive(child)).toBe(true);
  await endGroup(leader.pid ?? 0, 5000);
  expect(isAlive(child)).toBe(false);
  await endGroup(leader.pid ?? 0, 5000);
});
