/**
 * A PCI machine in a few lines of JSON. Numbers may be written as hex text (`"0x10de"`) where people do; every field
 * but the places is optional, so a test says only what it is about.
 */
export interface TreeDescription {
  readonly roots: readonly RootDescription[];
  /** Device nodes below /dev that no function brings along, by path from /dev: `{"nvme0n1": "b 259:0"}`. */
  readonly nodes?: Readonly<Record<string, string>>;
  /** Other files by path from the root of the tree, parents made as needed. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface RootDescription {
  /** PCI domain in hex, `"0000"` by default. */
  readonly domain?: string;
  /** Bus number of the root bus in hex: `"00"`, `"20"`. */
  readonly bus: string;
  /** Puts the root under `/sys/devices/platform/<name>`, where machines with a device tree (arm64) have it. */
  readonly platform?: string;
  readonly functions: readonly FunctionDescription[];
}

export interface FunctionDescription {
  /** Slot and function: `"02.0"`. */
  readonly at: string;
  /** Bus in hex when it is not the parent's downstream bus: makes children on several buses. */
  readonly bus?: string;
  readonly vendor?: string;
  readonly device?: string;
  /** 24 bits: `"0x030200"` is a GPU without display, `"0x068000"` an NVSwitch. Bridges default to `"0x060400"`. */
  readonly class?: string;
  readonly numaNode?: number;
  /** Bound driver; without one, the driver of its class devices. What is below `mockAccel` and `virtio` is made by it. */
  readonly driver?: string;
  readonly iommuGroup?: string;
  /** Name of its VFIO character device, in kernels with those: `"vfio0"`. There while it is bound to vfio-pci. */
  readonly vfioDevice?: string;
  /** What a write to driver_override does; default `"works"`. */
  readonly driverOverride?: 'works' | 'fails';
  /** Bus below a bridge in hex. Children make it a bridge; without it the next free bus is taken. */
  readonly downstreamBus?: string;
  /** The `pci_bus` directory of a bridge: default `"one"` entry; `"missing"`, `"empty"` and `"double"` are seen in the field. */
  readonly pciBus?: 'one' | 'missing' | 'empty' | 'double';
  readonly functions?: readonly FunctionDescription[];
  /** Set on a physical function. Its virtual ones are ordinary functions that name it in `physicalFunction`. */
  readonly totalVfs?: number;
  /** Address of the physical function, on a virtual one. */
  readonly physicalFunction?: string;
  readonly mockAccel?: MockAccelDescription;
  readonly virtio?: VirtioDescription;
  /** Entries whose names are given as hex bytes, so they may be anything but UTF-8: `["ff"]`. */
  readonly rawEntries?: readonly string[];
  /**
   * When it comes: `now` with the tree (default), or with the bridge above it; the rest at `FakeTree.arrive()`, `late`
   * with the kernel's events (function, class devices, binding), `twice` with each of them twice, `silent` with none.
   */
  readonly arrives?: 'now' | 'late' | 'twice' | 'silent';
}

/** The class device our kernel driver makes. */
export interface MockAccelDescription {
  /** Class device and node name: `"mock0"`, `"mock0_vf1"`. */
  readonly name: string;
  readonly uuid: string;
  /** `"c 240:0"` or only `"240:0"`. */
  readonly node: string;
  /** Bytes, decimal text. */
  readonly memorySize?: string;
}

export interface VirtioDescription {
  /** `virtio<index>`. */
  readonly index: number;
  readonly block?: { readonly name: string; readonly node: string };
  /** SCSI disks by `channel:id:lun` below `host<host>`. */
  readonly scsi?: { readonly host: number; readonly disks: readonly ScsiDiskDescription[] };
  readonly net?: string;
}

export interface ScsiDiskDescription {
  /** `target:lun`, as a request names it. */
  readonly at: string;
  readonly name: string;
  readonly node: string;
}
