/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the driver. Life of a device: probe makes it (pci.c), names it (naming.c), shows it
 * in sysfs (sysfs.c) and /dev (chrdev.c); remove takes the hardware away from everybody, then
 * those, and drops its reference; open files keep the memory, not the hardware.
 */
#ifndef MOCK_ACCEL_H
#define MOCK_ACCEL_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/version.h>

#include "mock-accel-regs.h"
#include "mock-accel-uapi.h"

#define MOCK_ACCEL_NAME "mock-accel"
#define MOCK_ACCEL_MINORS 256
/* What DEVICE_ID reads: the bytes "MOCK". */
#define MOCK_ACCEL_DEVICE_ID_MOCK 0x4b434f4dU
#define MOCK_ACCEL_WORDLIST "mock-accel-wordlist.txt"

/* The longest word of which twelve, joined, still fit into struct mock_accel_passphrase. */
#define MOCK_ACCEL_WORD_MAX \
	(MOCK_ACCEL_PASSPHRASE_SIZE / MOCK_ACCEL_PASSPHRASE_MAX_WORDS - 1)

/**
 * struct mock_accel_words - a loaded word list
 * @text: the firmware's bytes, with each line end replaced by NUL
 * @size: bytes of the firmware
 * @offsets: where each word starts in @text
 * @count: number of words
 */
struct mock_accel_words {
	char *text;
	size_t size;
	u32 *offsets;
	u32 count;
};

struct mock_accel;

/**
 * struct mock_accel_vector - one interrupt vector
 * @mock: its device
 * @causes: bits of IRQ_STATUS that it stands for
 * @news: bits that the handler leaves to its thread
 */
struct mock_accel_vector {
	struct mock_accel *mock;
	u32 causes;
	atomic_t news;
};

/**
 * struct mock_accel - one function
 * @dev: its class device; holds the reference count
 * @pdev: the PCI function; valid while the hardware is (see @io_lock)
 * @is_vf: a virtual function, also one that stands alone
 * @minor: minor number of its node
 * @uuid: read at probe
 * @memory_size: bytes, read at probe
 * @capabilities: bits, read at probe
 * @numa_node: node of the PCI function, or -1
 * @io_lock: held for reading by whoever touches the hardware, for writing to take it away or
 *   reset it
 * @regs: BAR0, NULL once the device is gone; guarded by @io_lock, except for interrupt
 *   handlers, which end before it goes
 * @listed: in sysfs, so that changes can be announced there; set while device_add() is done and
 *   the hardware is not taken away yet, which is what device_del() waits for
 * @aperture_wc: the device memory is reserved for write combining
 * @status_lock: makes read-compare-write of STATUS one step
 * @words_lock: guards @words
 * @words: the word list, or NULL
 * @files_lock: guards @files
 * @files: open files, so that their mappings can be taken away
 * @vectors: interrupt vectors in use; 0 means polling
 * @irqs: those vectors
 * @dma_lock: one DMA command at a time
 * @dma_done: completed by the interrupt handler
 * @dma_interrupts: DMA interrupts since probe
 */
struct mock_accel {
	struct device dev;
	struct pci_dev *pdev;
	bool is_vf;
	int minor;
	u8 uuid[MOCK_ACCEL_UUID_BYTES];
	u64 memory_size;
	u32 capabilities;
	int numa_node;

	struct rw_semaphore io_lock;
	void __iomem *regs;
	bool listed;
	bool aperture_wc;
	struct mutex status_lock;

	struct mutex words_lock;
	struct mock_accel_words *words;

	struct mutex files_lock;
	struct list_head files;

	int vectors;
	struct mock_accel_vector irqs[MOCK_ACCEL_VECTORS];
	struct mutex dma_lock;
	struct completion dma_done;
	atomic_t dma_interrupts;
};

#define to_mock_accel(d) container_of(d, struct mock_accel, dev)

/* main.c */
extern struct class mock_accel_class;
extern dev_t mock_accel_first;

/* pci.c */
extern struct pci_driver mock_accel_pci_driver;

/* bars.c */
int mock_accel_place_bars(struct pci_dev *pdev);
int mock_accel_place_vf_bars(struct pci_dev *pdev);

/* naming.c */
int mock_accel_name(struct mock_accel *mock);
void mock_accel_unname(struct mock_accel *mock);
void mock_accel_publish(struct mock_accel *mock);
struct mock_accel *mock_accel_get(unsigned int minor);
struct mock_accel *mock_accel_get_by_pdev(struct pci_dev *pdev);

/* registers.c: 0 or -ENODEV when the device is gone */
int mock_accel_enter(struct mock_accel *mock);
void mock_accel_exit(struct mock_accel *mock);
int mock_accel_read(struct mock_accel *mock, u32 offset, u32 *value);
int mock_accel_write(struct mock_accel *mock, u32 offset, u32 value);
int mock_accel_set_status(struct mock_accel *mock, u32 value);

/* sysfs.c */
extern const struct attribute_group *mock_accel_groups[];

/* chrdev.c */
extern const struct file_operations mock_accel_fops;
void mock_accel_revoke_mappings(struct mock_accel *mock);

/* words.c */
int mock_accel_load_words(struct mock_accel *mock);
void mock_accel_drop_words(struct mock_accel *mock);
size_t mock_accel_words_size(struct mock_accel *mock);
u32 mock_accel_words_count(struct mock_accel *mock);
int mock_accel_choose_words(struct mock_accel *mock, unsigned int count, char *text, size_t size);

/* irq.c */
int mock_accel_irq_init(struct mock_accel *mock);
void mock_accel_irq_enable(struct mock_accel *mock);
void mock_accel_irq_exit(struct mock_accel *mock);
void mock_accel_announce(struct mock_accel *mock, u32 causes);

/* dma.c */
int mock_accel_dma_grant(struct mock_accel *mock);
long mock_accel_dma_test(struct mock_accel *mock, struct mock_accel_dma_test *test);

/* aperture.c */
void mock_accel_reserve_aperture(struct mock_accel *mock);
void mock_accel_release_aperture(struct mock_accel *mock);
int mock_accel_map_aperture(struct mock_accel *mock, struct vm_area_struct *vma);

/* sriov.c */
int mock_accel_sriov_configure(struct pci_dev *pdev, int count);
int mock_accel_vf_assist(struct pci_dev *pdev);
struct mock_accel *mock_accel_get_pf(struct pci_dev *pdev);
bool mock_accel_is_vf(struct pci_dev *pdev);
int mock_accel_vf_index(struct pci_dev *pdev);

/* recovery.c */
extern const struct pci_error_handlers mock_accel_error_handlers;

#endif /* MOCK_ACCEL_H */
