import { type Host, startHost } from '@kata-mock/vfio-user';
import { KataMockError } from '../errors.ts';
import { Leases } from '../leases/leases.ts';
import { type Plan, planDevices } from '../planner/plan.ts';
import { addressesToLease } from '../planner/requests.ts';
import { vmArguments } from '../planner/vm-arguments.ts';
import { endVm } from '../state/prune.ts';
import { makeVmDirectory, removeIfDead, vmDirectory } from '../state/vm-directory.ts';
import { readVmState, type VmState, writeVmState } from '../state/vm-state.ts';
import { isAlive, type ProcessIdentity, processIdentity } from '../vm/process/identity.ts';
import { privateDirectory, runDirectory } from '../vm/sandbox/run-directory.ts';
import { answer } from '../wrapper/answer.ts';
import type { DeviceRequest, HookCall } from '../wrapper/call.ts';
import { leaveOutput, leaveSession } from './detach.ts';
import { LateLogger, serveDevices } from './device-host.ts';
import { type Guard, startGuard } from './guard.ts';
import { findUser, mostDescriptors } from './privileges.ts';

/**
 * Makes a VM's devices, answers the wrapper, and becomes their host. Resolves when the VM has gone. When anything
 * fails before the answer, nothing is left behind.
 */
export async function startDevices(call: HookCall, request: DeviceRequest): Promise<void> {
  leaveSession();
  const user = findUser(request.config.user);
  const owner = identityOf(process.pid);
  const qemu = identityOf(call.wrapperPid);
  const runDir = runDirectory(call.env);
  privateDirectory(runDir);
  const sandboxId = request.start.sandbox;
  const leases = new Leases(runDir);
  const lease = { owner, sandboxId };
  const given = request.devices.flatMap((device) => device.host ?? []);
  let leased: string[] = [];
  await endFormerVm(runDir, sandboxId);
  const directory = await makeVmDirectory(runDir, sandboxId, owner);
  const logger = new LateLogger();
  let host: Host | undefined;
  let guard: Guard | undefined;
  let state: VmState;
  try {
    leased = await leases.acquire(addressesToLease(request.devices), lease, given);
    const plan = planDevices({
      devices: request.devices,
      leasedAddresses: leased,
      uuidSeed: request.uuidSeed,
      start: request.start,
      socketDirectory: directory,
      rootImage: request.config.rootImage,
    });
    host = await startHost({
      functions: functionsOf(plan),
      logger,
      startLater: true,
      maxDescriptors: mostDescriptors(plan.devices.length),
    });
    state = {
      version: 1,
      sandboxId,
      bundle: call.bundle,
      startedAt: new Date().toISOString(),
      deviceHost: owner,
      qemu: { ...qemu, path: request.qemu },
      onDeviceLoss: request.config.onDeviceLoss,
      source: request.source,
      functions: plan.devices.map(({ id, socketPath }) => ({ id, socketPath })),
      leases: leased,
      inventory: plan.inventory,
    };
    writeVmState(directory, state);
    // Before QEMU runs: from its first moment on, somebody sees to what follows the end of this process.
    guard = startGuard(call, directory, state, JSON.stringify(lease));
    answer({ program: request.qemu, args: [...plan.args, ...vmArguments(request.config)] });
  } catch (error) {
    guard?.done();
    await host?.stop();
    leases.release(leased);
    await removeIfDead(runDir, directory, owner);
    throw error;
  }
  leaveOutput();
  // QEMU starts now, and needs longer to come to its devices than their threads to start.
  host.start();
  await serveDevices({ host, directory, state, guard, user, log: request.config.log, logger });
}

/** A VM of the same name whose QEMU has just ended may still have its device host, for some milliseconds. */
async function endFormerVm(runDir: string, sandboxId: string): Promise<void> {
  const former = readVmState(vmDirectory(runDir, sandboxId));
  if (former && !isAlive(former.qemu)) await endVm(former.directory);
}

function functionsOf(plan: Plan) {
  return plan.devices.map(({ id, model, socketPath, uuid, memory }) => {
    return { id, model, socketPath, options: { uuid, memorySize: memory } };
  });
}

function identityOf(pid: number): ProcessIdentity {
  const identity = processIdentity(pid);
  if (!identity) throw new KataMockError('HOST', `process ${pid} has ended, or /proc is not mounted`);
  return identity;
}
