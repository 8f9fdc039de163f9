/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a program sees of /dev/mock<N>. Reading the device gives a description in text; the
 * calls below are ioctls.
 *
 * Every call fails with ENODEV once the device is gone, EFAULT for a bad pointer and ENOTTY for
 * an unknown command.
 */
#ifndef MOCK_ACCEL_UAPI_H
#define MOCK_ACCEL_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MOCK_ACCEL_IOC_MAGIC 'M'

#define MOCK_ACCEL_PASSPHRASE_DEFAULT_WORDS 6
#define MOCK_ACCEL_PASSPHRASE_MAX_WORDS 12
#define MOCK_ACCEL_PASSPHRASE_SIZE 256

/**
 * struct mock_accel_passphrase - words chosen by the kernel's cryptographic generator
 * @word_count: in: 1..12 words, 0 means 6. out: the number used
 * @passphrase: out: NUL-terminated, words joined by hyphens
 */
struct mock_accel_passphrase {
	__u8 word_count;
	char passphrase[MOCK_ACCEL_PASSPHRASE_SIZE];
};

/**
 * struct mock_accel_dma_test - copy random bytes to the device and back, and compare
 * @length: in: bytes, 1..1048576
 * @device_offset: in: where in device memory they go
 * @error: out: error code of DMA_STATUS (see mock-accel-regs.h), 0 for none
 * @mismatch: out: offset of the first byte that came back different, @length when all are the
 *   same
 * @to_device_ns: out: duration of the copy to the device in nanoseconds
 * @to_guest_ns: out: duration of the copy back
 * @interrupts: out: DMA interrupts that were counted during the test
 * @reserved: must be 0
 */
struct mock_accel_dma_test {
	__u32 length;
	__u32 error;
	__u64 device_offset;
	__u64 to_device_ns;
	__u64 to_guest_ns;
	__u32 mismatch;
	__u32 interrupts;
	__u64 reserved;
};

/* Reads the STATUS register. */
#define MOCK_ACCEL_IOC_STATUS _IOR(MOCK_ACCEL_IOC_MAGIC, 1, __u32)

/* Makes a passphrase in the guest. EINVAL: more than 12 words. ENOENT: no word list was loaded. */
#define MOCK_ACCEL_IOC_PASSPHRASE _IOWR(MOCK_ACCEL_IOC_MAGIC, 2, struct mock_accel_passphrase)

/* Writes the STATUS register. EBADF: the device was not opened for writing. */
#define MOCK_ACCEL_IOC_SET_STATUS _IOW(MOCK_ACCEL_IOC_MAGIC, 3, __u32)

/*
 * Tests the DMA engine. EOPNOTSUPP: the device has none. EINVAL: length or reserved is out of
 * range. EBADF: not opened for writing. ETIMEDOUT: the device did not finish, and was taken off
 * the bus. EBUSY: it still works on a copy that timed out; a reset ends that. EIO: its status
 * makes no sense. A copy that the device refuses is no error of the call: see @error.
 */
#define MOCK_ACCEL_IOC_DMA_TEST _IOWR(MOCK_ACCEL_IOC_MAGIC, 4, struct mock_accel_dma_test)

#endif /* MOCK_ACCEL_UAPI_H */
