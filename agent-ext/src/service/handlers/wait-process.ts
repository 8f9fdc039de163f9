import type { Method } from '../method.ts';

/** Blocks until the process has ended. Several callers may wait, and a late one still learns the status. */
export const waitProcess: Method<'waitProcess'> =
  (agent) =>
  async ({ containerId, execId }, { signal }) => {
    const process = agent.sandbox.known(containerId).process(execId);
    const gone = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const status = await Promise.race([process.wait(), gone]);
    process.told();
    return { status };
  };
