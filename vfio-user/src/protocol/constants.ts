/** Numbers of the vfio-user protocol; names follow the specification and linux/vfio.h. */

export const Command = {
  VERSION: 1,
  DMA_MAP: 2,
  DMA_UNMAP: 3,
  DEVICE_GET_INFO: 4,
  DEVICE_GET_REGION_INFO: 5,
  DEVICE_GET_REGION_IO_FDS: 6,
  DEVICE_GET_IRQ_INFO: 7,
  DEVICE_SET_IRQS: 8,
  REGION_READ: 9,
  REGION_WRITE: 10,
  /** Server to client. */
  DMA_READ: 11,
  /** Server to client. */
  DMA_WRITE: 12,
  DEVICE_RESET: 13,
  /** 14 was DIRTY_PAGES and stays unused. */
  REGION_WRITE_MULTI: 15,
  DEVICE_FEATURE: 16,
  MIG_DATA_READ: 17,
  MIG_DATA_WRITE: 18,
} as const;

const names = new Map<number, string>(Object.entries(Command).map(([name, number]) => [number, name]));

/** Name of a command number, `command 99` for one that does not exist. */
export function commandName(command: number): string {
  return names.get(command) ?? `command ${command}`;
}

export const HEADER_BYTES = 16;

/** Bits of the header's flags word. */
export const HeaderFlag = {
  TYPE_MASK: 0xf,
  TYPE_COMMAND: 0,
  TYPE_REPLY: 1,
  NO_REPLY: 0x10,
  ERROR: 0x20,
} as const;

/** Default and, for this implementation, greatest data in one message, bytes. */
export const MAX_DATA_XFER_BYTES = 1 << 20;
/** Greatest message this implementation takes: 1 MiB of data, header, fixed part and room for a bitmap's head. */
export const MAX_MESSAGE_BYTES = MAX_DATA_XFER_BYTES + HEADER_BYTES + 64;
/** Descriptors this implementation takes in one message. */
export const MAX_MESSAGE_FDS = 8;
/** Region size limit, bytes: keeps a 4 KiB dirty bitmap within 256 MiB. */
export const MAX_DMA_REGION_BYTES = 8n << 40n;
/** What guest memory is mapped in multiples of: the specification's default of `pgsizes`. */
export const PAGE_BYTES = 4096;
/** DMA regions one client may have. */
export const MAX_DMA_MAPS = 65_535;
/** Entries of one REGION_WRITE_MULTI that this implementation takes; QEMU sends at most 200. */
export const MAX_MULTI_WRITES = 4096;

export const PciRegion = { BAR0: 0, BAR1: 1, BAR2: 2, BAR3: 3, BAR4: 4, BAR5: 5, ROM: 6, CONFIG: 7, VGA: 8 } as const;
export const PCI_REGIONS = 9;

export const PciIrq = { INTX: 0, MSI: 1, MSIX: 2, ERR: 3, REQ: 4 } as const;
export const PCI_IRQS = 5;

export const DmaMapFlag = { READ: 1, WRITE: 2, MMAP: 4, FILE_IO: 8 } as const;
export const DmaUnmapFlag = { GET_DIRTY_BITMAP: 1, ALL: 2 } as const;
export const DeviceFlag = { RESET: 1, PCI: 2 } as const;
export const RegionFlag = { READ: 1, WRITE: 2, MMAP: 4, CAPS: 8 } as const;
export const IrqInfoFlag = { EVENTFD: 1, MASKABLE: 2, AUTOMASKED: 4, NORESIZE: 8 } as const;
export const IrqSetFlag = {
  DATA_NONE: 0x01,
  DATA_BOOL: 0x02,
  DATA_EVENTFD: 0x04,
  ACTION_MASK: 0x08,
  ACTION_UNMASK: 0x10,
  ACTION_TRIGGER: 0x20,
} as const;
export const RegionCapability = { SPARSE_MMAP: 1, TYPE: 2, MSIX_MAPPABLE: 3 } as const;
export const IoFdType = { IOEVENTFD: 0, IOREGIONFD: 1, SHADOW: 2 } as const;
export const FeatureFlag = { MASK: 0xffff, GET: 1 << 16, SET: 1 << 17, PROBE: 1 << 18 } as const;
export const Feature = {
  MIGRATION: 1,
  MIG_DEVICE_STATE: 2,
  DMA_LOGGING_START: 6,
  DMA_LOGGING_STOP: 7,
  DMA_LOGGING_REPORT: 8,
} as const;
export const MigrationFlag = { STOP_COPY: 1, P2P: 2, PRE_COPY: 4 } as const;
export const MigrationState = {
  ERROR: 0,
  STOP: 1,
  RUNNING: 2,
  STOP_COPY: 3,
  RESUMING: 4,
  RUNNING_P2P: 5,
  PRE_COPY: 6,
  PRE_COPY_P2P: 7,
} as const;
