/** `kata-mock demo`: the main job with its result explained. */
import { writeFileSync } from 'node:fs';
import { deviceTable } from '../../cli/device-table.ts';
import { timelineText } from '../lifecycle/timeline-chart.ts';
import { ownSandbox } from '../run/own.ts';
import type { RunResult } from '../run/report.ts';
import type { RunOptions } from '../run/run-options.ts';
import { topologySvg } from '../topology/svg.ts';

export interface DemoOptions {
  accel: 'auto' | 'kvm' | 'tcg';
  svg?: string;
  verbose: boolean;
}

/** What the container does: plain shell, so that a reader can try it by hand. */
const script = `
set -e
step() { printf '\\n  $ %s\\n' "$*"; eval "$*" 2>&1 | sed 's/^/    /'; }
step 'ls -l /dev/mock*'
step 'cat /dev/mock0'
step 'env | grep PCIDEVICE'
step 'cat /sys/class/mock-accel/*/numa_node'
`;

const devices = [
  'mock-accel,uuid=MOCK-NUMA0-0001,memory=16G,numa=0',
  'mock-accel,uuid=MOCK-NUMA1-0001,memory=24G,numa=1',
];

export async function demo(options: DemoOptions): Promise<number> {
  console.log('Booting a VM with two mock accelerators, one on each NUMA node:');
  for (const device of devices) console.log(`  ${device}`);
  console.log('\nA container that asks for the first (cdi.k8s.io/demo=kata-mock.dev/accel=0) sees:');
  const run: RunOptions = {
    ...{ device: devices, env: [], annotation: ['cdi.k8s.io/demo=kata-mock.dev/accel=0'], memory: '512M', cpus: 1 },
    ...{ accel: options.accel, interactive: false, tty: false, stopTimeout: 5, timings: false, output: 'text' },
    ...{ rootfsMode: 'overlay', onDeviceLoss: 'stop', dryRun: false, verbose: options.verbose },
  };
  return ownSandbox(['/bin/sh', '-c', script], run, (result) => summarize(result, options));
}

function summarize(result: RunResult, { svg }: DemoOptions): void {
  console.log('\nThe way of each device:');
  process.stdout.write(indent(deviceTable(result.devices)));
  console.log('\nThe stages:');
  process.stdout.write(timelineText(result.stages));
  if (svg !== undefined) {
    writeFileSync(svg, topologySvg('kata-mock demo', result.devices));
    console.log(`\ndrawn: ${svg}`);
  }
  console.log(
    result.exitCode === 0 ? '\nkata-mock demo: done' : `\nkata-mock demo: the container failed (${result.exitCode})`,
  );
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
