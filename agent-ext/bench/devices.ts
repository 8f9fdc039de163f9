import type { ContainerRequest } from '@kata-mock/devices';
import { type HandleContext, handleDevices } from '@kata-mock/devices';
import { fakeAgent, mockTree } from '../src/testing/fake-agent.ts';

/** One, a machine's worth, and as many as there are buses. */
export const DEVICE_COUNTS = [1, 16, 256];
const ROUNDS = 30;

export interface DeviceFigures {
  readonly count: number;
  /** Milliseconds of the middle and of the fastest round; the latter is what a busy machine does not hide. */
  readonly medianMs: number;
  readonly fastestMs: number;
}

/** Device handling of one CreateContainer with `count` Device messages and their environment. */
export async function measureDevices(count: number, rounds = ROUNDS): Promise<DeviceFigures> {
  // 32 devices below each port: there are only 256 buses.
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  const places = Array.from({ length: count }, (_, index) => `${hex(Math.floor(index / 32))}/${hex(index % 32)}`);
  const { tree, inventory } = mockTree(...places);
  const numbered = inventory.map((device, index) => ({ ...device, hostAddress: address(index) }));
  const fake = fakeAgent({ tree, inventory: numbered });
  const { agent, guest } = fake;
  const context: HandleContext = {
    guest,
    inventory: agent.inventory,
    settings: agent.config.devices,
    cdi: agent.cdi,
    warn: () => {},
  };
  const request: ContainerRequest = {
    containerId: 'bench',
    devices: places.map((place, index) => ({
      type: 'mock-accel',
      id: `${index}`,
      vmPath: '',
      containerPath: `/dev/mock${index}`,
      options: [`${address(index)}=${place}`],
    })),
    spec: {
      ociVersion: '1.1.0',
      process: { cwd: '/', args: ['true'], env: [`PCIDEVICE_X=${places.map((_, index) => address(index)).join(',')}`] },
      linux: { devices: places.map((_, index) => ({ path: `/dev/mock${index}`, type: 'c', major: 1, minor: 3 })) },
    },
  };
  // Different numbers, so that they do not conflict.
  request.spec.linux?.devices?.forEach((device, index) => {
    device.minor = index;
  });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await handleDevices(context, request);
    times.push(performance.now() - began);
  }
  fake.remove();
  times.sort((a, b) => a - b);
  return { count, medianMs: times[Math.floor(rounds / 2)] as number, fastestMs: times[0] as number };
}

function address(index: number): string {
  return `${(index >> 8).toString(16).padStart(4, '0')}:${(index & 0xff).toString(16).padStart(2, '0')}:00.0`;
}
