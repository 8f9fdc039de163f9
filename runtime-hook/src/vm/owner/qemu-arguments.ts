import { randomUUID } from 'node:crypto';
import { availableParallelism, totalmem } from 'node:os';
import { type AgentTransport, qemuArguments } from '../qemu/arguments.ts';
import type { SandboxPlan } from './plan.ts';

/** The shim's part of QEMU's arguments for this sandbox. */
export function sandboxQemuArguments(plan: SandboxPlan, transport: AgentTransport, qmpFd: number): string[] {
  const { paths, artefacts } = plan;
  return qemuArguments({
    sandboxId: paths.name,
    uuid: randomUUID(),
    accel: plan.accel,
    memoryMiB: plan.memoryMiB,
    hostMemoryMiB: Math.floor(totalmem() / 1024 / 1024),
    cpus: plan.cpus,
    maxCpus: Math.max(plan.cpus, availableParallelism()),
    kernel: artefacts.kernel,
    initrd: artefacts.initrd,
    kernelParams: plan.kernelParams,
    qmpFd,
    consoleSocket: paths.console,
    fsSocket: paths.fs,
    pidFile: paths.pidFile,
    transport,
    verbose: plan.verbose,
  });
}
