import { recogniseVmStart } from '../argv/vm-start.ts';
import { loadConfig } from '../config/load-config.ts';
import { sandboxAnnotations } from '../inventory/annotations.ts';
import { requestedDevices } from '../inventory/sources.ts';
import { planDevices } from '../planner/plan.ts';
import { vmArguments } from '../planner/vm-arguments.ts';
import { allowedDevices } from '../policy/policy.ts';
import { answer } from './answer.ts';
import type { HookCall } from './call.ts';
import { findQemu } from './find-qemu.ts';
import { machineId } from './machine-id.ts';

/**
 * From Kata's arguments to the answer for the wrapper. Without devices that is all; with devices this process lives on
 * as their host.
 */
export async function runHook(call: HookCall): Promise<void> {
  const config = await loadConfig(call.env);
  const qemu = findQemu(config.qemu, call.env);
  const start = recogniseVmStart(call.args);
  if (!start) return answer({ program: qemu, args: [] });

  const annotations = sandboxAnnotations(call.bundle);
  const { devices: specs, source } = await requestedDevices({
    annotations,
    defaults: config.devices,
    catalogue: config.cdi,
  });
  const devices = allowedDevices(specs, config.policy, config.file);
  const uuidSeed = [machineId(), start.sandbox];
  if (devices.length === 0) {
    const nothing = { devices: [], leasedAddresses: [], uuidSeed, socketDirectory: '' };
    const { args } = planDevices({ ...nothing, start, rootImage: config.rootImage });
    return answer({ program: qemu, args: [...args, ...vmArguments(config)] });
  }
  const { startDevices } = await import('../device-host/start.ts');
  await startDevices(call, { start, devices, source, uuidSeed, qemu, config });
}
