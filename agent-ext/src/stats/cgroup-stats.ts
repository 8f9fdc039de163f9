import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { BlkioStatsEntry, CgroupStatsSchema } from '@kata-mock/contracts';
import { readAttribute } from '@kata-mock/pci';

type Stats = MessageInitShape<typeof CgroupStatsSchema>;
type BlkioEntry = Pick<BlkioStatsEntry, 'major' | 'minor' | 'op' | 'value'>;

const NANOSECONDS_PER_MICROSECOND = 1000n;

/** Counters of one cgroup (version 2) in Kata's message. Times in ns, sizes in bytes; a missing file counts as zero. */
export function readCgroupStats(root: string, cgroup: string): Stats {
  const directory = path.join(root, cgroup);
  const cpu = keyed(directory, 'cpu.stat');
  const memory = keyed(directory, 'memory.stat');
  const events = keyed(directory, 'memory.events');
  const micro = (name: string) => (cpu[name] ?? 0n) * NANOSECONDS_PER_MICROSECOND;
  return {
    cpuStats: {
      cpuUsage: {
        totalUsage: micro('usage_usec'),
        usageInKernelmode: micro('system_usec'),
        usageInUsermode: micro('user_usec'),
      },
      throttlingData: {
        periods: cpu['nr_periods'] ?? 0n,
        throttledPeriods: cpu['nr_throttled'] ?? 0n,
        throttledTime: micro('throttled_usec'),
      },
    },
    memoryStats: {
      cache: memory['file'] ?? 0n,
      usage: {
        usage: single(directory, 'memory.current'),
        maxUsage: single(directory, 'memory.peak'),
        failcnt: events['max'] ?? 0n,
        limit: single(directory, 'memory.max'),
      },
      swapUsage: { usage: single(directory, 'memory.swap.current'), limit: single(directory, 'memory.swap.max') },
      kernelUsage: { usage: memory['kernel'] ?? 0n },
      useHierarchy: true,
      stats: memory,
    },
    pidsStats: { current: single(directory, 'pids.current'), limit: single(directory, 'pids.max') },
    blkioStats: readBlkio(directory),
    hugetlbStats: readHugetlb(directory),
  };
}

/** A file of `key value` lines. */
function keyed(directory: string, name: string): Record<string, bigint> {
  const lines = (readAttribute(directory, name) ?? '').split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const match = /^(\S+) (\d+)$/.exec(line);
      return match ? [[match[1], BigInt(match[2] as string)]] : [];
    }),
  );
}

/** A file with one number; `max` (no limit) counts as zero, as in Kata's messages. */
function single(directory: string, name: string): bigint {
  const text = readAttribute(directory, name) ?? '';
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** io.stat has lines such as `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function readBlkio(directory: string): Stats['blkioStats'] {
  const bytes: BlkioEntry[] = [];
  const operations: BlkioEntry[] = [];
  for (const line of (readAttribute(directory, 'io.stat') ?? '').split('\n')) {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (!match) continue;
    const [major, minor] = [BigInt(match[1] as string), BigInt(match[2] as string)];
    for (const [, key, value] of (match[3] as string).matchAll(/(\w+)=(\d+)/g)) {
      const op = { r: 'Read', w: 'Write', d: 'Discard' }[key?.[0] ?? ''];
      const list = key?.endsWith('bytes') ? bytes : operations;
      if (op) list.push({ major, minor, op, value: BigInt(value as string) });
    }
  }
  return { ioServiceBytesRecursive: bytes, ioServicedRecursive: operations };
}

/** One `hugetlb.<size>.…` group of files for each page size. */
function readHugetlb(directory: string): Stats['hugetlbStats'] {
  const stats: NonNullable<Stats['hugetlbStats']> = {};
  for (const name of filesIn(directory)) {
    const size = /^hugetlb\.([^.]+)\.current$/.exec(name)?.[1];
    if (size === undefined) continue;
    const failures = keyed(directory, `hugetlb.${size}.events`)['max'] ?? 0n;
    stats[size] = { usage: single(directory, name), failcnt: failures };
  }
  return stats;
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
