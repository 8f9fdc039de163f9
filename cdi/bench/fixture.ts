import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CdiSpec } from '../src/index.ts';

export const FILES = 1000;
export const DEVICES_PER_FILE = 10;

/** A spec like those that device plugins write: a node, variables and a few mounts a device. */
export function exampleSpec(file: number): CdiSpec {
  return {
    cdiVersion: '1.1.0',
    kind: `vendor${file}.example.com/gpu`,
    containerEdits: { env: [`DRIVER_VERSION=550.${file}`] },
    devices: Array.from({ length: DEVICES_PER_FILE }, (_, index) => ({
      name: `gpu${index}`,
      containerEdits: {
        env: [`GPU_${index}_ADDRESS=0000:1a:0${index}.0`],
        deviceNodes: [
          { path: `/dev/gpu${index}`, type: 'c', major: 240, minor: index, fileMode: 0o660, permissions: 'rw' },
        ],
        mounts: [
          {
            hostPath: `/usr/lib/gpu${file}/lib${index}.so`,
            containerPath: `/usr/lib/lib${index}.so`,
            options: ['ro', 'nosuid', 'nodev', 'bind'],
          },
        ],
      },
    })),
  };
}

/** A directory of `FILES` spec files in JSON. */
export function fillDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'cdi-bench-'));
  for (let file = 0; file < FILES; file++) {
    writeFileSync(path.join(directory, `vendor${file}.json`), JSON.stringify(exampleSpec(file)));
  }
  return directory;
}
