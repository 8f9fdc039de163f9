import { expect, it } from 'vitest';
import { createProgress } from './progress.ts';

function progressAt(times: number[]) {
  const lines: string[] = [];
  const now = () => times.shift() ?? 0;
  return { lines, progress: createProgress((text) => lines.push(text), now) };
}

it('says how long a step took and when it ended', async () => {
  const { lines, progress } = progressAt([0, 1000, 4500, 4500]);
  await progress.step('kernel', async () => ({ reused: false }));
  expect(lines).toEqual(['[  4.5 s] kernel: done in 3.5 s\n']);
});

it('says that nothing had to be done', async () => {
  const { lines, progress } = progressAt([0, 0, 100]);
  await progress.step('kernel', async () => ({ reused: true }));
  expect(lines).toEqual(['[  0.1 s] kernel: unchanged\n']);
});

it('leaves no timer behind a step that failed', async () => {
  const { progress } = progressAt([]);
  await expect(progress.step('kernel', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
