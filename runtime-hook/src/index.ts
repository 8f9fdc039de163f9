/**
 * The host side as a library: what devices a VM shall have, what QEMU must be given for that, and what the hook keeps
 * on the host. The programs are bin/kata-mock and wrapper/kata-mock-qemu.
 */
export { recogniseVmStart, type VmStart } from './argv/vm-start.ts';
export { isKataMockError, KataMockError, type KataMockErrorCode } from './errors.ts';
export { parseDeviceList } from './inventory/device-list.ts';
export { type DeviceSpec, formatDeviceSpec, parseDeviceSpec } from './inventory/device-spec.ts';
export { type Plan, type PlanInput, type PlannedDevice, planDevices } from './planner/plan.ts';
export { allowedDevices, defaultPolicy, type Policy } from './policy/policy.ts';
export { endVm, type FoundVm, isVmAlive, listVmStates, pruneHook, readVmState, vmDirectory } from './state/index.ts';
