import type { Method } from '../method.ts';

/** Blocks until a container meets its memory limit. An early error would make a shim ask every second. */
export const getOOMEvent: Method<'getOOMEvent'> =
  (agent) =>
  async (_request, { signal }) => {
    return { containerId: await agent.oom.next(signal) };
  };
