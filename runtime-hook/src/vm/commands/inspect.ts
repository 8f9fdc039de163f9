import { controlCall } from '@kata-mock/vfio-user';
import { KataMockError } from '../../errors.ts';
import { type FoundVm, isVmAlive, listVmStates } from '../../state/index.ts';
import { ControlClient } from '../control/client.ts';
import { deviceHostSocket } from '../owner/device-host-watch.ts';
import { sandboxDevices } from '../owner/guest-devices.ts';
import { isAlive } from '../process/identity.ts';
import { sandboxNames } from '../sandbox/find.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import { readState, type SandboxDevice, type SandboxState } from '../sandbox/state.ts';

export interface Register {
  name: string;
  offset: number;
  width: number;
  /** Hexadecimal. */
  value: string;
}

export interface InspectedDevice extends SandboxDevice {
  /** As the device host has them now; absent when it has gone. */
  registers?: Register[];
}

export interface Inspected {
  name: string;
  condition: 'starting' | 'running' | 'stopping' | 'crashed';
  accel?: string;
  transport?: string;
  containers: string[];
  devices: InspectedDevice[];
}

const ownerTimeoutMs = 2000;

/** A sandbox of `kata-mock run`, or any other VM the hook gave devices (by sandbox id or the start of one). */
export async function inspect(name: string, runDir = runDirectory()): Promise<Inspected> {
  if (sandboxNames(runDir).includes(name)) return inspectSandbox(runDir, name);
  const vms = listVmStates(runDir).filter((vm) => vm.sandboxId.startsWith(name));
  const [vm] = vms;
  if (vm && vms.length === 1) return inspectVm(vm);
  const known = [...sandboxNames(runDir), ...listVmStates(runDir).map((each) => each.sandboxId)];
  throw new KataMockError('NOT_FOUND', `there is ${vm ? 'more than one' : 'no'} sandbox "${name}"`, {
    hint: known.length > 0 ? `there are: ${known.join(', ')}` : 'none is running; start one: kata-mock run …',
  });
}

async function inspectSandbox(runDir: string, name: string): Promise<Inspected> {
  const paths = sandboxPaths(runDir, name);
  const kept = readState(paths.state);
  const alive = kept !== undefined && isAlive(kept.owner);
  const state = alive ? await liveState(paths.control, kept) : kept;
  const vm = listVmStates(runDir).find((each) => each.sandboxId === name);
  return {
    name,
    condition: alive && state ? state.phase : 'crashed',
    ...(state && { accel: state.accel, transport: state.transport }),
    containers: state?.containers.map((container) => container.id) ?? [],
    devices: await withRegisters(state?.devices ?? [], vm),
  };
}

/** The owner knows best; while it starts or when it is busy its last written state does. */
async function liveState(control: string, kept: SandboxState): Promise<SandboxState> {
  let client: ControlClient | undefined;
  try {
    client = await ControlClient.open(control);
    return await client.call('status', {}, { timeoutMs: ownerTimeoutMs });
  } catch {
    return kept;
  } finally {
    client?.close();
  }
}

async function inspectVm(vm: FoundVm): Promise<Inspected> {
  return {
    name: vm.sandboxId,
    condition: isVmAlive(vm.directory) ? 'running' : 'crashed',
    containers: [],
    devices: await withRegisters(sandboxDevices(vm.inventory.devices, new Map(), []), vm),
  };
}

async function withRegisters(devices: SandboxDevice[], vm: FoundVm | undefined): Promise<InspectedDevice[]> {
  if (!vm || !isVmAlive(vm.directory)) return devices;
  const socket = deviceHostSocket(vm.directory);
  return Promise.all(
    devices.map(async (device, index) => {
      const id = vm.functions[index]?.id;
      if (id === undefined) return device;
      return { ...device, registers: (await controlCall(socket, 'registers', { id })) as Register[] };
    }),
  );
}
