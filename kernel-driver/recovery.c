// SPDX-License-Identifier: GPL-2.0
/*
 * Errors and resets: calls wait while the device is reset, then go on with a device in its
 * first state.
 */
#include <linux/io.h>

#include "mock-accel.h"

/* Until reset_done, whoever wants the hardware waits for this lock. */
static void mock_accel_reset_prepare(struct pci_dev *pdev)
{
	struct mock_accel *mock = pci_get_drvdata(pdev);

	down_write(&mock->io_lock);
}

static void mock_accel_reset_done(struct pci_dev *pdev)
{
	struct mock_accel *mock = pci_get_drvdata(pdev);

	if (pdev->is_virtfn)
		mock_accel_vf_assist(pdev);
	if (mock->regs) {
		/* The core restored what it found, which may be "off" after a DMA timeout. */
		mock_accel_dma_grant(mock);
		mock_accel_irq_enable(mock);
	}
	up_write(&mock->io_lock);
}

static pci_ers_result_t mock_accel_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	switch (state) {
	case pci_channel_io_normal:
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

/* The registers can be read again: is there still a mock behind them? */
static pci_ers_result_t mock_accel_mmio_enabled(struct pci_dev *pdev)
{
	struct mock_accel *mock = pci_get_drvdata(pdev);
	u32 id;

	if (mock_accel_read(mock, MOCK_ACCEL_REG_DEVICE_ID, &id) || id != MOCK_ACCEL_DEVICE_ID_MOCK)
		return PCI_ERS_RESULT_NEED_RESET;
	return PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t mock_accel_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	/* Restoring used the saved state up; the next error needs one too. */
	pci_save_state(pdev);
	if (mock_accel_mmio_enabled(pdev) != PCI_ERS_RESULT_RECOVERED)
		return PCI_ERS_RESULT_DISCONNECT;
	return PCI_ERS_RESULT_RECOVERED;
}

static void mock_accel_resume(struct pci_dev *pdev)
{
	struct mock_accel *mock = pci_get_drvdata(pdev);

	if (mock_accel_enter(mock))
		return;
	mock_accel_dma_grant(mock);
	mock_accel_irq_enable(mock);
	mock_accel_exit(mock);
	dev_info(&mock->dev, "recovered from a PCI error\n");
}

const struct pci_error_handlers mock_accel_error_handlers = {
	.error_detected = mock_accel_error_detected,
	.mmio_enabled = mock_accel_mmio_enabled,
	.slot_reset = mock_accel_slot_reset,
	.resume = mock_accel_resume,
	.reset_prepare = mock_accel_reset_prepare,
	.reset_done = mock_accel_reset_done,
};
