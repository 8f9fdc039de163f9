import { readFileSync } from 'node:fs';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { NetworkStatsSchema } from '@kata-mock/contracts';

/** Counters of the sandbox's interfaces, which all its containers share. */
export function readNetworkStats(file = '/proc/net/dev'): MessageInitShape<typeof NetworkStatsSchema>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line);
      const name = match?.[1];
      if (name === undefined || name === 'lo') return [];
      const numbers = (match?.[2] ?? '').trim().split(/\s+/).map(BigInt);
      const at = (index: number) => numbers[index] ?? 0n;
      return [
        {
          name,
          rxBytes: at(0),
          rxPackets: at(1),
          rxErrors: at(2),
          rxDropped: at(3),
          txBytes: at(8),
          txPackets: at(9),
          txErrors: at(10),
          txDropped: at(11),
        },
      ];
    });
}
