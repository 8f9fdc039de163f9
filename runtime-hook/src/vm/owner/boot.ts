/** From nothing to an agent that answers: share, virtiofsd, QEMU through the hook, transport, Check, CreateSandbox. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringifySpec } from '@kata-mock/oci-spec';
import type { Connection } from 'ttrpc-ts';
import { Agent } from '../../agent-client/agent.ts';
import { guestSharePath, guestShmPath, shareTag } from '../../agent-client/guest-paths.ts';
import { KataMockError } from '../../errors.ts';
import type { Cleanup } from '../lifecycle/cleanup.ts';
import type { Loss } from '../lifecycle/loss.ts';
import type { Timeline } from '../lifecycle/timeline.ts';
import { settlesWithin } from '../lifecycle/within.ts';
import { BoundedLog } from '../process/bounded-log.ts';
import { endGroup } from '../process/end-group.ts';
import { recordConsole } from '../qemu/console.ts';
import { type Qemu, qmpFd, startQemu } from '../qemu/process.ts';
import type { Qmp } from '../qemu/qmp.ts';
import { type ProcessEnd, Share } from '../share/share.ts';
import { startTransportHelper } from '../transport/helper.ts';
import { planTransport, type TransportPlan } from '../transport/transport.ts';
import { startVirtiofsd, type Virtiofsd } from '../virtiofsd/virtiofsd.ts';
import type { SandboxPlan } from './plan.ts';
import { sandboxQemuArguments } from './qemu-arguments.ts';

/** What a booted VM consists of. */
export interface Booted {
  share: Share;
  virtiofsd: Virtiofsd;
  qemu: Qemu;
  qmp: Qmp;
  transport: TransportPlan;
  connection: Connection;
  agent: Agent;
  console: BoundedLog;
}

export interface BootContext {
  plan: SandboxPlan;
  cleanup: Cleanup;
  loss: Loss;
  timeline: Timeline;
  /** The deadline of the whole start, and the user's Ctrl-C. */
  signal: AbortSignal;
  /** Told as soon as a process runs, so that a crash during the start leaves a record of it. */
  started(name: 'qemu' | 'virtiofsd', pid: number): void;
  /** True once the VM is being taken down on purpose. */
  stopping(): boolean;
}

const endGraceMs = 1000;

export async function boot(context: BootContext): Promise<Booted> {
  const { plan, loss, timeline, signal } = context;
  const { paths } = plan;
  timeline.begin('share and file server');
  writeFileSync(path.join(paths.bundle, 'config.json'), stringifySpec(plan.spec, { indent: 2 }), { mode: 0o600 });
  const share = await shareDirectory(context);
  const virtiofsd = await fileServer(context, share);

  timeline.begin('hook, devices, QEMU');
  const console = new BoundedLog(path.join(paths.logs, 'console.log'));
  const { qemu, qmp, transport } = await vmm(context, console);
  const socket = recordConsole(paths.console, console);
  context.cleanup.defer('console', () => {
    socket.destroy();
    console.close();
  });

  timeline.begin('guest kernel and agent');
  const connection = await loss.race(transport.connect(signal));
  context.cleanup.defer('agent connection', () => connection.destroy());
  const agent = new Agent(connection);
  await loss.race(answered(agent, plan, console, signal));

  timeline.begin('create sandbox');
  await loss.race(agent.createSandbox(sandboxRequest(plan)));
  return { share, virtiofsd, qemu, qmp, transport, connection, agent, console };
}

async function shareDirectory({ plan, cleanup }: BootContext): Promise<Share> {
  // As much as a container could hold in the VM's memory: enough for a demo, no way to fill the host.
  const share = await Share.create(plan.paths.share, plan.memoryMiB * 1024 * 1024);
  cleanup.defer('share', () => share.close());
  return share;
}

async function fileServer({ plan, cleanup, loss, started, stopping }: BootContext, share: Share): Promise<Virtiofsd> {
  const log = path.join(plan.paths.logs, 'virtiofsd.log');
  const { fs: socket, share: directory } = plan.paths;
  const options = { program: plan.artefacts.virtiofsd.path, socket, share: directory, log };
  const virtiofsd = await startVirtiofsd(share, options);
  started('virtiofsd', virtiofsd.pid);
  void virtiofsd.ended.then((end) => {
    const report = () => {
      if (stopping()) return;
      const hint = `see ${log}`;
      loss.report(new KataMockError('VM', `virtiofsd ${how(end)}: the VM has lost its files`, { hint }));
    };
    // With 0 it left because QEMU did, whose end is reported in a moment and is the reason.
    setTimeout(report, end.code === 0 ? endGraceMs : 0);
  });
  // By then QEMU has gone and it is leaving; it holds nothing that is not in the host's files already.
  cleanup.defer('virtiofsd', () => endGroup(virtiofsd.pid, endGraceMs));
  return virtiofsd;
}

async function vmm(context: BootContext, console: BoundedLog) {
  const { plan, cleanup, loss, signal, stopping } = context;
  const { paths, artefacts } = plan;
  const transport = planTransport(paths, qmpFd + 1);
  const log = new BoundedLog(path.join(paths.logs, 'qemu.log'));
  cleanup.defer('QEMU log', () => log.close());
  await transportHelper(context, transport);
  const qemu = startQemu({
    wrapper: plan.wrapper,
    args: sandboxQemuArguments(plan, transport.transport, qmpFd),
    cwd: paths.bundle,
    env: {
      ...process.env,
      KATA_MOCK_QEMU: artefacts.qemu.path,
      KATA_MOCK_ROOT_IMAGE: artefacts.rootImage,
      KATA_MOCK_RUN_DIR: plan.runDir,
      KATA_MOCK_ON_DEVICE_LOSS: plan.onDeviceLoss,
    },
    qmpSocket: paths.qmp,
    fds: transport.fd === undefined ? [] : [transport.fd],
    log,
  });
  transport.handedOver();
  context.started('qemu', qemu.pid);
  cleanup.defer('QEMU', async () => {
    qemu.kill();
    await settlesWithin(qemu.ended, endGraceMs);
  });
  const qmp = await Promise.race([loss.race(qemu.greeted), aborted(signal)]);
  cleanup.defer('QMP', () => qmp.close());
  void qemu.ended.then((end) => {
    if (stopping()) return;
    const hint = [...log.tail(5), ...console.tail(12)].join('\n');
    loss.report(new KataMockError('VM', `the VM is gone: QEMU ${how(end)}`, { hint: hint === '' ? undefined : hint }));
  });
  return { qemu, qmp, transport };
}

async function transportHelper({ plan, cleanup, loss, signal, stopping }: BootContext, { helper }: TransportPlan) {
  if (!helper) return;
  const log = path.join(plan.paths.logs, 'vsock.log');
  const { ended, kill } = await startTransportHelper(helper, { socketPath: plan.paths.port, log, signal });
  void ended.then((end) => {
    if (!stopping()) loss.report(new KataMockError('VM', `${helper.command} ${how(end)}: the agent is out of reach`));
  });
  cleanup.defer('vsock helper', async () => {
    kill();
    await settlesWithin(ended, endGraceMs);
  });
}

/** Check, bounded by the boot's deadline; its failure shows what the guest said last. */
async function answered(agent: Agent, plan: SandboxPlan, console: BoundedLog, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([agent.check(plan.bootTimeoutMs), aborted(signal)]);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const said = console.tail(12);
    throw new KataMockError('AGENT', `the agent in the VM did not answer: ${(cause as Error).message}`, {
      cause,
      hint: said.length > 0 ? `the guest's console ends so:\n${said.join('\n')}` : "the guest's console is empty",
    });
  }
}

function sandboxRequest({ paths }: SandboxPlan) {
  return {
    hostname: paths.name,
    dns: [],
    sandboxPidns: false,
    sandboxId: paths.name,
    storages: [
      { driver: 'virtio-fs', source: shareTag, fstype: 'virtiofs', mountPoint: guestSharePath },
      {
        driver: 'ephemeral',
        source: 'shm',
        fstype: 'tmpfs',
        options: ['noexec', 'nosuid', 'nodev', 'mode=1777', 'size=67108864'],
        mountPoint: guestShmPath,
      },
    ],
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function how({ code, signal }: ProcessEnd): string {
  return signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
}
