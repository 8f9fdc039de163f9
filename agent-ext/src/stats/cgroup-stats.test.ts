import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readCgroupStats } from './cgroup-stats.ts';
import { readNetworkStats } from './network-stats.ts';

test('counters of a cgroup come in the units of the message', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'cgroup-'));
  const files: Record<string, string> = {
    'cpu.stat': 'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 3\nnr_throttled 2\nthrottled_usec 7\n',
    'memory.current': '4096\n',
    'memory.max': 'max\n',
    'memory.stat': 'anon 1\nfile 2048\n',
    'memory.events': 'low 0\nmax 5\noom_kill 1\n',
    'pids.current': '2\n',
    'pids.max': '50\n',
    'io.stat': '254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n',
    'hugetlb.2MB.current': '2097152\n',
    'hugetlb.2MB.events': 'max 1\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text);
  expect(readCgroupStats(root, '')).toMatchObject({
    cpuStats: {
      cpuUsage: { totalUsage: 1_500_000n, usageInKernelmode: 500_000n, usageInUsermode: 1_000_000n },
      throttlingData: { periods: 3n, throttledPeriods: 2n, throttledTime: 7000n },
    },
    memoryStats: { cache: 2048n, usage: { usage: 4096n, limit: 0n, failcnt: 5n }, stats: { file: 2048n } },
    pidsStats: { current: 2n, limit: 50n },
    blkioStats: {
      ioServiceBytesRecursive: [
        { major: 254n, minor: 0n, op: 'Read', value: 4096n },
        { op: 'Write', value: 8192n },
        { op: 'Discard', value: 0n },
      ],
    },
    hugetlbStats: { '2MB': { usage: 2_097_152n, failcnt: 1n } },
  });
  rmSync(root, { recursive: true });
});

test('a cgroup that is gone counts as zero', () => {
  expect(readCgroupStats('/nonexistent', 'x').pidsStats).toEqual({ current: 0n, limit: 0n });
});

test('network counters leave the loopback out', () => {
  const file = path.join(tmpdir(), `net-dev-${process.pid}`);
  writeFileSync(
    file,
    'Inter-| Receive\n face |bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0\n',
  );
  expect(readNetworkStats(file)).toEqual([
    {
      name: 'eth0',
      rxBytes: 10n,
      rxPackets: 2n,
      rxErrors: 3n,
      rxDropped: 4n,
      txBytes: 50n,
      txPackets: 6n,
      txErrors: 7n,
      txDropped: 8n,
    },
  ]);
  rmSync(file);
});
