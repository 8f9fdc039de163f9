/**
 * What Kata's shim does to a container's spec before it sends it to the agent (kata_agent.go, constrainGRPCSpec
 * and its neighbours in 3.21): settings that only make sense on the host go, paths become the guest's.
 */
import { create } from '@bufbuild/protobuf';
import { LinuxResourcesSchema, type Spec as WireSpec } from '@kata-mock/contracts';
import { guestShmPath } from './guest-paths.ts';

/** Where the agent finds a bind mount's source: host path → path inside the shared directory. */
export type GuestSource = (mount: { destination: string; source: string }) => string | undefined;

export interface ConstrainOptions {
  /** The container's root inside the guest. */
  rootPath: string;
  /** Bind mounts the host shares; a mount it does not name keeps its source. */
  guestSource: GuestSource;
}

/** Changes `wire` in place; answers whether the container shares the sandbox's pid namespace. */
export function constrain(wire: WireSpec, options: ConstrainOptions): { sandboxPidns: boolean } {
  delete wire.Hooks;
  if (wire.Root) wire.Root.Path = options.rootPath;
  if (wire.Process) {
    wire.Process.SelinuxLabel = '';
    wire.Process.ApparmorProfile = '';
  }
  for (const mount of wire.Mounts) {
    if (mount.destination === '/dev/shm') {
      Object.assign(mount, { type: 'bind', source: guestShmPath, options: ['rbind'] });
    } else {
      mount.source = options.guestSource(mount) ?? mount.source;
    }
  }
  return constrainLinux(wire);
}

function constrainLinux(wire: WireSpec): { sandboxPidns: boolean } {
  const linux = wire.Linux;
  if (!linux) return { sandboxPidns: false };
  delete linux.Seccomp;
  linux.MountLabel = '';
  // The Rust agent refuses a container without resources, even empty ones.
  linux.Resources ??= create(LinuxResourcesSchema);
  const resources = linux.Resources;
  resources.Devices = [];
  delete resources.Pids;
  delete resources.BlockIO;
  delete resources.Network;
  if (resources.CPU) {
    resources.CPU.Cpus = '';
    resources.CPU.Mems = '';
  }
  // A pid namespace with a path means "the sandbox's"; without one the agent makes a new one on its own.
  const sandboxPidns = linux.Namespaces.some((namespace) => namespace.Type === 'pid' && namespace.Path !== '');
  linux.Namespaces = linux.Namespaces.filter(
    (namespace) => !['network', 'cgroup', 'time', 'pid'].includes(namespace.Type),
  );
  for (const namespace of linux.Namespaces) namespace.Path = '';
  // In guest-kernel mode VFIO groups of the host mean nothing inside.
  linux.Devices = linux.Devices.filter((device) => !(device.Type === 'c' && device.Path.startsWith('/dev/vfio/')));
  return { sandboxPidns };
}
