/** `kata-mock run` without --sandbox: owns a VM for as long as its first container runs. */
import path from 'node:path';
import { loadArtefacts } from '../../artefacts/artefacts.ts';
import { chooseAccelerator } from '../../check/accelerator.ts';
import { KataMockError } from '../../errors.ts';
import { Timeline } from '../lifecycle/timeline.ts';
import { hookView } from '../owner/hook-state.ts';
import type { SandboxPlan } from '../owner/plan.ts';
import { Sandbox } from '../owner/sandbox.ts';
import { BoundedLog } from '../process/bounded-log.ts';
import { tee } from '../process/tee.ts';
import { claimSandbox, randomName } from '../sandbox/directory.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { runDirectory } from '../sandbox/run-directory.ts';
import { containerSpec } from '../spec/container-spec.ts';
import { sandboxSpec } from '../spec/sandbox-spec.ts';
import { attach } from './attach.ts';
import { containerInput, requestedDevices } from './inputs.ts';
import { runLogger } from './logger.ts';
import { checkSharedMemory, parseMemory } from './memory.ts';
import { previewHook } from './preview.ts';
import { type RunReport, type RunResult, report } from './report.ts';
import type { RunOptions } from './run-options.ts';
import { abortOnSignal, holdSignals, Interrupted } from './signals.ts';

/** Kata's dial timeout; an emulated guest on a loaded machine is given more. */
const bootTimeoutMs = { kvm: 45_000, tcg: 120_000 };

/** What a run will do, decided without touching anything. */
export async function planRun(command: string[], options: RunOptions) {
  const runDir = runDirectory();
  const name = options.name ?? randomName();
  const paths = sandboxPaths(runDir, name);
  const memoryMiB = parseMemory(options.memory);
  const devices = requestedDevices(options);
  const artefacts = loadArtefacts();
  const input = containerInput(options, () => artefacts.rootfs);
  const plain = options.bundle === undefined;
  const spec = containerSpec(input, {
    command,
    env: options.env,
    annotations: options.annotation,
    tty: options.tty,
    hostname: name,
    defaultToAllDevices: plain && devices.length > 0,
  });
  checkSharedMemory(memoryMiB);
  const accel = await chooseAccelerator(options.accel, artefacts);
  const plan: SandboxPlan = {
    paths,
    runDir,
    artefacts,
    wrapper: artefacts.wrapper,
    accel,
    memoryMiB,
    cpus: options.cpus,
    spec: sandboxSpec(spec, devices),
    kernelParams: [],
    onDeviceLoss: options.onDeviceLoss,
    verbose: options.verbose,
    bootTimeoutMs: bootTimeoutMs[accel],
  };
  // The hook would refuse the same, but its reason would reach the user by way of QEMU's messages.
  const preview = await previewHook(plan);
  return { plan, spec, input, plain, preview };
}

/** @param onResult told what happened once everything is taken down, besides what the options print */
export async function ownSandbox(
  command: string[],
  options: RunOptions,
  onResult?: (result: RunResult) => void,
): Promise<number> {
  const timeline = new Timeline();
  const hold = holdSignals();
  const interrupt = abortOnSignal();
  timeline.begin('plan');
  try {
    const { plan, spec, input, plain } = await planRun(command, options);
    const { paths } = plan;
    claimSandbox(plan.runDir, paths.name);
    const log = runLogger(paths.logs, paths.name, options.verbose);
    const signal = AbortSignal.any([interrupt.signal, deadline(plan)]);
    const sandbox = await Sandbox.start({ plan, timeline, log, signal, hook: hookView });
    try {
      const request = {
        id: paths.name,
        spec,
        rootfs: input.rootfs,
        rootfsMode: options.rootfsMode,
        bundle: input.bundle,
        kind: 'single_container' as const,
      };
      await untilAborted(interrupt.signal, sandbox.createContainer(request, { describeDevices: plain, timeline }));
      const output = report(options);
      const exitCode = await followContainer(sandbox, options, { timeline, output, interrupt });
      timeline.begin('stop');
      await sandbox.stop();
      timeline.end();
      const result = { name: paths.name, exitCode, devices: sandbox.state.devices, stages: timeline.stages() };
      output.finish(result);
      onResult?.(result);
      return exitCode;
    } finally {
      await sandbox.stop();
    }
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    throw error;
  } finally {
    interrupt.stop();
    hold.release();
  }
}

async function followContainer(
  sandbox: Sandbox,
  options: RunOptions,
  { timeline, output, interrupt }: { timeline: Timeline; output: RunReport; interrupt: { stop(): void } },
): Promise<number> {
  const { name } = sandbox.state;
  const log = new BoundedLog(path.join(sandbox.paths.logs, `container-${name}.log`));
  timeline.begin('container runs');
  const exitCode = await sandbox.loss.race(
    attach(sandbox.agent.process(name, name), {
      ...options,
      stdout: tee(output.streams.stdout ?? process.stdout, log),
      stderr: tee(output.streams.stderr ?? process.stderr, log),
      // From here on signals are the container's.
      onAttached: () => interrupt.stop(),
    }),
  );
  log.close();
  sandbox.containerEnded(name, exitCode);
  return exitCode;
}

function deadline({ bootTimeoutMs }: SandboxPlan): AbortSignal {
  const controller = new AbortController();
  const message = `the VM did not come up within ${bootTimeoutMs / 1000} s`;
  setTimeout(() => controller.abort(new KataMockError('VM', message)), bootTimeoutMs).unref();
  return controller.signal;
}

function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}
