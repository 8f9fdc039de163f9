import { create } from '@bufbuild/protobuf';
import {
  LinuxDeviceCgroupSchema,
  LinuxDeviceSchema,
  LinuxResourcesSchema,
  LinuxSchema,
  MountSchema,
  ProcessSchema,
  type Spec as SpecMessage,
} from '@kata-mock/contracts';
import type { Spec } from '@kata-mock/oci-spec';

/**
 * Puts what device handling may have changed back into the message: environment, nodes, rules, masked paths, mounts and
 * annotations. Everything else stays as it came, unknown fields too.
 */
export function writeBack(message: SpecMessage, spec: Spec): void {
  const { process, linux, mounts = [], annotations = {} } = spec;
  if (process?.env) {
    message.Process ??= create(ProcessSchema);
    message.Process.Env = [...process.env];
  }
  if (linux) {
    message.Linux ??= create(LinuxSchema);
    message.Linux.Devices = (linux.devices ?? []).map(({ path, type, major, minor, fileMode, uid, gid }) =>
      create(LinuxDeviceSchema, {
        Path: path,
        Type: type,
        Major: BigInt(major ?? 0),
        Minor: BigInt(minor ?? 0),
        FileMode: fileMode ?? 0,
        UID: uid ?? 0,
        GID: gid ?? 0,
      }),
    );
    message.Linux.MaskedPaths = [...(linux.maskedPaths ?? [])];
    const rules = linux.resources?.devices ?? [];
    if (rules.length > 0) message.Linux.Resources ??= create(LinuxResourcesSchema);
    if (message.Linux.Resources) {
      message.Linux.Resources.Devices = rules.map(({ allow, type, major, minor, access }) =>
        create(LinuxDeviceCgroupSchema, {
          Allow: allow,
          Type: type ?? '',
          Major: BigInt(major ?? 0),
          Minor: BigInt(minor ?? 0),
          Access: access ?? '',
        }),
      );
    }
  }
  message.Mounts = mounts.map(({ destination, source, type, options }) =>
    create(MountSchema, { destination, source: source ?? '', type: type ?? '', options: [...(options ?? [])] }),
  );
  message.Annotations = { ...annotations };
}
