import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Message, MessageInitShape } from '@bufbuild/protobuf';
import type { CreateContainerRequestSchema, CreateSandboxRequestSchema, SpecSchema } from '@kata-mock/contracts';
import { type AgentGuest, SHARED } from '../support/agent-guest.ts';
import { artefacts } from '../support/artefacts.ts';

export type SpecInit = Exclude<MessageInitShape<typeof SpecSchema>, Message>;
type LinuxInit = NonNullable<SpecInit['Linux']>;
type RequestInit = Exclude<MessageInitShape<typeof CreateContainerRequestSchema>, Message>;
type SandboxInit = Exclude<MessageInitShape<typeof CreateSandboxRequestSchema>, Message>;

/** Makes the busybox root in the shared directory; returns its path in the guest. */
export function sharedRoot(guest: AgentGuest, name = 'root'): string {
  const directory = path.join(guest.share, name);
  if (!existsSync(directory)) execFileSync('cp', ['-a', artefacts().rootfs, directory]);
  return `${SHARED}/${name}`;
}

/** The sandbox every test needs: the shared directory and shm, as a shim asks for them. */
export async function createSandbox(guest: AgentGuest, more: SandboxInit = {}): Promise<void> {
  await guest.agent.createSandbox({
    ...more,
    sandboxId: 'sandbox1',
    hostname: 'pod1',
    storages: [
      { driver: 'virtio-fs', source: 'kataShared', fstype: 'virtiofs', mountPoint: `${SHARED}/` },
      {
        driver: 'ephemeral',
        source: 'shm',
        fstype: 'tmpfs',
        mountPoint: '/run/kata-containers/sandbox/shm',
        options: ['noexec', 'nosuid', 'nodev', 'mode=1777', 'size=67108864'],
      },
    ],
  });
}

/** A spec like a shim's, small. */
export function spec(args: string[], change: SpecInit = {}): SpecInit {
  return {
    Version: '1.0.2-dev',
    Process: { Args: args, Env: ['PATH=/bin:/sbin'], Cwd: '/', User: {} },
    Root: { Path: `${SHARED}/root` },
    Mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
    ],
    Linux: {
      Namespaces: [{ Type: 'mount' }, { Type: 'ipc' }, { Type: 'uts' }],
      Resources: {},
      ...change.Linux,
    } as LinuxInit,
    ...(change.Annotations ? { Annotations: change.Annotations } : {}),
  };
}

/** Whose agent is asked: a guest's, or another agent in it. */
type Asked = Pick<AgentGuest, 'agent'>;

/** All output of a process until the end of its stream. */
export async function readAll(
  guest: Asked,
  containerId: string,
  execId = '',
  stream: 'readStdout' | 'readStderr' = 'readStdout',
): Promise<string> {
  let text = '';
  for (;;) {
    try {
      const { data } = await guest.agent[stream]({ containerId, execId, len: 32_768 });
      text += Buffer.from(data).toString();
    } catch {
      return text;
    }
  }
}

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a container to its end and removes it. */
export async function run(guest: Asked, containerId: string, OCI: SpecInit, request: RequestInit = {}): Promise<Ran> {
  const { agent } = guest;
  await agent.createContainer({ containerId, execId: containerId, OCI, ...request });
  try {
    await agent.startContainer({ containerId });
    const [stdout, stderr] = await Promise.all([
      readAll(guest, containerId),
      readAll(guest, containerId, '', 'readStderr'),
    ]);
    const { status } = await agent.waitProcess({ containerId, execId: containerId });
    return { status, stdout, stderr };
  } finally {
    await agent.removeContainer({ containerId });
  }
}

/** A spec whose container sees the guest's own mounts, processes and cgroups below /guest. */
export function onGuest(OCI: SpecInit): SpecInit {
  const mounts = ['/proc', '/sys', '/run', '/dev'].map((source) => ({
    destination: `/guest${source}`,
    type: 'bind',
    source,
    options: ['rbind', 'ro'],
  }));
  return { ...OCI, Mounts: [...(OCI.Mounts ?? []), ...mounts] };
}

/** What a script prints in a short-lived container {@link onGuest}. */
export async function inGuest(guest: Asked, containerId: string, script: string): Promise<string> {
  return (await run(guest, containerId, onGuest(spec(['sh', '-c', script])))).stdout;
}

/** Spec and devices of a container that prints its address of the second mock device, and reads it. */
export function readingMock1(): [SpecInit, RequestInit] {
  const OCI = spec(['sh', '-c', 'echo $PCIDEVICE_X; cat /dev/mock1'], {
    Linux: { Devices: [{ Path: '/dev/mock1', Type: 'c', Major: 1n, Minor: 3n }] } as never,
  });
  const Process = { ...OCI.Process, Env: ['PATH=/bin', 'PCIDEVICE_X=0000:1b:00.0'] } as never;
  const device = { type: 'mock-accel', id: '1', containerPath: '/dev/mock1', options: ['0000:1b:00.0=11/00'] };
  return [{ ...OCI, Process }, { devices: [device] }];
}
