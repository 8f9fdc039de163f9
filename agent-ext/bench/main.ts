/**
 * `npm run bench -w agent-ext`: what device handling and the agent cost, on this machine and in an emulated guest, against
 * their targets. Options: --no-guest (without the part in a VM), --json FILE (`-` for standard output; the tables go to
 * standard error). The guest's part needs root and `make setup`, and says so when it is left out.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEVICE_COUNTS, type DeviceFigures, measureDevices } from './devices.ts';
import { measureGuest } from './guest.ts';
import { measureStart } from './start.ts';

const TARGET_US_PER_DEVICE = 150;
const TARGET_READY_MS = 6_000;
const TARGET_RESIDENT_MB = 90;

const { values } = parseArgs({ options: { 'no-guest': { type: 'boolean' }, json: { type: 'string' } } });
const bundle = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

const devices: DeviceFigures[] = [];
for (const count of DEVICE_COUNTS) devices.push(await measureDevices(count));
const start = existsSync(bundle) ? await measureStart(bundle) : { skipped: 'no dist/agent: run "npm run build"' };
const guest = values['no-guest'] ? { skipped: '--no-guest' } : await measureGuest();

const lines = [
  `${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
  `\ndevice handling of one CreateContainer, uevents excluded; target ${TARGET_US_PER_DEVICE} µs a device on the host`,
  ...deviceLines('host', devices),
  ...('skipped' in guest ? [] : deviceLines('guest, fake tree', guest.devices)),
  '\nagent on this machine',
  ...('skipped' in start
    ? [`  skipped: ${start.skipped}`]
    : [
        `  start to first answer            ${start.readyMs.toFixed(0)} ms`,
        `  resident after start             ${megabytes(start.rssKb * 1024)}`,
        `  resident after 5,000 calls       ${megabytes(start.rssAfterKb * 1024)}`,
        `  Check over a unix socket         ${start.callsPerSecond.toFixed(0)} calls/s`,
      ]),
  '\nagent as process 1 of an emulated guest',
  ...('skipped' in guest
    ? [`  skipped: ${guest.skipped}`]
    : [
        `  QEMU's exec to first answer      ${guest.readyMs.toFixed(0)} ms (target ${TARGET_READY_MS})`,
        `  resident after start             ${megabytes(guest.residentBytes.start)} (target ${TARGET_RESIDENT_MB} MB)`,
        `  resident after one container     ${megabytes(guest.residentBytes.one)}`,
        `  resident after 100 containers    ${megabytes(guest.residentBytes.hundred)}`,
        `  Check over the serial port       ${guest.checksPerSecond.serial.toFixed(0)} calls/s, ${guest.checksPerSecond.parallel.toFixed(0)} with 32 at once`,
      ]),
];
const toStdout = values.json === '-';
for (const line of lines) (toStdout ? console.error : console.log)(line);
if (values.json !== undefined) {
  const text = `${JSON.stringify({ node: process.version, devices, start, guest }, null, 2)}\n`;
  if (toStdout) process.stdout.write(text);
  else writeFileSync(values.json, text);
}

function deviceLines(where: string, figures: readonly DeviceFigures[]): string[] {
  return figures.map(({ count, medianMs, fastestMs }) => {
    const each = (ms: number) => `${((ms * 1000) / count).toFixed(0).padStart(6)} µs a device`;
    return `  ${where.padEnd(17)} ${String(count).padStart(4)}  median ${each(medianMs)}, fastest ${each(fastestMs)}`;
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
