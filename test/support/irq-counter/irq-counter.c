// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for tests of any PCI device: takes one interrupt of the kinds in `types` and counts, in /proc/interrupts
 * under the device's name. Bind it by driver_override. A level stays quiet after its first interrupt.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

static unsigned int types = PCI_IRQ_MSI | PCI_IRQ_MSIX;
module_param(types, uint, 0644);
MODULE_PARM_DESC(types, "PCI_IRQ_* of the next device: 1 INTx, 2 MSI, 4 MSI-X");

static irqreturn_t irq_counter_handler(int irq, void *data)
{
	struct pci_dev *pdev = data;

	if (pci_dev_msi_enabled(pdev) || pci_check_and_mask_intx(pdev))
		return IRQ_HANDLED;
	return IRQ_NONE;
}

static int irq_counter_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_set_master(pdev);
	ret = pci_alloc_irq_vectors(pdev, 1, 1, types);
	if (ret < 0)
		return ret;
	ret = request_irq(pci_irq_vector(pdev, 0), irq_counter_handler,
			  pci_dev_msi_enabled(pdev) ? 0 : IRQF_SHARED, pci_name(pdev), pdev);
	if (ret)
		pci_free_irq_vectors(pdev);
	return ret;
}

static void irq_counter_remove(struct pci_dev *pdev)
{
	free_irq(pci_irq_vector(pdev, 0), pdev);
	pci_free_irq_vectors(pdev);
	pci_intx(pdev, 1);
}

/* No device by itself: driver_override names them. */
static const struct pci_device_id irq_counter_ids[] = { {} };

static struct pci_driver irq_counter_driver = {
	.name = "irq-counter",
	.id_table = irq_counter_ids,
	.probe = irq_counter_probe,
	.remove = irq_counter_remove,
};
module_pci_driver(irq_counter_driver);

MODULE_DESCRIPTION("Counts the interrupts of a device under test");
MODULE_LICENSE("GPL");
