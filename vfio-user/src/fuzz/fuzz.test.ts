import { expect, test } from 'vitest';
import { fuzzServer } from './fuzz.ts';
import { fuzzLive } from './live.ts';
import { fuzzRestore } from './restore.ts';

// `npm run fuzz -w vfio-user` sends a million; these keep it honest in every run.
test('20,000 hostile messages neither crash the server nor leak, and the next client is served', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 12_345);
  const report = fuzzServer({ messages: 20_000, seed });
  expect(report.replies).toBeGreaterThan(10_000);
  expect(report.replies - report.errorReplies).toBeGreaterThan(1000);
  expect(report.leakedDescriptors).toBeLessThanOrEqual(0);
}, 30_000);

test('a host on a socket survives 4,000 of them without a leak, and answers a session the same in whatever pieces it comes', async () => {
  const report = await fuzzLive({ messages: 4000, seed: 99 });
  expect(report.connections).toBe(20);
  expect(report.splitSessions).toBeGreaterThan(600);
  expect(report.heapGrowthMB).toBeLessThanOrEqual(1);
}, 30_000);

test('1,000 broken device states are refused or restored to a device that works', () => {
  const { streams, refused } = fuzzRestore({ streams: 1000, seed: Number(process.env['FUZZ_SEED'] ?? 7) });
  expect(streams - refused).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(500);
}, 30_000);
