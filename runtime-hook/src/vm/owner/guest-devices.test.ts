import type { InventoryDevice } from '@kata-mock/contracts';
import { expect, it } from 'vitest';
import { agentDevices, sandboxDevices } from './guest-devices.ts';

const uuid = '4d4f434b-2d4e-554d-4130-2d3030303100';
const device: InventoryDevice = {
  uuid,
  hostAddress: '0000:1a:00.0',
  deviceTreePath: 'a0/00/00',
  numaNode: 1,
  model: 'mock-accel',
  cdiName: '0',
  containerPath: '/dev/mock0',
};

it("joins the hook's plan with what the guest's agent found", () => {
  const found = agentDevices([`mock-accel=${uuid},0000:a1:00.0,1,/dev/mock1,mock1`, 'other', 'mock-accel=../etc,x']);
  expect(sandboxDevices([device], new Map(), found)).toEqual([
    {
      index: 0,
      uuid,
      cdiName: '0',
      model: 'mock-accel',
      hostAddress: '0000:1a:00.0',
      deviceTreePath: 'a0/00/00',
      guestAddress: '0000:a1:00.0',
      numaNode: 1,
      guestNode: '/dev/mock1',
      containerPath: '/dev/mock0',
    },
  ]);
});

it("takes QEMU's word for the address when the agent is not ours", () => {
  const [row] = sandboxDevices([device], new Map([['kata-mock-d0', '0000:a1:00.0']]), agentDevices([]));
  expect(row).toMatchObject({ guestAddress: '0000:a1:00.0', numaNode: 1 });
  expect(row).not.toHaveProperty('guestNode');
});
