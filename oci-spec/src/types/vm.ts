import type { Uint32, Uint64 } from './scalars.ts';

/** Containers that run in a virtual machine of their own. */
export interface Vm {
  hypervisor?: VmHypervisor;
  kernel?: VmKernel;
  image?: VmImage;
  /** Since 1.3. */
  hwConfig?: VmHwConfig;
}

export interface VmHypervisor {
  path: string;
  parameters?: string[];
}

export interface VmKernel {
  path: string;
  parameters?: string[];
  initrd?: string;
}

export interface VmImage {
  path: string;
  format: 'raw' | 'qcow2' | 'vdi' | 'vmdk' | 'vhd';
}

export interface VmHwConfig {
  deviceTree?: string;
  vcpus?: Uint32;
  /** Bytes. */
  memory?: Uint64;
  dtdevs?: string[];
  iomems?: VmIoMem[];
  /** @itemsRef Uint32 */
  irqs?: Uint32[];
}

export interface VmIoMem {
  firstGFN?: Uint64;
  firstMFN: Uint64;
  nrMFNs: Uint64;
}
