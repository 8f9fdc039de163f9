/** `npm run bench -w agent-ext`: what device handling and the agent cost on this machine, against their targets. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { measureDevices } from './devices.ts';
import { measureStart } from './start.ts';

const TARGET_US_PER_DEVICE = 150;

console.log('device handling of one CreateContainer, uevents excluded');
for (const count of [1, 16, 256]) {
  const { medianMs, fastestMs } = await measureDevices(count);
  const each = (ms: number) => `${((ms * 1000) / count).toFixed(0).padStart(5)} µs a device`;
  console.log(`${String(count).padStart(5)} devices  median ${each(medianMs)}, fastest ${each(fastestMs)}`);
}
console.log(`target: ${TARGET_US_PER_DEVICE} µs a device or less with 16 and with 256, growing linearly`);

const bundle = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));
if (existsSync(bundle)) {
  const { readyMs, rssKb, rssAfterKb, callsPerSecond } = await measureStart(bundle);
  console.log(
    `\nagent on this machine: ready after ${readyMs.toFixed(0)} ms, ${(rssKb / 1024).toFixed(0)} MB resident`,
  );
  console.log(
    `after 5,000 calls ${(rssAfterKb / 1024).toFixed(0)} MB; ${callsPerSecond.toFixed(0)} Check calls/s over a unix socket`,
  );
} else {
  console.log('\nagent start: skipped, dist/agent is missing: run "npm run build"');
}
