import { locateNode } from '@kata-mock/devices';
import { formatPath } from '@kata-mock/pci';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import { mustRunOneOf } from '../../run-program.ts';
import type { Method } from '../method.ts';

/** Swaps to a block device by its PCI path, one slot number an element. */
export const addSwap: Method<'addSwap'> =
  (agent) =>
  async ({ PCIPath }) => {
    if (PCIPath.length === 0 || PCIPath.some((slot) => slot > 0x1f)) {
      throw new AgentError('INVALID_ARGUMENT', `invalid PCI path [${PCIPath.join(', ')}]: expected slots of 0 to 31`);
    }
    const id = formatPath(PCIPath.map((slot) => ({ slot, function: 0 })));
    const request = { type: 'blk', id, vmPath: '', containerPath: 'swap', options: [] };
    const { path } = await locateNode(agent.guest, request, agent.config.devices);
    await swapOn(agent, path);
    return {};
  };

export const addSwapPath: Method<'addSwapPath'> =
  (agent) =>
  async ({ path }) => {
    const node = /^\/dev\/[^/]+$/.test(path) ? agent.guest.readNode(path) : undefined;
    if (node === undefined || node === 'other' || node.type !== 'b') {
      throw new AgentError(
        'INVALID_ARGUMENT',
        `cannot swap to ${JSON.stringify(path)}: it is no block device directly below /dev`,
      );
    }
    await swapOn(agent, path);
    return {};
  };

/** The path is a node below /dev by now, so it is no option. */
async function swapOn(agent: Agent, path: string): Promise<void> {
  await mustRunOneOf(agent.reaper, [
    ['swapon', path],
    ['busybox', 'swapon', path],
  ]);
}
