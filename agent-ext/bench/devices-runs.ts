import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { bundle, start } from './bundle.ts';
import { DEVICE_COUNTS, type DeviceFigures } from './devices.ts';

/** Until V8 has nothing left to optimise. */
const SETTLE_MS = 2_000;

/** Device handling on this machine, each count in a process of its own. */
export async function measureOnHost(): Promise<DeviceFigures[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'agent-bench-'));
  try {
    const program = await makeProgram(directory);
    const figures: DeviceFigures[] = [];
    for (const count of DEVICE_COUNTS) {
      const child = start(program, [`${count}`, `${SETTLE_MS}`]);
      const [printed] = await Promise.all([text(child.stdout), once(child, 'close')]);
      figures.push(JSON.parse(printed) as DeviceFigures);
    }
    return figures;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Bundles devices-program.ts into a directory, with the last CreateContainer of a recorded pod; returns its path. */
export async function makeProgram(directory: string): Promise<string> {
  const recording = new URL('../../test/fixtures/kata-3.21-cri-pod.jsonl', import.meta.url);
  const calls = readFileSync(recording, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { method: string; request: unknown });
  const recorded = calls.findLast(({ method }) => method === 'CreateContainer');
  writeFileSync(path.join(directory, 'request.json'), JSON.stringify(recorded?.request));
  return bundle('devices-program.ts', directory);
}
