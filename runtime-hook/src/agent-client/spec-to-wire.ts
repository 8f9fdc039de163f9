/**
 * OCI spec as config.json has it → the agent protocol's Spec. Numbers stay exact: whatever the JSON held, 64-bit
 * fields become bigint. Fields the protocol has no place for (rdma, unified, time offsets, scheduler) are left
 * out, as Kata's shim does.
 */
import { create } from '@bufbuild/protobuf';
import { SpecSchema, type Spec as WireSpec } from '@kata-mock/contracts';
import type { Hooks, Linux, Process, Spec } from '@kata-mock/oci-spec';
import { resourcesToWire } from './resources-to-wire.ts';

export function specToWire(spec: Spec): WireSpec {
  return create(SpecSchema, {
    Version: spec.ociVersion,
    ...(spec.process && { Process: processToWire(spec.process) }),
    ...(spec.root && { Root: { Path: spec.root.path, Readonly: spec.root.readonly ?? false } }),
    Hostname: spec.hostname ?? '',
    Mounts: (spec.mounts ?? []).map((mount) => ({
      destination: mount.destination,
      source: mount.source ?? '',
      type: mount.type ?? '',
      options: mount.options ?? [],
    })),
    ...(spec.hooks && { Hooks: hooksToWire(spec.hooks) }),
    Annotations: { ...spec.annotations },
    ...(spec.linux && { Linux: linuxToWire(spec.linux) }),
  });
}

/** Also the body of ExecProcess. */
export function processToWire(process: Process) {
  const { capabilities, consoleSize, user } = process;
  return {
    Terminal: process.terminal ?? false,
    ...(consoleSize && { ConsoleSize: { Height: consoleSize.height, Width: consoleSize.width } }),
    User: {
      UID: user?.uid ?? 0,
      GID: user?.gid ?? 0,
      AdditionalGids: user?.additionalGids ?? [],
      Username: user?.username ?? '',
    },
    Args: process.args ?? [],
    Env: process.env ?? [],
    Cwd: process.cwd,
    ...(capabilities && {
      Capabilities: {
        Bounding: capabilities.bounding ?? [],
        Effective: capabilities.effective ?? [],
        Inheritable: capabilities.inheritable ?? [],
        Permitted: capabilities.permitted ?? [],
        Ambient: capabilities.ambient ?? [],
      },
    }),
    Rlimits: (process.rlimits ?? []).map((limit) => ({
      Type: limit.type,
      Hard: BigInt(limit.hard),
      Soft: BigInt(limit.soft),
    })),
    NoNewPrivileges: process.noNewPrivileges ?? false,
    ApparmorProfile: process.apparmorProfile ?? '',
    OOMScoreAdj: BigInt(process.oomScoreAdj ?? 0),
    SelinuxLabel: process.selinuxLabel ?? '',
  };
}

function hooksToWire(hooks: Hooks) {
  const list = (stage: Hooks[keyof Hooks]) =>
    (stage ?? []).map((hook) => ({
      Path: hook.path,
      Args: hook.args ?? [],
      Env: hook.env ?? [],
      Timeout: BigInt(hook.timeout ?? 0),
    }));
  return {
    Prestart: list(hooks.prestart),
    Poststart: list(hooks.poststart),
    Poststop: list(hooks.poststop),
    CreateRuntime: list(hooks.createRuntime),
    CreateContainer: list(hooks.createContainer),
    StartContainer: list(hooks.startContainer),
  };
}

function linuxToWire(linux: Linux) {
  const idMappings = (mappings: Linux['uidMappings']) =>
    (mappings ?? []).map((m) => ({ HostID: m.hostID, ContainerID: m.containerID, Size: m.size }));
  return {
    UIDMappings: idMappings(linux.uidMappings),
    GIDMappings: idMappings(linux.gidMappings),
    Sysctl: { ...linux.sysctl },
    ...(linux.resources && { Resources: resourcesToWire(linux.resources) }),
    CgroupsPath: linux.cgroupsPath ?? '',
    Namespaces: (linux.namespaces ?? []).map((namespace) => ({ Type: namespace.type, Path: namespace.path ?? '' })),
    Devices: (linux.devices ?? []).map((device) => ({
      Path: device.path,
      Type: device.type,
      Major: BigInt(device.major ?? 0),
      Minor: BigInt(device.minor ?? 0),
      FileMode: device.fileMode ?? 0,
      UID: device.uid ?? 0,
      GID: device.gid ?? 0,
    })),
    ...(linux.seccomp && {
      Seccomp: {
        DefaultAction: linux.seccomp.defaultAction,
        Architectures: linux.seccomp.architectures ?? [],
        Flags: linux.seccomp.flags ?? [],
        Syscalls: (linux.seccomp.syscalls ?? []).map((syscall) => ({
          Names: syscall.names,
          Action: syscall.action,
          errnoret: syscall.errnoRet ?? 0,
          Args: (syscall.args ?? []).map((arg) => ({
            Index: BigInt(arg.index),
            Value: BigInt(arg.value),
            ValueTwo: BigInt(arg.valueTwo ?? 0),
            Op: arg.op,
          })),
        })),
      },
    }),
    RootfsPropagation: linux.rootfsPropagation ?? '',
    MaskedPaths: linux.maskedPaths ?? [],
    ReadonlyPaths: linux.readonlyPaths ?? [],
    MountLabel: linux.mountLabel ?? '',
    ...(linux.intelRdt && { IntelRdt: { L3CacheSchema: linux.intelRdt.l3CacheSchema ?? '' } }),
  };
}
