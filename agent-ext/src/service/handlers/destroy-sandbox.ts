import type { Agent } from '../../agent.ts';
import type { Method } from '../method.ts';
import { discard } from './remove-container.ts';

/** How long the sandbox's end waits for what is being made, ms: shims wait a minute for it. */
const CALL_OFF_MS = 10_000;

/** Ends every container and unmounts; after the answer the agent ends, and as the first program the machine does. */
export const destroySandbox: Method<'destroySandbox'> = (agent) => async () => {
  await agent.sandbox.destroy(() => destroy(agent));
  return {};
};

async function destroy(agent: Agent): Promise<void> {
  const { sandbox, storages, log } = agent;
  // First, so that nothing is made behind our back of what the following takes away.
  const left = await sandbox.makings.callOff(CALL_OFF_MS);
  if (left > 0) log.warn({ left }, 'what is being made does not end, the sandbox does');
  for (const container of sandbox.containers) {
    await discard(agent, container).catch((error) =>
      log.warn({ container: container.id, err: error }, 'cannot remove'),
    );
  }
  await sandbox.setUp.run((what, err) => log.warn({ what, err }, 'cannot undo'));
  await storages.releaseAll((storage, err) => log.warn({ storage, err }, 'cannot unmount'));
  log.info({ sandbox: sandbox.id }, 'sandbox destroyed');
  sandbox.reset();
  agent.end();
}
