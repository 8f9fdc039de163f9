import type { HookName, Int32, Int64, StringMap, Uint32 } from '@kata-mock/oci-spec';

/** A CDI spec file, version 1.1.0. */
export interface CdiSpec {
  cdiVersion: string;
  /** `vendor/class`, such as `vendor.com/gpu`. */
  kind: string;
  /** About this file; not for the container. Since 0.6.0. */
  annotations?: StringMap;
  devices: CdiDeviceSpec[];
  /** Made once for a container that asks for any of the devices. */
  containerEdits?: ContainerEdits;
}

/** One device of a spec. */
export interface CdiDeviceSpec {
  /** Unique within the file: `vendor/class=name` is what containers ask for. */
  name: string;
  /** About this device. Since 0.6.0. */
  annotations?: StringMap;
  containerEdits: ContainerEdits;
}

/** What to change in the OCI spec of the container. */
export interface ContainerEdits {
  /** `NAME=value` entries. */
  env?: string[];
  deviceNodes?: DeviceNode[];
  /** Since 1.1.0. */
  netDevices?: NetDevice[];
  hooks?: CdiHook[];
  mounts?: CdiMount[];
  /** Since 0.7.0. */
  intelRdt?: IntelRdt;
  /** Since 0.7.0. */
  additionalGids?: Uint32[];
  /** Proposed for 1.2.0. */
  deviceCgroupRules?: DeviceCgroupRule[];
}

/** A device node; what is absent is taken from the node on the host. */
export interface DeviceNode {
  /** In the container. */
  path: string;
  /** On the host; absent: the same as `path`. Since 0.5.0. */
  hostPath?: string;
  /** Block, character, unbuffered character, fifo. */
  type?: '' | 'b' | 'c' | 'u' | 'p';
  major?: Int64;
  minor?: Int64;
  /** Permission bits of the node. */
  fileMode?: Uint32;
  /** Letters of `rwm` for the device cgroup, `none` for none; absent: `rwm`. */
  permissions?: string;
  uid?: Uint32;
  gid?: Uint32;
}

/** A network interface moved into the container. */
export interface NetDevice {
  hostInterfaceName: string;
  /** In the container. */
  name: string;
}

export interface CdiHook {
  hookName: HookName;
  path: string;
  args?: string[];
  env?: string[];
  /** Seconds. */
  timeout?: Int32;
}

export interface CdiMount {
  hostPath: string;
  containerPath: string;
  options?: string[];
  /** Since 0.4.0. */
  type?: string;
}

/** Resource Director Technology. */
export interface IntelRdt {
  closID?: string;
  l3CacheSchema?: string;
  memBwSchema?: string;
  /** Since 1.1.0. */
  schemata?: string[];
  /** Since 1.1.0. */
  enableMonitoring?: boolean;
}

/** Access to devices that get no node. Proposed for 1.2.0. */
export interface DeviceCgroupRule {
  type: 'b' | 'c';
  major: Int64;
  /** Absent: every minor. */
  minor?: Int64;
  permissions?: string;
}
