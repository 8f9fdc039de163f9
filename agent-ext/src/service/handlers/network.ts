import { IPFamily } from '@kata-mock/contracts';
import { waitFor } from '@kata-mock/devices';
import type { Agent } from '../../agent.ts';
import { AgentError } from '../../errors.ts';
import { checkAddress, checkHardwareAddress, checkInterfaceName } from '../../network/checks.ts';
import {
  describeLink,
  interfaceCommands,
  interfaceInSysfs,
  linkByHardwareAddress,
  restoreCommands,
} from '../../network/interfaces.ts';
import { Ip, type IpLink } from '../../network/ip.ts';
import { describeRoute, routeCommands } from '../../network/routes.ts';
import type { Method } from '../method.ts';

export const updateInterface: Method<'updateInterface'> =
  (agent) =>
  async ({ interface: wanted }) => {
    if (!wanted) throw new AgentError('INVALID_ARGUMENT', 'UpdateInterface comes without an interface');
    const ip = new Ip(agent.reaper);
    const { hotplugTimeoutMs: timeoutMs } = agent.config.devices;
    await waitFor(agent.guest, () => interfaceInSysfs(agent.guest.sysfs, wanted.hwAddr), { timeoutMs });
    const before = await ip.links();
    const link = linkByHardwareAddress(before, wanted.hwAddr);
    if (!link) {
      const there = before.map(({ ifname, address }) => `${ifname} ${address ?? ''}`).join(', ');
      throw new AgentError('NOT_FOUND', `no link has the hardware address "${wanted.hwAddr}"; there are: ${there}`);
    }
    const commands = interfaceCommands(link, wanted, before);
    try {
      await ip.batch(commands);
    } catch (error) {
      await restore(agent, ip, before);
      throw error;
    }
    return describeLink(linkByHardwareAddress(await ip.links(), wanted.hwAddr) ?? link);
  };

/** As far as that goes: who called has the error of what failed. */
async function restore(agent: Agent, ip: Ip, before: readonly IpLink[]): Promise<void> {
  const warn = (err: unknown) => agent.log.warn({ err }, 'cannot give an interface back what it had');
  const now = await ip.links().catch((error) => void warn(error));
  for (const command of now ? restoreCommands(before, now) : []) await ip.batch([command]).catch(warn);
}

export const updateRoutes: Method<'updateRoutes'> =
  (agent) =>
  async ({ routes }) => {
    const ip = new Ip(agent.reaper);
    const present = {
      v4: await ip.routes('-4'),
      v6: (await ip.routes('-6')).filter(({ dst }) => !/^(fe80|ff)/.test(dst)),
    };
    const { v4, v6 } = routeCommands(routes?.Routes ?? [], present);
    await ip.batch(v4, '-4');
    await ip.batch(v6, '-6');
    return { Routes: await allRoutes(ip) };
  };

export const listInterfaces: Method<'listInterfaces'> = (agent) => async () => {
  return { Interfaces: (await new Ip(agent.reaper).links()).map(describeLink) };
};

export const listRoutes: Method<'listRoutes'> = (agent) => async () => {
  return { Routes: await allRoutes(new Ip(agent.reaper)) };
};

export const addARPNeighbors: Method<'addARPNeighbors'> =
  (agent) =>
  async ({ neighbors }) => {
    const commands = (neighbors?.ARPNeighbors ?? []).map(({ toIPAddress, device, lladdr, state }) => {
      const address = checkAddress(toIPAddress?.address ?? '');
      const to = ['neighbour', 'replace', address, 'dev', checkInterfaceName(device)];
      // NUD_PERMANENT where the request names no state.
      return [...to, ...(lladdr === '' ? [] : ['lladdr', checkHardwareAddress(lladdr)]), 'nud', nud(state)];
    });
    await new Ip(agent.reaper).batch(commands);
    return {};
  };

const STATES: Readonly<Record<number, string>> = { 2: 'reachable', 4: 'stale', 64: 'noarp', 128: 'permanent' };

function nud(state: number): string {
  return STATES[state] ?? 'permanent';
}

async function allRoutes(ip: Ip) {
  const [v4, v6] = [await ip.routes('-4'), await ip.routes('-6')];
  return [
    ...v4.map((route) => describeRoute(route, IPFamily.v4)),
    ...v6.map((route) => describeRoute(route, IPFamily.v6)),
  ];
}
