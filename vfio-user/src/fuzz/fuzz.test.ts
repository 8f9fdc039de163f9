import { expect, test } from 'vitest';
import { fuzzServer } from './fuzz.ts';
import { fuzzLive } from './live.ts';

// `npm run fuzz -w vfio-user` sends a million; these keep it honest in every run.
test('20,000 hostile messages neither crash the server nor leak, and the next client is served', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 12_345);
  const report = fuzzServer({ messages: 20_000, seed });
  expect(report.replies).toBeGreaterThan(10_000);
  expect(report.replies - report.errorReplies).toBeGreaterThan(1000);
  expect(report.leakedDescriptors).toBeLessThanOrEqual(0);
}, 30_000);

test('a host on a socket survives 4,000 of them', async () => {
  const report = await fuzzLive({ messages: 4000, seed: 99 });
  expect(report.connections).toBe(20);
}, 30_000);
