import { writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Stage } from '../lifecycle/timeline.ts';
import { timelineSvg, timelineText } from '../lifecycle/timeline-chart.ts';
import { Capture } from '../process/tee.ts';
import type { SandboxDevice } from '../sandbox/state.ts';
import type { RunOptions } from './run-options.ts';

export interface RunResult {
  name: string;
  exitCode: number;
  devices: SandboxDevice[];
  stages: Stage[];
}

export interface RunReport {
  /** Where the container's output goes: through, or with `--output json` into the result. */
  streams: { stdout?: Writable; stderr?: Writable };
  finish(result: RunResult): void;
}

export function report(options: Pick<RunOptions, 'output' | 'timings' | 'timingsSvg'>): RunReport {
  const json = options.output === 'json';
  const captures = { stdout: new Capture(), stderr: new Capture() };
  return {
    streams: json ? captures : {},
    finish: (result) => {
      if (json) {
        const { stdout, stderr } = captures;
        process.stdout.write(`${JSON.stringify({ ...result, stdout: stdout.text, stderr: stderr.text }, null, 2)}\n`);
      } else if (options.timings) process.stderr.write(timelineText(result.stages));
      if (options.timingsSvg !== undefined) {
        writeFileSync(options.timingsSvg, timelineSvg(result.stages, `kata-mock run ${result.name}`));
      }
    },
  };
}
