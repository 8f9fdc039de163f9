import { sethostname } from '@kata-mock/posix';
import { AgentError } from '../../errors.ts';
import { loadModule } from '../../init/modules.ts';
import { checkId } from '../../sandbox/ids.ts';
import { writeResolvConf } from '../../sandbox/resolv-conf.ts';
import { UndoStack } from '../../undo.ts';
import type { Method } from '../method.ts';

/** Mounts what all containers share and takes the sandbox's names. */
export const createSandbox: Method<'createSandbox'> = (agent) => async (request) => {
  const { sandbox, storages, log } = agent;
  if (request.sandboxId !== '') checkId('sandbox id', request.sandboxId);
  if (sandbox.created) throw new AgentError('ALREADY_EXISTS', `sandbox ${sandbox.id || '(unnamed)'} exists already`);
  const making = sandbox.makings.begin();
  sandbox.created = true;
  const undo = new UndoStack();
  undo.add('sandbox', () => {
    sandbox.created = false;
  });
  try {
    for (const { name, parameters } of request.kernelModules) await loadModule(agent.reaper, name, parameters);
    for (const storage of request.storages) {
      const key = await storages.acquire(storage);
      undo.add(`storage ${key}`, () => storages.release(key));
    }
    if (request.dns.length > 0) {
      const restore = writeResolvConf(agent.paths, request.dns);
      undo.add('resolv.conf', restore);
      sandbox.setUp.add('resolv.conf', restore);
    }
    making.signal.throwIfAborted();
    if (request.hostname !== '' && agent.isInit) sethostname(request.hostname);
  } catch (error) {
    sandbox.setUp.clear();
    await undo.run((what, err) => log.warn({ what, err }, 'cannot undo'));
    throw error;
  } finally {
    making.done();
  }
  sandbox.id = request.sandboxId;
  sandbox.hostname = request.hostname;
  sandbox.sharedPidNamespace = request.sandboxPidns;
  sandbox.guestHookPath = request.guestHookPath;
  log.info({ sandbox: sandbox.id, storages: request.storages.length }, 'sandbox created');
  return {};
};
