import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readAttribute, readEntriesIfAny } from '@kata-mock/pci';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import type { Method } from '../method.ts';

/** How long a hot-plugged processor may take to show up. */
const WAIT_MS = 2_000;
const LOOK_AGAIN_MS = 50;

/** Puts hot-plugged processors and memory to use. `nbCpus` 0 asks for nothing in particular. */
export const onlineCPUMem: Method<'onlineCPUMem'> =
  (agent) =>
  async ({ nbCpus, cpuOnly, wait }) => {
    let brought = bringOnline(agent, 'cpu', /^cpu\d+$/);
    const deadline = Date.now() + WAIT_MS;
    while (wait && brought < nbCpus && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      brought += bringOnline(agent, 'cpu', /^cpu\d+$/);
    }
    if (wait && brought < nbCpus) {
      throw new AgentError(
        'FAILED_PRECONDITION',
        `${nbCpus} more processors were promised, ${brought} came in ${WAIT_MS} ms`,
      );
    }
    if (!cpuOnly) bringOnline(agent, 'memory', /^memory\d+$/);
    return {};
  };

/** How many it brought online. */
function bringOnline(agent: Agent, kind: 'cpu' | 'memory', pattern: RegExp): number {
  const directory = path.join(agent.guest.sysfs, 'devices/system', kind);
  let count = 0;
  for (const { name } of readEntriesIfAny(directory)) {
    if (!pattern.test(name) || readAttribute(path.join(directory, name), 'online') !== '0') continue;
    try {
      writeFileSync(path.join(directory, name, 'online'), '1');
      count++;
    } catch (error) {
      agent.log.warn({ [kind]: name, err: error }, 'cannot bring online');
    }
  }
  return count;
}
