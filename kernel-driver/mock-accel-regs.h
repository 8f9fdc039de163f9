/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Registers of mock-accel. Generated from vfio-user/src/mock-accel/registers.json by "npm run generate"; do not edit. */
#ifndef MOCK_ACCEL_REGS_H
#define MOCK_ACCEL_REGS_H

#define MOCK_ACCEL_PCI_VENDOR_ID 0x1de5U /* default vendor of both functions */
#define MOCK_ACCEL_PCI_DEVICE_ID_PF 0x0001U /* default device of a physical function */
#define MOCK_ACCEL_PCI_DEVICE_ID_VF 0x0002U /* default device of a virtual function */
#define MOCK_ACCEL_REGISTER_BAR 0U /* 64-bit memory BAR of the registers */
#define MOCK_ACCEL_APERTURE_BAR 2U /* 64-bit prefetchable BAR of the device memory; present with CAPABILITIES.APERTURE */
#define MOCK_ACCEL_MSIX_BAR 4U /* 64-bit BAR of the MSI-X table and PBA; present with CAPABILITIES.MSIX */
#define MOCK_ACCEL_MSIX_TABLE_OFFSET 0x000U /* MSI-X table inside its BAR */
#define MOCK_ACCEL_MSIX_PBA_OFFSET 0x800U /* MSI-X pending bits inside their BAR */
#define MOCK_ACCEL_VECTOR_PASSPHRASE 0U /* MSI-X vector of IRQ_STATUS.PASSPHRASE */
#define MOCK_ACCEL_VECTOR_DMA 1U /* MSI-X vector of IRQ_STATUS.DMA_DONE */
#define MOCK_ACCEL_VECTOR_ERROR 2U /* MSI-X vector of IRQ_STATUS.DMA_ERROR */
#define MOCK_ACCEL_VECTOR_VF 3U /* MSI-X vector of IRQ_STATUS.VF_CHANGE */
#define MOCK_ACCEL_VECTORS 4U /* number of MSI-X vectors */
#define MOCK_ACCEL_MAX_VFS 7U /* virtual functions of one physical function at most */
#define MOCK_ACCEL_PASSPHRASE_WORDS_MIN 4U /* least value of PASSPHRASE_LENGTH */
#define MOCK_ACCEL_PASSPHRASE_WORDS_MAX 12U /* greatest value of PASSPHRASE_LENGTH */
#define MOCK_ACCEL_DMA_MAX_BYTES 0x100000U /* bytes one DMA command may copy */

/* BAR0: registers */
#define MOCK_ACCEL_REGISTERS_SIZE 0x1000U /* bytes */

/* DEVICE_ID: RO, 4 bytes; the bytes "MOCK" */
#define MOCK_ACCEL_REG_DEVICE_ID 0x000U

/* REVISION: RO, 4 bytes; register interface version: major in bits 31:16, minor in 15:8, patch in 7:0 */
#define MOCK_ACCEL_REG_REVISION 0x004U

/* UUID: RO, 16 bytes; device UUID: byte i of the RFC 4122 text order at offset i, or up to 16 ASCII bytes padded with zeros */
#define MOCK_ACCEL_REG_UUID 0x008U
#define MOCK_ACCEL_UUID_BYTES 16U

/* MEMORY_SIZE: RO, 8 bytes; device memory in bytes */
#define MOCK_ACCEL_REG_MEMORY_SIZE 0x020U

/* CAPABILITIES: RO, 4 bytes; what this function has */
#define MOCK_ACCEL_REG_CAPABILITIES 0x028U
#define MOCK_ACCEL_CAPABILITIES_COMPUTE 0x1U /* compute; always set */
#define MOCK_ACCEL_CAPABILITIES_DMA 0x2U /* the DMA registers work */
#define MOCK_ACCEL_CAPABILITIES_MSIX 0x4U /* BAR4 holds an MSI-X table */
#define MOCK_ACCEL_CAPABILITIES_APERTURE 0x8U /* BAR2 maps device memory */
#define MOCK_ACCEL_CAPABILITIES_SRIOV 0x10U /* physical function with virtual functions */

/* STATUS: RW, 4 bytes; bit 0 is ready; the rest is free for allocation tracking */
#define MOCK_ACCEL_REG_STATUS 0x02cU
#define MOCK_ACCEL_STATUS_READY 0x1U /* the device is ready */

/* FW_VERSION: RO, 4 bytes; firmware version: major in bits 31:16, minor in 15:8, patch in 7:0 */
#define MOCK_ACCEL_REG_FW_VERSION 0x030U

/* SRIOV_TOTAL_VFS: RO, 4 bytes, PF only; virtual functions the device can have, 0..7 */
#define MOCK_ACCEL_REG_SRIOV_TOTAL_VFS 0x034U

/* SRIOV_NUM_VFS: RW, 4 bytes, PF only; virtual functions in use; a value above SRIOV_TOTAL_VFS is refused and the old one kept */
#define MOCK_ACCEL_REG_SRIOV_NUM_VFS 0x038U

/* PASSPHRASE_CMD: WO, 4 bytes; commands of the passphrase generator */
#define MOCK_ACCEL_REG_PASSPHRASE_CMD 0x100U
#define MOCK_ACCEL_PASSPHRASE_CMD_GENERATE 0x1U /* generate a passphrase of PASSPHRASE_LENGTH words */

/* PASSPHRASE_LENGTH: RW, 4 bytes; words of the next passphrase, 4..12; another value is refused and the old one kept */
#define MOCK_ACCEL_REG_PASSPHRASE_LENGTH 0x104U

/* PASSPHRASE_STATUS: RO, 4 bytes; state of the passphrase generator */
#define MOCK_ACCEL_REG_PASSPHRASE_STATUS 0x108U
#define MOCK_ACCEL_PASSPHRASE_STATUS_IDLE 0U /* nothing generated since reset */
#define MOCK_ACCEL_PASSPHRASE_STATUS_BUSY 1U /* a command runs */
#define MOCK_ACCEL_PASSPHRASE_STATUS_READY 2U /* PASSPHRASE_BUFFER holds a passphrase */
#define MOCK_ACCEL_PASSPHRASE_STATUS_ERROR 3U /* the last command failed */

/* PASSPHRASE_COUNT: RO, 4 bytes; words in PASSPHRASE_BUFFER */
#define MOCK_ACCEL_REG_PASSPHRASE_COUNT 0x10cU

/* PASSPHRASE_BUFFER: RO, 256 bytes; NUL-terminated passphrase, words joined by one space */
#define MOCK_ACCEL_REG_PASSPHRASE_BUFFER 0x200U
#define MOCK_ACCEL_PASSPHRASE_BUFFER_BYTES 256U

/* IRQ_STATUS: RW1C, 4 bytes; pending interrupt causes */
#define MOCK_ACCEL_REG_IRQ_STATUS 0x400U
#define MOCK_ACCEL_IRQ_STATUS_PASSPHRASE 0x1U /* a passphrase is ready */
#define MOCK_ACCEL_IRQ_STATUS_DMA_DONE 0x2U /* a DMA command finished */
#define MOCK_ACCEL_IRQ_STATUS_DMA_ERROR 0x4U /* a DMA command failed */
#define MOCK_ACCEL_IRQ_STATUS_VF_CHANGE 0x8U /* the number of virtual functions changed */

/* IRQ_ENABLE: RW, 4 bytes; causes of IRQ_STATUS that interrupt */
#define MOCK_ACCEL_REG_IRQ_ENABLE 0x404U

/* IRQ_RAISE: WO, 4 bytes; test hook: raises the causes written */
#define MOCK_ACCEL_REG_IRQ_RAISE 0x408U

/* DMA_SRC: RW, 8 bytes; guest physical address, or offset into device memory, as DMA_CMD.DIRECTION says */
#define MOCK_ACCEL_REG_DMA_SRC 0x420U

/* DMA_DST: RW, 8 bytes; guest physical address, or offset into device memory, as DMA_CMD.DIRECTION says */
#define MOCK_ACCEL_REG_DMA_DST 0x428U

/* DMA_LEN: RW, 4 bytes; bytes to copy, 1..1048576 */
#define MOCK_ACCEL_REG_DMA_LEN 0x430U

/* DMA_CMD: WO, 4 bytes; commands of the DMA engine */
#define MOCK_ACCEL_REG_DMA_CMD 0x434U
#define MOCK_ACCEL_DMA_CMD_START 0x1U /* start a copy */
#define MOCK_ACCEL_DMA_CMD_DIRECTION_MASK 0x6U /* where the two addresses point */
#define MOCK_ACCEL_DMA_CMD_DIRECTION_SHIFT 1
#define MOCK_ACCEL_DMA_CMD_DIRECTION_TO_DEVICE 0U /* guest memory to device memory */
#define MOCK_ACCEL_DMA_CMD_DIRECTION_TO_GUEST 1U /* device memory to guest memory */
#define MOCK_ACCEL_DMA_CMD_DIRECTION_IN_DEVICE 2U /* device memory to device memory */

/* DMA_STATUS: RO, 4 bytes; state of the DMA engine */
#define MOCK_ACCEL_REG_DMA_STATUS 0x438U
#define MOCK_ACCEL_DMA_STATUS_STATE_MASK 0xffU /* state */
#define MOCK_ACCEL_DMA_STATUS_STATE_SHIFT 0
#define MOCK_ACCEL_DMA_STATUS_STATE_IDLE 0U /* no command since reset */
#define MOCK_ACCEL_DMA_STATUS_STATE_BUSY 1U /* a copy runs */
#define MOCK_ACCEL_DMA_STATUS_STATE_DONE 2U /* the last copy finished */
#define MOCK_ACCEL_DMA_STATUS_STATE_ERROR 3U /* the last copy failed; see ERROR */
#define MOCK_ACCEL_DMA_STATUS_ERROR_MASK 0xffffff00U /* why the last copy failed */
#define MOCK_ACCEL_DMA_STATUS_ERROR_SHIFT 8
#define MOCK_ACCEL_DMA_STATUS_ERROR_NONE 0U /* no error */
#define MOCK_ACCEL_DMA_STATUS_ERROR_LENGTH 1U /* DMA_LEN is 0 or above 1 MiB */
#define MOCK_ACCEL_DMA_STATUS_ERROR_DIRECTION 2U /* reserved direction */
#define MOCK_ACCEL_DMA_STATUS_ERROR_GUEST_ADDRESS 3U /* guest range is not mapped or lacks the permission */
#define MOCK_ACCEL_DMA_STATUS_ERROR_DEVICE_ADDRESS 4U /* range leaves the device memory */
#define MOCK_ACCEL_DMA_STATUS_ERROR_BUS_MASTER 5U /* bus mastering is off in the PCI command register */
#define MOCK_ACCEL_DMA_STATUS_ERROR_ABORTED 6U /* the transfer was answered with an error or cut short */

#endif /* MOCK_ACCEL_REGS_H */
