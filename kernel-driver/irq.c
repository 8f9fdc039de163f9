// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: one MSI-X vector a cause where the device has four, one vector (MSI-X or INTx)
 * for all causes otherwise. A device without interrupts works too: what would wait then polls.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/sysfs.h>

#include "mock-accel.h"

#ifndef PCI_IRQ_INTX /* its name since Linux 6.8 */
#define PCI_IRQ_INTX PCI_IRQ_LEGACY
#endif

#define MOCK_ACCEL_IRQ_DMA (MOCK_ACCEL_IRQ_STATUS_DMA_DONE | MOCK_ACCEL_IRQ_STATUS_DMA_ERROR)
#define MOCK_ACCEL_IRQ_ALL                                        \
	(MOCK_ACCEL_IRQ_STATUS_PASSPHRASE | MOCK_ACCEL_IRQ_DMA | \
	 MOCK_ACCEL_IRQ_STATUS_VF_CHANGE)

static const u32 mock_accel_vector_causes[MOCK_ACCEL_VECTORS] = {
	[MOCK_ACCEL_VECTOR_PASSPHRASE] = MOCK_ACCEL_IRQ_STATUS_PASSPHRASE,
	[MOCK_ACCEL_VECTOR_DMA] = MOCK_ACCEL_IRQ_STATUS_DMA_DONE,
	[MOCK_ACCEL_VECTOR_ERROR] = MOCK_ACCEL_IRQ_STATUS_DMA_ERROR,
	[MOCK_ACCEL_VECTOR_VF] = MOCK_ACCEL_IRQ_STATUS_VF_CHANGE,
};

/* Acknowledges the causes and wakes a waiting DMA command. */
static irqreturn_t mock_accel_irq(int irq, void *data)
{
	struct mock_accel_vector *vector = data;
	struct mock_accel *mock = vector->mock;
	u32 causes = ioread32(mock->regs + MOCK_ACCEL_REG_IRQ_STATUS);

	/* All ones is what a device says that is no more. */
	if (causes == U32_MAX || !(causes & vector->causes))
		return IRQ_NONE;
	causes &= vector->causes;
	iowrite32(causes, mock->regs + MOCK_ACCEL_REG_IRQ_STATUS);

	if (causes & MOCK_ACCEL_IRQ_DMA) {
		atomic_inc(&mock->dma_interrupts);
		complete(&mock->dma_done);
	}
	if (causes & ~MOCK_ACCEL_IRQ_DMA) {
		atomic_or(causes & ~MOCK_ACCEL_IRQ_DMA, &vector->news);
		return IRQ_WAKE_THREAD;
	}
	return IRQ_HANDLED;
}

/* Wakes who polls an attribute; needs a context that may sleep. */
static irqreturn_t mock_accel_irq_thread(int irq, void *data)
{
	struct mock_accel_vector *vector = data;

	mock_accel_announce(vector->mock, atomic_xchg(&vector->news, 0));
	return IRQ_HANDLED;
}

/* Wakes who polls the attributes that these causes of IRQ_STATUS change. */
void mock_accel_announce(struct mock_accel *mock, u32 causes)
{
	if (!READ_ONCE(mock->listed))
		return;
	if (causes & MOCK_ACCEL_IRQ_STATUS_PASSPHRASE)
		sysfs_notify(&mock->dev.kobj, NULL, "passphrase_status");
	if (causes & MOCK_ACCEL_IRQ_STATUS_VF_CHANGE)
		sysfs_notify(&mock->dev.kobj, NULL, "sriov_numvfs");
}

static int mock_accel_request(struct mock_accel *mock, int index, u32 causes)
{
	struct mock_accel_vector *vector = &mock->irqs[index];

	vector->mock = mock;
	vector->causes = causes;
	atomic_set(&vector->news, 0);
	return request_threaded_irq(pci_irq_vector(mock->pdev, index), mock_accel_irq,
				    mock_accel_irq_thread,
				    mock->pdev->msix_enabled ? 0 : IRQF_SHARED,
				    dev_name(&mock->dev), vector);
}

/* Takes the vectors. No interrupt at all is no error; one that cannot be requested is. */
int mock_accel_irq_init(struct mock_accel *mock)
{
	struct pci_dev *pdev = mock->pdev;
	int count, ret;

	mock->vectors = 0;
	count = pci_alloc_irq_vectors(pdev, MOCK_ACCEL_VECTORS, MOCK_ACCEL_VECTORS, PCI_IRQ_MSIX);
	if (count < 0)
		count = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX | PCI_IRQ_INTX);
	if (count < 0) {
		dev_dbg(&pdev->dev, "no interrupt (%d): polling\n", count);
		return 0;
	}

	while (mock->vectors < count) {
		u32 causes = MOCK_ACCEL_IRQ_ALL;

		if (count == MOCK_ACCEL_VECTORS)
			causes = mock_accel_vector_causes[mock->vectors];
		ret = mock_accel_request(mock, mock->vectors, causes);
		if (ret) {
			mock_accel_irq_exit(mock);
			return ret;
		}
		mock->vectors++;
	}
	mock_accel_irq_enable(mock);
	return 0;
}

/* Lets the device interrupt; a reset had switched that off. */
void mock_accel_irq_enable(struct mock_accel *mock)
{
	if (mock->vectors)
		iowrite32(MOCK_ACCEL_IRQ_ALL, mock->regs + MOCK_ACCEL_REG_IRQ_ENABLE);
}

void mock_accel_irq_exit(struct mock_accel *mock)
{
	iowrite32(0, mock->regs + MOCK_ACCEL_REG_IRQ_ENABLE);
	while (mock->vectors > 0) {
		mock->vectors--;
		free_irq(pci_irq_vector(mock->pdev, mock->vectors), &mock->irqs[mock->vectors]);
	}
	pci_free_irq_vectors(mock->pdev);
}
