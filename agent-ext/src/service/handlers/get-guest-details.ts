import { existsSync } from 'node:fs';
import { deviceTypes, findMockDevices, numaNodeOf } from '@kata-mock/devices';
import type { Agent } from '../../agent.ts';
import { memoryBlockBytes, memoryProbe } from '../../guest/memory.ts';
import { storageDrivers } from '../../storage/storages.ts';
import type { Method } from '../method.ts';

export const getGuestDetails: Method<'getGuestDetails'> = (agent) => async (request) => {
  await agent.devicesReady;
  return {
    memBlockSizeBytes: request.memBlockSize ? memoryBlockBytes(agent.guest.sysfs) : 0n,
    supportMemHotplugProbe: request.memHotplugProbe && existsSync(memoryProbe(agent.guest.sysfs)),
    agentDetails: {
      version: agent.version,
      initDaemon: agent.isInit,
      deviceHandlers: [...deviceTypes],
      storageHandlers: [...storageDrivers],
      supportsSeccomp: true,
      extraFeatures: mockFeatures(agent),
    },
  };
};

/** One `mock-accel=<uuid>,<guest address>,<NUMA node>,<node>,<name>` a device, for `kata-mock inspect`. */
function mockFeatures(agent: Agent): string[] {
  return findMockDevices(agent.guest.sysfs, agent.inventory).map((device) => {
    const { uuid, guestAddress, nodePath, name } = device;
    return `mock-accel=${uuid},${guestAddress},${numaNodeOf(agent.guest.sysfs, device)},${nodePath},${name}`;
  });
}
