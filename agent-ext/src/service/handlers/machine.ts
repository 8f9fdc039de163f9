import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { ioctl } from '@kata-mock/posix';
import { AgentError } from '../../errors.ts';
import { mustRun } from '../../run-program.ts';
import { metricsText } from '../../stats/metrics.ts';
import type { Method } from '../method.ts';

const RNDRESEEDCRNG = 0x5207;
const PROBE = '/sys/devices/system/memory/probe';

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
    await mustRun(agent.reaper, 'date', ['--set', time]).catch((error: unknown) => {
      if (!(error instanceof AgentError) || error.code !== 'UNIMPLEMENTED') throw error;
      // A small guest has busybox only, whose clock knows whole seconds.
      return mustRun(agent.reaper, 'busybox', ['date', '-s', `@${Sec}`]);
    });
    return {};
  };

export const memHotplugByProbe: Method<'memHotplugByProbe'> =
  () =>
  ({ memHotplugProbeAddr }) => {
    for (const address of memHotplugProbeAddr) writeFileSync(PROBE, `0x${address.toString(16)}`);
    return {};
  };

export const getMetrics: Method<'getMetrics'> = () => () => ({ metrics: metricsText() });
