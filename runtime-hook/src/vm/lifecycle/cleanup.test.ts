import { expect, it } from 'vitest';
import { Cleanup } from './cleanup.ts';

it('undoes the last step first and goes on after one that fails', async () => {
  const done: string[] = [];
  const cleanup = new Cleanup((what, error) => done.push(`${what}: ${(error as Error).message}`));
  cleanup.defer('directory', () => done.push('directory'));
  cleanup.defer('socket', () => Promise.reject(new Error('busy')));
  cleanup.defer('process', () => done.push('process'));
  await cleanup.run();
  await cleanup.run();
  expect(done).toEqual(['process', 'socket: busy', 'directory']);
});
