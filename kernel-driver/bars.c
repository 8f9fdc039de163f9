// SPDX-License-Identifier: GPL-2.0
/*
 * Linux never places the BARs of a function whose class is "not defined"
 * (__dev_sort_resources() skips it), which is the class of the original device. The firmware
 * places them at boot, but nobody does after a hot plug or a rescan, and nobody places the BARs
 * of virtual functions: so the driver asks for what is missing.
 */
#include "mock-accel.h"

/* The largest of BARs first..last that has a size and no place, or -1. */
static int mock_accel_next_bar(struct pci_dev *pdev, int first, int last)
{
	int best = -1;
	int i;

	for (i = first; i <= last; i++) {
		const struct resource *bar = &pdev->resource[i];

		if (!(bar->flags & IORESOURCE_MEM) || bar->parent || !resource_size(bar))
			continue;
		if (best < 0 || resource_size(bar) > resource_size(&pdev->resource[best]))
			best = i;
	}
	return best;
}

static int mock_accel_place(struct pci_dev *pdev, int first, int last)
{
	int bar, ret;

	while ((bar = mock_accel_next_bar(pdev, first, last)) >= 0) {
		ret = pci_assign_resource(pdev, bar);
		if (ret)
			return ret;
		/* A success without a place would loop for ever. */
		if (!pdev->resource[bar].parent)
			return -ENOSPC;
	}
	return 0;
}

/* Gives the function's own BARs a place. */
int mock_accel_place_bars(struct pci_dev *pdev)
{
	return pdev->is_virtfn ? 0 : mock_accel_place(pdev, 0, PCI_STD_RESOURCE_END);
}

/* Gives the BARs of a PF's virtual functions a place. */
int mock_accel_place_vf_bars(struct pci_dev *pdev)
{
#ifdef CONFIG_PCI_IOV
	return mock_accel_place(pdev, PCI_IOV_RESOURCES, PCI_IOV_RESOURCE_END);
#else
	return 0;
#endif
}
