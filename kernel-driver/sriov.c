// SPDX-License-Identifier: GPL-2.0
/* Virtual functions: enabling them, finding their PF and number, and the help their BAR needs. */
#include "mock-accel.h"

/*
 * Does a virtual function stand here? One served alone (without SR-IOV) is known by its device
 * id.
 */
bool mock_accel_is_vf(struct pci_dev *pdev)
{
	return pdev->is_virtfn ||
	       (pdev->vendor == MOCK_ACCEL_PCI_VENDOR_ID &&
		pdev->device == MOCK_ACCEL_PCI_DEVICE_ID_VF);
}

/* Number of a VF within its PF, from 0: VF i is function i + 1 of the PF's slot. */
int mock_accel_vf_index(struct pci_dev *pdev)
{
	int index = pci_iov_vf_id(pdev);

	return index >= 0 ? index : PCI_FUNC(pdev->devfn) - 1;
}

/*
 * The PF that a VF belongs to, if this driver has it: by SR-IOV, else function 0 of the same
 * slot. With a reference taken, as a PF without SR-IOV may be unbound meanwhile; NULL: none.
 */
struct mock_accel *mock_accel_get_pf(struct pci_dev *pdev)
{
	struct mock_accel *mock;
	struct pci_dev *pf;

	if (pdev->is_virtfn)
		pf = pci_dev_get(pci_physfn(pdev));
	else if (PCI_FUNC(pdev->devfn))
		pf = pci_get_slot(pdev->bus, PCI_DEVFN(PCI_SLOT(pdev->devfn), 0));
	else
		return NULL;
	if (!pf)
		return NULL;
	mock = mock_accel_get_by_pdev(pf);
	pci_dev_put(pf);
	if (mock && mock->is_vf) {
		put_device(&mock->dev);
		return NULL;
	}
	return mock;
}

/*
 * The PCI core knows where a VF's BAR is from the PF's SR-IOV capability, and never writes it
 * into the VF, whose BARs are read-only zeros on real hardware. The VMM that serves the mock,
 * though, learns addresses only from those writes: so tell it.
 */
int mock_accel_vf_assist(struct pci_dev *pdev)
{
	u64 start = pci_resource_start(pdev, MOCK_ACCEL_REGISTER_BAR);
	int bar = PCI_BASE_ADDRESS_0 + 4 * MOCK_ACCEL_REGISTER_BAR;
	u16 command;
	int ret;

	if (!pdev->is_virtfn)
		return 0;
	if (!start)
		return -ENXIO;
	ret = pci_write_config_dword(pdev, bar, lower_32_bits(start));
	if (!ret)
		ret = pci_write_config_dword(pdev, bar + 4, upper_32_bits(start));
	if (!ret)
		ret = pci_read_config_word(pdev, PCI_COMMAND, &command);
	if (!ret)
		ret = pci_write_config_word(pdev, PCI_COMMAND, command | PCI_COMMAND_MEMORY);
	return pcibios_err_to_errno(ret);
}

/* Enables count VFs, or disables all for 0. Returns the number enabled. */
int mock_accel_sriov_configure(struct pci_dev *pdev, int count)
{
	int ret;

	if (!count) {
		pci_disable_sriov(pdev);
		return 0;
	}
	ret = mock_accel_place_vf_bars(pdev);
	if (!ret)
		ret = pci_enable_sriov(pdev, count);
	return ret ?: count;
}
