import { cpus, loadavg } from 'node:os';
import type { DeviceFigures } from './devices.ts';
import type { GuestFigures } from './guest.ts';
import type { HeapGrowth } from './heap.ts';
import type { StartFigures } from './start.ts';

export interface Figures {
  readonly devices: readonly DeviceFigures[];
  readonly heap: HeapGrowth;
  readonly start: StartFigures | Skipped;
  readonly guest: GuestFigures | Skipped;
}

export interface Skipped {
  readonly skipped: string;
}

const TARGET_US_PER_DEVICE = 150;
const TARGET_READY_MS = 6_000;
const TARGET_RESIDENT_MB = 90;

/** The figures for people, a line each. */
export function reportLines({ devices, heap, start, guest }: Figures): string[] {
  return [
    `${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
    `\ndevice handling of one CreateContainer, uevents excluded, µs a device; target on the host, in service: ${TARGET_US_PER_DEVICE}`,
    `  ${''.padEnd(16)} devices  first container  first 30, median  in service, median  fastest`,
    ...deviceLines('host', devices),
    ...('skipped' in guest ? [] : deviceLines('guest, fake tree', guest.devices)),
    '\nheap of the agent after a garbage collection, containers come and gone',
    ...heap.map(
      ({ containers, heapBytes, externalBytes }) =>
        `  ${String(containers).padStart(4)} containers  ${megabytes(heapBytes, 2)}, outside the heap ${megabytes(externalBytes, 2)}`,
    ),
    '\nagent on this machine',
    ...('skipped' in start ? [skipped(start)] : startLines(start)),
    '\nagent as process 1 of an emulated guest',
    ...('skipped' in guest ? [skipped(guest)] : guestLines(guest)),
  ];
}

function deviceLines(where: string, figures: readonly DeviceFigures[]): string[] {
  const { fixed, each } = fit(figures.map(({ count, steadyMs }) => [count, steadyMs * 1000]));
  return [
    ...figures.map(({ count, firstMs, youngMs, steadyMs, fastestMs, nodes }) => {
      const cell = (ms: number, width: number) => ((ms * 1000) / count).toFixed(0).padStart(width);
      const note = nodes === 'real' ? '' : '  (files for nodes: no root)';
      return `  ${where.padEnd(16)} ${String(count).padStart(7)}  ${cell(firstMs, 15)}  ${cell(youngMs, 16)}  ${cell(steadyMs, 18)}  ${cell(fastestMs, 7)}${note}`;
    }),
    `  ${where.padEnd(16)} in service: ${fixed.toFixed(0)} µs a container and ${each.toFixed(0)} µs a device`,
  ];
}

/** The line through points, by the least squares of what they differ by in proportion: 256 devices count no more than one. */
function fit(points: readonly (readonly [x: number, y: number])[]): { fixed: number; each: number } {
  const sum = (value: (x: number, y: number) => number) =>
    points.reduce((total, [x, y]) => total + value(x, y) / (y * y), 0);
  const [w, x, y, xx, xy] = [sum(() => 1), sum((x) => x), sum((_, y) => y), sum((x) => x * x), sum((x, y) => x * y)];
  const each = (w * xy - x * y) / (w * xx - x * x);
  return { fixed: (y - each * x) / w, each };
}

function startLines({ readyMs, rssKb, rssAfterKb, callsPerSecond }: StartFigures): string[] {
  return [
    `  start to first answer            ${readyMs.toFixed(0)} ms`,
    `  resident after start             ${megabytes(rssKb * 1024)}`,
    `  resident after 5,000 calls       ${megabytes(rssAfterKb * 1024)}`,
    `  Check over a unix socket         ${callsPerSecond.toFixed(0)} calls/s`,
  ];
}

function guestLines({ readyMs, residentBytes, checksPerSecond, spec }: GuestFigures): string[] {
  return [
    `  QEMU's exec to first answer      ${readyMs.toFixed(0)} ms (target ${TARGET_READY_MS})`,
    `  resident after start             ${megabytes(residentBytes.start)} (target ${TARGET_RESIDENT_MB} MB)`,
    `  resident after one container     ${megabytes(residentBytes.one)}`,
    `  resident after 100 containers    ${megabytes(residentBytes.hundred)}`,
    `  CreateContainer before runc      ${spec.firstMs} ms the first, ${spec.laterMs} ms the last fifty (one device by CDI)`,
    `  Check over the serial port       ${checksPerSecond.serial.toFixed(0)} calls/s, ${checksPerSecond.parallel.toFixed(0)} with 32 at once`,
  ];
}

function skipped({ skipped: why }: Skipped): string {
  return `  skipped: ${why}`;
}

function megabytes(bytes: number, digits = 1): string {
  return `${(bytes / 1e6).toFixed(digits)} MB`;
}
