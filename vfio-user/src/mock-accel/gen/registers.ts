// Registers of mock-accel. Generated from vfio-user/src/mock-accel/registers.json by "npm run generate"; do not edit.

/** default vendor of both functions */
export const PCI_VENDOR_ID = 0x1de5;
/** default device of a physical function */
export const PCI_DEVICE_ID_PF = 0x0001;
/** default device of a virtual function */
export const PCI_DEVICE_ID_VF = 0x0002;
/** 64-bit memory BAR of the registers */
export const REGISTER_BAR = 0;
/** 64-bit prefetchable BAR of the device memory; present with CAPABILITIES.APERTURE */
export const APERTURE_BAR = 2;
/** 64-bit BAR of the MSI-X table and PBA; present with CAPABILITIES.MSIX */
export const MSIX_BAR = 4;
/** MSI-X table inside its BAR */
export const MSIX_TABLE_OFFSET = 0x000;
/** MSI-X pending bits inside their BAR */
export const MSIX_PBA_OFFSET = 0x800;
/** MSI-X vector of IRQ_STATUS.PASSPHRASE */
export const VECTOR_PASSPHRASE = 0;
/** MSI-X vector of IRQ_STATUS.DMA_DONE */
export const VECTOR_DMA = 1;
/** MSI-X vector of IRQ_STATUS.DMA_ERROR */
export const VECTOR_ERROR = 2;
/** MSI-X vector of IRQ_STATUS.VF_CHANGE */
export const VECTOR_VF = 3;
/** number of MSI-X vectors */
export const VECTORS = 4;
/** virtual functions of one physical function at most */
export const MAX_VFS = 7;
/** least value of PASSPHRASE_LENGTH */
export const PASSPHRASE_WORDS_MIN = 4;
/** greatest value of PASSPHRASE_LENGTH */
export const PASSPHRASE_WORDS_MAX = 12;
/** bytes one DMA command may copy */
export const DMA_MAX_BYTES = 0x100000;

/** Byte offsets in BAR0. */
export const Reg = {
  /** RO, 4 bytes: the bytes "MOCK" */
  DEVICE_ID: 0x000,
  /** RO, 4 bytes: register interface version: major in bits 31:16, minor in 15:8, patch in 7:0 */
  REVISION: 0x004,
  /** RO, 16 bytes: device UUID: byte i of the RFC 4122 text order at offset i, or up to 16 ASCII bytes padded with zeros */
  UUID: 0x008,
  /** RO, 8 bytes: device memory in bytes */
  MEMORY_SIZE: 0x020,
  /** RO, 4 bytes: what this function has */
  CAPABILITIES: 0x028,
  /** RW, 4 bytes: bit 0 is ready; the rest is free for allocation tracking */
  STATUS: 0x02c,
  /** RO, 4 bytes: firmware version: major in bits 31:16, minor in 15:8, patch in 7:0 */
  FW_VERSION: 0x030,
  /** RO, 4 bytes: virtual functions the device can have, 0..7 */
  SRIOV_TOTAL_VFS: 0x034,
  /** RW, 4 bytes: virtual functions in use; a value above SRIOV_TOTAL_VFS is refused and the old one kept */
  SRIOV_NUM_VFS: 0x038,
  /** WO, 4 bytes: commands of the passphrase generator */
  PASSPHRASE_CMD: 0x100,
  /** RW, 4 bytes: words of the next passphrase, 4..12; another value is refused and the old one kept */
  PASSPHRASE_LENGTH: 0x104,
  /** RO, 4 bytes: state of the passphrase generator */
  PASSPHRASE_STATUS: 0x108,
  /** RO, 4 bytes: words in PASSPHRASE_BUFFER */
  PASSPHRASE_COUNT: 0x10c,
  /** RO, 256 bytes: NUL-terminated passphrase, words joined by one space */
  PASSPHRASE_BUFFER: 0x200,
  /** RW1C, 4 bytes: pending interrupt causes */
  IRQ_STATUS: 0x400,
  /** RW, 4 bytes: causes of IRQ_STATUS that interrupt */
  IRQ_ENABLE: 0x404,
  /** WO, 4 bytes: test hook: raises the causes written */
  IRQ_RAISE: 0x408,
  /** RW, 8 bytes: guest physical address, or offset into device memory, as DMA_CMD.DIRECTION says */
  DMA_SRC: 0x420,
  /** RW, 8 bytes: guest physical address, or offset into device memory, as DMA_CMD.DIRECTION says */
  DMA_DST: 0x428,
  /** RW, 4 bytes: bytes to copy, 1..1048576 */
  DMA_LEN: 0x430,
  /** WO, 4 bytes: commands of the DMA engine */
  DMA_CMD: 0x434,
  /** RO, 4 bytes: state of the DMA engine */
  DMA_STATUS: 0x438,
} as const;

/** Values and bits of CAPABILITIES. */
export const Capabilities = {
  /** compute; always set */
  COMPUTE: 0x1,
  /** the DMA registers work */
  DMA: 0x2,
  /** BAR4 holds an MSI-X table */
  MSIX: 0x4,
  /** BAR2 maps device memory */
  APERTURE: 0x8,
  /** physical function with virtual functions */
  SRIOV: 0x10,
} as const;

/** Values and bits of STATUS. */
export const Status = {
  /** the device is ready */
  READY: 0x1,
} as const;

/** Values and bits of PASSPHRASE_CMD. */
export const PassphraseCmd = {
  /** generate a passphrase of PASSPHRASE_LENGTH words */
  GENERATE: 0x1,
} as const;

/** Values and bits of PASSPHRASE_STATUS. */
export const PassphraseStatus = {
  /** nothing generated since reset */
  IDLE: 0,
  /** a command runs */
  BUSY: 1,
  /** PASSPHRASE_BUFFER holds a passphrase */
  READY: 2,
  /** the last command failed */
  ERROR: 3,
} as const;

/** Values and bits of IRQ_STATUS. */
export const IrqStatus = {
  /** a passphrase is ready */
  PASSPHRASE: 0x1,
  /** a DMA command finished */
  DMA_DONE: 0x2,
  /** a DMA command failed */
  DMA_ERROR: 0x4,
  /** the number of virtual functions changed */
  VF_CHANGE: 0x8,
} as const;

/** Values and bits of DMA_CMD. */
export const DmaCmd = {
  /** start a copy */
  START: 0x1,
  /** where the two addresses point */
  DIRECTION_SHIFT: 1,
  /** guest memory to device memory */
  DIRECTION_TO_DEVICE: 0,
  /** device memory to guest memory */
  DIRECTION_TO_GUEST: 1,
  /** device memory to device memory */
  DIRECTION_IN_DEVICE: 2,
} as const;

/** Values and bits of DMA_STATUS. */
export const DmaStatus = {
  /** state */
  STATE_SHIFT: 0,
  /** no command since reset */
  STATE_IDLE: 0,
  /** a copy runs */
  STATE_BUSY: 1,
  /** the last copy finished */
  STATE_DONE: 2,
  /** the last copy failed; see ERROR */
  STATE_ERROR: 3,
  /** why the last copy failed */
  ERROR_SHIFT: 8,
  /** no error */
  ERROR_NONE: 0,
  /** DMA_LEN is 0 or above 1 MiB */
  ERROR_LENGTH: 1,
  /** reserved direction */
  ERROR_DIRECTION: 2,
  /** guest range is not mapped or lacks the permission */
  ERROR_GUEST_ADDRESS: 3,
  /** range leaves the device memory */
  ERROR_DEVICE_ADDRESS: 4,
  /** bus mastering is off in the PCI command register */
  ERROR_BUS_MASTER: 5,
  /** the transfer was answered with an error or cut short */
  ERROR_ABORTED: 6,
} as const;
