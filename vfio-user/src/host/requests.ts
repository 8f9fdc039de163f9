import type { DeviceServer } from '../server/device-server.ts';

/** What can be asked of any function while it runs, beside what its device understands itself. */
export const requests: Record<string, (server: DeviceServer, parameters: Record<string, unknown>) => unknown> = {
  registers: ({ device }) => device.describe?.() ?? [],
  stats: (server) => ({
    connected: server.session !== undefined,
    refusals: server.refusals,
    dmaRegions: server.dma.regions.length,
  }),
};
