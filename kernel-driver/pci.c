// SPDX-License-Identifier: GPL-2.0
/* The PCI driver: takes a function into service and out of it. */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "mock-accel.h"

/* The last reference is gone: no file is open any more. */
static void mock_accel_free(struct device *dev)
{
	struct mock_accel *mock = to_mock_accel(dev);

	mock_accel_drop_words(mock);
	mutex_destroy(&mock->dma_lock);
	mutex_destroy(&mock->files_lock);
	mutex_destroy(&mock->words_lock);
	mutex_destroy(&mock->status_lock);
	kfree(mock);
}

static struct mock_accel *mock_accel_new(struct pci_dev *pdev)
{
	struct mock_accel *mock = kzalloc(sizeof(*mock), GFP_KERNEL);

	if (!mock)
		return NULL;
	mock->pdev = pdev;
	mock->is_vf = mock_accel_is_vf(pdev);
	mock->numa_node = dev_to_node(&pdev->dev);
	init_rwsem(&mock->io_lock);
	mutex_init(&mock->status_lock);
	mutex_init(&mock->words_lock);
	mutex_init(&mock->files_lock);
	mutex_init(&mock->dma_lock);
	init_completion(&mock->dma_done);
	INIT_LIST_HEAD(&mock->files);

	device_initialize(&mock->dev);
	mock->dev.class = &mock_accel_class;
	mock->dev.parent = &pdev->dev;
	mock->dev.release = mock_accel_free;
	return mock;
}

/*
 * Reads what does not change. -ENODEV: whatever this is, it is not a mock (driver_override
 * binds anything).
 */
static int mock_accel_identify(struct mock_accel *mock)
{
	u32 id = ioread32(mock->regs + MOCK_ACCEL_REG_DEVICE_ID);

	if (id != MOCK_ACCEL_DEVICE_ID_MOCK) {
		dev_err(&mock->pdev->dev, "DEVICE_ID is 0x%08x, expected 0x%08x\n", id,
			MOCK_ACCEL_DEVICE_ID_MOCK);
		return -ENODEV;
	}
	memcpy_fromio(mock->uuid, mock->regs + MOCK_ACCEL_REG_UUID, sizeof(mock->uuid));
	mock->memory_size = lo_hi_readq(mock->regs + MOCK_ACCEL_REG_MEMORY_SIZE);
	mock->capabilities = ioread32(mock->regs + MOCK_ACCEL_REG_CAPABILITIES);
	return 0;
}

/* Enables the function and maps its registers. */
static int mock_accel_start(struct mock_accel *mock)
{
	struct pci_dev *pdev = mock->pdev;
	int ret;

	ret = mock_accel_vf_assist(pdev);
	if (!ret)
		ret = mock_accel_place_bars(pdev);
	if (ret)
		return ret;
	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, MOCK_ACCEL_NAME);
	if (ret)
		goto disable;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto release;
	ret = -ENODEV;
	if (!(pci_resource_flags(pdev, MOCK_ACCEL_REGISTER_BAR) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, MOCK_ACCEL_REGISTER_BAR) < MOCK_ACCEL_REGISTERS_SIZE) {
		dev_err(&pdev->dev, "BAR0 is no memory of %u bytes\n", MOCK_ACCEL_REGISTERS_SIZE);
		goto release;
	}
	ret = -ENOMEM;
	mock->regs = pci_iomap(pdev, MOCK_ACCEL_REGISTER_BAR, MOCK_ACCEL_REGISTERS_SIZE);
	if (!mock->regs)
		goto release;
	ret = mock_accel_identify(mock);
	if (ret)
		goto unmap;
	if (mock_accel_dma_grant(mock))
		dev_warn(&pdev->dev, "DMA of before goes on: bus mastering is off until a reset\n");
	mock_accel_reserve_aperture(mock);
	return 0;

unmap:
	pci_iounmap(pdev, mock->regs);
	mock->regs = NULL;
release:
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
	return ret;
}

/*
 * Takes the hardware away from everybody, then gives it back to the PCI core. After it nothing
 * touches the device's place in sysfs of itself: interrupts are off, and who holds io_lock to
 * announce something is done.
 */
static void mock_accel_stop(struct mock_accel *mock)
{
	void __iomem *regs;

	down_write(&mock->io_lock);
	mock_accel_irq_exit(mock);
	regs = mock->regs;
	mock->regs = NULL;
	WRITE_ONCE(mock->listed, false);
	up_write(&mock->io_lock);

	mock_accel_revoke_mappings(mock);
	mock_accel_release_aperture(mock);
	pci_clear_master(mock->pdev);
	pci_iounmap(mock->pdev, regs);
	pci_release_regions(mock->pdev);
	pci_disable_device(mock->pdev);
}

static int mock_accel_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mock_accel *mock;
	int ret;

	mock = mock_accel_new(pdev);
	if (!mock)
		return -ENOMEM;
	ret = mock_accel_start(mock);
	if (ret)
		goto put;
	ret = mock_accel_name(mock);
	if (ret)
		goto stop;
	mock->dev.devt = MKDEV(MAJOR(mock_accel_first), mock->minor);
	ret = mock_accel_irq_init(mock);
	if (ret)
		goto unname;

	ret = mock_accel_load_words(mock);
	if (ret)
		dev_warn(&pdev->dev, "no word list from firmware %s (%d): passphrases need it\n",
			 MOCK_ACCEL_WORDLIST, ret);

	/* Who is told of the device by device_add() may want all of it at once. */
	pci_set_drvdata(pdev, mock);
	mock_accel_publish(mock);
	ret = device_add(&mock->dev);
	if (ret)
		goto clear;
	WRITE_ONCE(mock->listed, true);
	/* For a poll that missed an interrupt of before. */
	mock_accel_announce(mock, U32_MAX);
	/* What a slot reset restores: BARs, bus mastering, MSI-X. */
	pci_save_state(pdev);
	dev_info(&mock->dev, "%pUb at %s\n", mock->uuid, pci_name(pdev));
	return 0;

clear:
	pci_set_drvdata(pdev, NULL);
unname:
	mock_accel_unname(mock);
stop:
	mock_accel_stop(mock);
put:
	put_device(&mock->dev);
	return ret;
}

static void mock_accel_remove(struct pci_dev *pdev)
{
	struct mock_accel *mock = pci_get_drvdata(pdev);

	if (pci_num_vf(pdev))
		pci_disable_sriov(pdev);
	/* The hardware goes first: attributes that are in use until they go answer ENODEV. */
	mock_accel_stop(mock);
	device_del(&mock->dev);
	mock_accel_unname(mock);
	pci_set_drvdata(pdev, NULL);
	put_device(&mock->dev);
}

static const struct pci_device_id mock_accel_ids[] = {
	{ PCI_DEVICE(MOCK_ACCEL_PCI_VENDOR_ID, MOCK_ACCEL_PCI_DEVICE_ID_PF) },
	{ PCI_DEVICE(MOCK_ACCEL_PCI_VENDOR_ID, MOCK_ACCEL_PCI_DEVICE_ID_VF) },
	{ }
};
MODULE_DEVICE_TABLE(pci, mock_accel_ids);

struct pci_driver mock_accel_pci_driver = {
	.name = MOCK_ACCEL_NAME,
	.id_table = mock_accel_ids,
	.probe = mock_accel_probe,
	.remove = mock_accel_remove,
	.sriov_configure = mock_accel_sriov_configure,
	.err_handler = &mock_accel_error_handlers,
};
