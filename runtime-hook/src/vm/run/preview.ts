/** The hook's plan, computed here without starting or leasing anything: for --dry-run, and to refuse early. */

import { recogniseVmStart } from '../../argv/vm-start.ts';
import { loadConfig } from '../../config/load-config.ts';
import { requestedDevices } from '../../inventory/sources.ts';
import { madeUpAddresses } from '../../leases/addresses.ts';
import { Leases } from '../../leases/leases.ts';
import { type Plan, planDevices } from '../../planner/plan.ts';
import { addressesToLease } from '../../planner/requests.ts';
import { allowedDevices } from '../../policy/policy.ts';
import { vmDirectory } from '../../state/index.ts';
import { machineId } from '../../wrapper/machine-id.ts';
import type { SandboxPlan } from '../owner/plan.ts';
import { sandboxQemuArguments } from '../owner/qemu-arguments.ts';
import { qmpFd } from '../qemu/process.ts';

export interface Preview {
  /** Which source named the devices. */
  source: string;
  /** What the hook appends. */
  plan: Plan;
  /** The whole argument list of QEMU, ours of the shim's part first. */
  qemu: string[];
}

export async function previewHook(plan: SandboxPlan): Promise<Preview> {
  const config = await loadConfig();
  const args = sandboxQemuArguments(plan, { kind: 'serial', socketPath: plan.paths.port }, qmpFd);
  const start = recogniseVmStart(args);
  if (!start) throw new Error('the hook does not recognise the arguments of kata-mock run');
  const annotations = plan.spec.annotations ?? {};
  const { devices: specs, source } = await requestedDevices({
    annotations,
    defaults: config.devices,
    catalogue: config.cdi,
  });
  const devices = allowedDevices(specs, config.policy, config.file);
  const given = devices.flatMap((device) => device.host ?? []);
  const hookPlan = planDevices({
    start,
    devices,
    leasedAddresses: freeAddresses(plan.runDir, addressesToLease(devices), given),
    uuidSeed: [machineId(), plan.paths.name],
    socketDirectory: vmDirectory(plan.runDir, plan.paths.name),
    rootImage: plan.artefacts.rootImage,
  });
  return { source, plan: hookPlan, qemu: [plan.artefacts.qemu.path, ...args, ...hookPlan.args] };
}

/** The addresses the hook would lease now. */
function freeAddresses(runDir: string, count: number, except: string[]): string[] {
  const taken = new Set([
    ...except,
    ...new Leases(runDir).list().flatMap(({ address, alive }) => (alive ? [address] : [])),
  ]);
  const free: string[] = [];
  for (const address of madeUpAddresses()) {
    if (free.length === count) break;
    if (!taken.has(address)) free.push(address);
  }
  return free;
}
