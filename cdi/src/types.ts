import type { HookName, Int32, Int64, StringMap, Uint32 } from '@kata-mock/oci-spec';

/** A CDI spec file, version 1.1.0. */
export interface CdiSpec {
  /** Version of CDI that a reader must know, such as `0.6.0`. */
  cdiVersion: string;
  /**
   * `vendor/class`, such as `vendor.com/gpu`.
   * @pattern ^[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?/[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?$
   */
  kind: string;
  /** About this file; not for the container. Since 0.6.0. */
  annotations?: StringMap;
  /** @minItems 1 */
  devices: CdiDeviceSpec[];
  /** Made once for a container that asks for any of the devices. */
  containerEdits?: ContainerEdits;
}

/** One device of a spec. */
export interface CdiDeviceSpec {
  /**
   * Unique within the file: `vendor/class=name` is what containers ask for.
   * @pattern ^[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$
   */
  name: string;
  /** About this device. Since 0.6.0. */
  annotations?: StringMap;
  containerEdits: ContainerEdits;
}

/** What to change in the OCI spec of the container. */
export interface ContainerEdits {
  /**
   * `NAME=value` entries.
   * @itemsPattern ^[^=]+=
   */
  env?: string[];
  deviceNodes?: DeviceNode[];
  /** Since 1.1.0. */
  netDevices?: NetDevice[];
  hooks?: CdiHook[];
  mounts?: CdiMount[];
  /** Since 0.7.0. */
  intelRdt?: IntelRdt;
  /**
   * Since 0.7.0.
   * @itemsRef Uint32
   */
  additionalGids?: Uint32[];
  /** Proposed for 1.2.0. */
  deviceCgroupRules?: DeviceCgroupRule[];
}

/** A device node; what is absent is taken from the node on the host. */
export interface DeviceNode {
  /**
   * In the container.
   * @minLength 1
   */
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
  permissions?: Permissions;
  uid?: Uint32;
  gid?: Uint32;
}

/** A network interface moved into the container. */
export interface NetDevice {
  /** @minLength 1 */
  hostInterfaceName: string;
  /**
   * In the container.
   * @minLength 1
   */
  name: string;
}

export interface CdiHook {
  hookName: HookName;
  /** @minLength 1 */
  path: string;
  args?: string[];
  /** @itemsPattern ^[^=]+= */
  env?: string[];
  /** Seconds. */
  timeout?: Int32;
}

export interface CdiMount {
  /** @minLength 1 */
  hostPath: string;
  /** @minLength 1 */
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
  permissions?: Permissions;
}

/**
 * Letters of `rwm`, or `none`.
 * @pattern ^([rwm]*|none)$
 */
export type Permissions = string;
