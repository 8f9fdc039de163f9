import { readFileSync } from 'node:fs';
import { deviceTypes, findMockDevices, numaNodeOf } from '@kata-mock/devices';
import type { Agent } from '../../agent.ts';
import { storageDrivers } from '../../storage/storages.ts';
import type { Method } from '../method.ts';

const MEMORY_BLOCK_FILE = '/sys/devices/system/memory/block_size_bytes';

export const getGuestDetails: Method<'getGuestDetails'> = (agent) => async (request) => {
  await agent.devicesReady;
  return {
    memBlockSizeBytes: request.memBlockSize ? memoryBlockBytes() : 0n,
    supportMemHotplugProbe: false,
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

function memoryBlockBytes(): bigint {
  try {
    return BigInt(`0x${readFileSync(MEMORY_BLOCK_FILE, 'utf8').trim()}`);
  } catch {
    // A kernel without memory hot plug.
    return 0n;
  }
}
