import { closeSync, existsSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { ioctl } from '@kata-mock/posix';
import { AgentError } from '../../errors.ts';
import { memoryProbe } from '../../guest/memory.ts';
import { mustRunOneOf } from '../../run-program.ts';
import { metricsText } from '../../stats/metrics.ts';
import type { Method } from '../method.ts';

const RNDRESEEDCRNG = 0x5207;

/** Mixes bytes of the host into the guest's random numbers, for guests that were cloned from a template. */
export const reseedRandomDev: Method<'reseedRandomDev'> =
  () =>
  ({ data }) => {
    const fd = openSync('/dev/urandom', 'r+');
    try {
      writeSync(fd, data);
      ioctl(fd, RNDRESEEDCRNG);
    } finally {
      closeSync(fd);
    }
    return {};
  };

export const setGuestDateTime: Method<'setGuestDateTime'> =
  (agent) =>
  async ({ Sec, Usec }) => {
    if (Sec < 0n || Usec < 0n || Usec >= 1_000_000n) {
      throw new AgentError('INVALID_ARGUMENT', `invalid time ${Sec} s ${Usec} µs`);
    }
    const time = `@${Sec}.${Usec.toString().padStart(6, '0')}`;
    // The clock of busybox knows whole seconds.
    await mustRunOneOf(agent.reaper, [
      ['date', '--set', time],
      ['busybox', 'date', '-s', `@${Sec}`],
    ]);
    return {};
  };

/** Tells the kernel of memory it was not told of by firmware. x86 kernels find it by ACPI and have no such file. */
export const memHotplugByProbe: Method<'memHotplugByProbe'> =
  (agent) =>
  ({ memHotplugProbeAddr }) => {
    const probe = memoryProbe(agent.guest.sysfs);
    if (!existsSync(probe)) {
      throw new AgentError('UNIMPLEMENTED', `this kernel takes no memory by its address: ${probe} does not exist`);
    }
    for (const address of memHotplugProbeAddr) writeFileSync(probe, `0x${address.toString(16)}`);
    return {};
  };

export const getMetrics: Method<'getMetrics'> = () => () => ({ metrics: metricsText() });
