import type { Hooks } from './hooks.ts';
import type { Linux } from './linux.ts';
import type { Mount } from './mount.ts';
import type { Process } from './process.ts';
import type { StringMap } from './scalars.ts';
import type { Vm } from './vm.ts';

/**
 * `config.json` of a bundle: OCI runtime specification 1.2 and 1.3, Linux and VM parts in full. The parts of other
 * platforms are kept as they are and not looked into.
 */
export interface Spec {
  /** Version of the specification the bundle follows, such as `1.2.0`. */
  ociVersion: string;
  process?: Process;
  root?: Root;
  hostname?: string;
  domainname?: string;
  /** In the order in which the runtime mounts them. */
  mounts?: Mount[];
  hooks?: Hooks;
  annotations?: StringMap;
  linux?: Linux;
  vm?: Vm;
  solaris?: object;
  windows?: object;
  zos?: object;
  /** Since 1.3. */
  freebsd?: object;
}

/** The container's root file system. */
export interface Root {
  /** Absolute, or relative to the bundle. */
  path: string;
  readonly?: boolean;
}
