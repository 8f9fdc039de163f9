// SPDX-License-Identifier: GPL-2.0
/*
 * Minors and names. A physical function takes the lowest free minor N and is mock<N>. A virtual
 * function is mock<N of its PF>_vf<i>; its minor comes from the top, so that VFs coming and
 * going do not change the numbers of PFs.
 */
#include <linux/idr.h>
#include <linux/xarray.h>

#include "mock-accel.h"

static DEFINE_IDA(mock_accel_minors);

/* Devices that can be opened, by minor. */
static DEFINE_XARRAY(mock_accel_open);

static int mock_accel_take_vf_minor(void)
{
	int minor = -ENOSPC;
	int try;

	for (try = MOCK_ACCEL_MINORS - 1; try >= 0; try--) {
		minor = ida_alloc_range(&mock_accel_minors, try, try, GFP_KERNEL);
		if (minor != -ENOSPC)
			break;
	}
	return minor;
}

/* Gives the device its minor and name. */
int mock_accel_name(struct mock_accel *mock)
{
	struct mock_accel *pf = mock->is_vf ? mock_accel_get_pf(mock->pdev) : NULL;
	int ret;

	if (pf)
		mock->minor = mock_accel_take_vf_minor();
	else
		mock->minor = ida_alloc_max(&mock_accel_minors, MOCK_ACCEL_MINORS - 1, GFP_KERNEL);
	ret = mock->minor;
	if (ret < 0)
		goto put;

	if (pf)
		ret = dev_set_name(&mock->dev, "mock%d_vf%d", pf->minor,
				   mock_accel_vf_index(mock->pdev));
	else
		ret = dev_set_name(&mock->dev, "mock%d", mock->minor);
	if (!ret)
		ret = xa_reserve(&mock_accel_open, mock->minor, GFP_KERNEL);
	if (ret)
		ida_free(&mock_accel_minors, mock->minor);
put:
	if (pf)
		put_device(&pf->dev);
	return ret;
}

/* From here on the device can be opened. Cannot fail: mock_accel_name() reserved the place. */
void mock_accel_publish(struct mock_accel *mock)
{
	xa_store(&mock_accel_open, mock->minor, mock, GFP_KERNEL);
}

/* No new opens; the minor is free again. */
void mock_accel_unname(struct mock_accel *mock)
{
	xa_erase(&mock_accel_open, mock->minor);
	ida_free(&mock_accel_minors, mock->minor);
}

/* The device with this minor, with a reference taken, or NULL. */
struct mock_accel *mock_accel_get(unsigned int minor)
{
	struct mock_accel *mock;

	xa_lock(&mock_accel_open);
	mock = xa_load(&mock_accel_open, minor);
	if (mock)
		get_device(&mock->dev);
	xa_unlock(&mock_accel_open);
	return mock;
}

/*
 * The device of this PCI function, with a reference taken, or NULL. Unlike its drvdata this may
 * be asked for without the function's lock, which a neighbour in the same slot must not take.
 */
struct mock_accel *mock_accel_get_by_pdev(struct pci_dev *pdev)
{
	struct mock_accel *mock;
	unsigned long minor;

	xa_lock(&mock_accel_open);
	xa_for_each(&mock_accel_open, minor, mock) {
		if (mock->pdev == pdev) {
			get_device(&mock->dev);
			break;
		}
	}
	xa_unlock(&mock_accel_open);
	return mock;
}
