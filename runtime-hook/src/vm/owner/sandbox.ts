/** A running VM and its containers, owned by one `kata-mock run`. */
import type { Logger } from 'pino';
import { passTo, Server } from 'ttrpc-ts';
import { KataMockError } from '../../errors.ts';
import { endVm } from '../../state/index.ts';
import { type ContainerRequest, createContainer, removeContainer } from '../container/create.ts';
import { Cleanup } from '../lifecycle/cleanup.ts';
import { Loss } from '../lifecycle/loss.ts';
import type { Timeline } from '../lifecycle/timeline.ts';
import { settlesWithin } from '../lifecycle/within.ts';
import { processIdentity } from '../process/identity.ts';
import { guestAddresses } from '../qemu/query-pci.ts';
import { releaseSandbox } from '../sandbox/directory.ts';
import { type ContainerState, type SandboxState, writeState } from '../sandbox/state.ts';
import { type Booted, boot } from './boot.ts';
import { serveOwner } from './control.ts';
import { describeDevices } from './describe-devices.ts';
import { type DeviceHostWatch, watchDeviceHost } from './device-host-watch.ts';
import { agentDevices, sandboxDevices } from './guest-devices.ts';
import type { HookView } from './hook-view.ts';
import type { SandboxPlan } from './plan.ts';

export interface SandboxContext {
  plan: SandboxPlan;
  timeline: Timeline;
  log: Logger;
  /** Ends the start (Ctrl-C, deadline); a running sandbox is ended by stop(). */
  signal: AbortSignal;
  hook: HookView;
}

const destroyTimeoutMs = 2000;
const qemuEndMs = 500;

export class Sandbox {
  readonly loss = new Loss();
  readonly #context: SandboxContext;
  readonly #cleanup: Cleanup;
  readonly #state: SandboxState;
  #vm: Booted | undefined;
  #deviceHost: DeviceHostWatch | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(context: SandboxContext) {
    const { plan, log } = context;
    this.#context = context;
    this.#cleanup = new Cleanup((what, error) => log.warn({ err: error }, `cleaning up (${what}) failed`));
    this.#state = {
      version: 1,
      name: plan.paths.name,
      owner: processIdentity(process.pid) ?? { pid: process.pid, startTime: '' },
      createdAt: new Date().toISOString(),
      phase: 'starting',
      accel: plan.accel,
      transport: 'serial',
      memoryMiB: plan.memoryMiB,
      cpus: plan.cpus,
      processes: {},
      devices: [],
      containers: [],
    };
  }

  /** Boots the VM in a directory that is already claimed. A failure takes everything down again. */
  static async start(context: SandboxContext): Promise<Sandbox> {
    const sandbox = new Sandbox(context);
    sandbox.#cleanup.defer('directory', () => releaseSandbox(context.plan.paths));
    sandbox.#save();
    try {
      await sandbox.#boot();
      return sandbox;
    } catch (error) {
      // The first loss explains what followed from it, a broken connection for example.
      const reason = context.signal.aborted ? error : (sandbox.loss.error ?? error);
      await sandbox.stop();
      throw reason;
    }
  }

  get paths() {
    return this.#context.plan.paths;
  }

  get state(): SandboxState {
    return this.#state;
  }

  get agent() {
    return this.#booted().agent;
  }

  /** Creates and starts a container; see {@link createContainer}. */
  async createContainer(
    request: ContainerRequest,
    options: { describeDevices: boolean; timeline?: Timeline },
  ): Promise<void> {
    const { id } = request;
    if (this.#container(id)) {
      throw new KataMockError('IN_USE', `sandbox "${this.#state.name}" has a container "${id}" already`, {
        hint: 'choose another --name',
      });
    }
    const spec = options.describeDevices ? describeDevices(request.spec, this.#state.devices) : request.spec;
    const container: ContainerState = { id, phase: 'creating', process: spec.process ?? { cwd: '/' } };
    this.#state.containers.push(container);
    this.#save();
    try {
      const onStage = (stage: string) => options.timeline?.begin(stage);
      await this.loss.race(createContainer(this.#booted(), { ...request, spec }, { onStage }));
    } catch (error) {
      this.#forget(id);
      throw this.loss.error ?? error;
    }
    container.phase = 'running';
    this.#save();
    this.#context.log.info({ container: id }, 'container runs');
  }

  /** Takes a container away, killing it first when it still runs. */
  async removeContainer(id: string): Promise<void> {
    const container = this.#container(id);
    if (!container) throw new KataMockError('NOT_FOUND', `sandbox "${this.#state.name}" has no container "${id}"`);
    const process = this.agent.process(id, id);
    const sigkill = 9;
    if (container.phase === 'running') await process.signal(sigkill).catch(() => {});
    await removeContainer(this.#booted(), id);
    this.#forget(id);
  }

  /** Its process has ended; nothing is left to kill. */
  containerEnded(id: string, exitCode: number): void {
    const container = this.#container(id);
    if (!container) return;
    Object.assign(container, { phase: 'stopped', exitCode });
    this.#save();
  }

  /** Takes the VM down; resolves when no process, mount or file of it is left. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#state.phase = 'stopping';
    try {
      this.#save();
    } catch {
      // The directory may be gone; that is where this goes anyway.
    }
    if (this.#vm && !this.loss.error) {
      await this.#vm.agent.destroySandbox(destroyTimeoutMs).catch((error: unknown) => {
        this.#context.log.warn({ err: error }, 'DestroySandbox failed');
      });
    }
    await this.#cleanup.run();
    // The device host leaves when its clients have left, which QEMU just did; its files go with it.
    this.#deviceHost?.close();
    const { vmDirectory } = this.#state;
    if (vmDirectory !== undefined) await endVm(vmDirectory);
  }

  async #boot(): Promise<void> {
    const { plan, timeline, signal, log } = this.#context;
    const stopping = () => this.#stopping !== undefined;
    const started = (name: 'qemu' | 'virtiofsd', pid: number) => {
      const identity = processIdentity(pid);
      if (identity) this.#state.processes[name] = identity;
      this.#save();
    };
    const vm = await boot({ plan, cleanup: this.#cleanup, loss: this.loss, timeline, signal, started, stopping });
    this.#vm = vm;
    this.#state.transport = vm.transport.transport.kind;
    void vm.connection.closed.then(async () => {
      // It breaks when QEMU ends, which tells more.
      await settlesWithin(vm.qemu.ended, qemuEndMs);
      if (!stopping()) this.loss.report(new KataMockError('AGENT', 'the connection to the agent broke'));
    });
    await this.#devices(vm);
    const control = await serveOwner(this, plan.paths.control);
    this.#cleanup.defer('control socket', () => control.close());
    const proxy = new Server();
    proxy.fallback(passTo(vm.connection));
    await proxy.listen(`unix://${plan.paths.agent}`);
    this.#cleanup.defer('agent socket', () => proxy.close());
    this.#state.phase = 'running';
    this.#save();
    log.info({ transport: this.#state.transport, passedOver: vm.transport.passedOver }, 'VM runs');
  }

  async #devices(vm: Booted): Promise<void> {
    const { plan, hook, log } = this.#context;
    const planned = hook.find(plan.runDir, plan.paths.name);
    const details = await this.loss.race(vm.agent.guestDetails());
    if (!planned) return;
    // From here on stop() ends the device host too.
    this.#state.vmDirectory = planned.directory;
    const addresses = guestAddresses(await this.loss.race(vm.qmp.execute('query-pci')));
    const found = agentDevices(details.agentDetails?.extraFeatures ?? []);
    this.#state.devices = sandboxDevices(planned.devices, addresses, found);
    for (const device of this.#state.devices) log.info({ device: device.uuid, ...device }, 'device plugged');
    this.#deviceHost = await watchDeviceHost(planned.directory);
    void this.#deviceHost.gone.then(() => {
      if (this.#stopping || plan.onDeviceLoss === 'keep') return;
      // Without its device host the guest would see dead devices.
      const hint = `its last words may be in ${planned.directory}/host.log`;
      this.loss.report(new KataMockError('VM', 'the device host has ended, so the VM is stopped', { hint }));
    });
  }

  #container(id: string): ContainerState | undefined {
    return this.#state.containers.find((container) => container.id === id);
  }

  #forget(id: string): void {
    this.#state.containers = this.#state.containers.filter((container) => container.id !== id);
    if (!this.#stopping) this.#save();
  }

  #booted(): Booted {
    if (!this.#vm) throw new KataMockError('VM', `sandbox "${this.#state.name}" is not up`);
    return this.#vm;
  }

  #save(): void {
    writeState(this.#context.plan.paths.state, this.#state);
  }
}
