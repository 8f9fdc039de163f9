// SPDX-License-Identifier: GPL-2.0
/* Access to BAR0 that never outlives it. */
#include <linux/io.h>

#include "mock-accel.h"

/* Holds the hardware in place until mock_accel_exit(). -ENODEV: it is gone. */
int mock_accel_enter(struct mock_accel *mock)
{
	down_read(&mock->io_lock);
	if (mock->regs)
		return 0;
	up_read(&mock->io_lock);
	return -ENODEV;
}

void mock_accel_exit(struct mock_accel *mock)
{
	up_read(&mock->io_lock);
}

int mock_accel_read(struct mock_accel *mock, u32 offset, u32 *value)
{
	int ret = mock_accel_enter(mock);

	if (ret)
		return ret;
	*value = ioread32(mock->regs + offset);
	mock_accel_exit(mock);
	return 0;
}

int mock_accel_write(struct mock_accel *mock, u32 offset, u32 value)
{
	int ret = mock_accel_enter(mock);

	if (ret)
		return ret;
	iowrite32(value, mock->regs + offset);
	mock_accel_exit(mock);
	return 0;
}

/*
 * Writes STATUS, and tells user space when that changed it: ACTION=change with
 * MOCK_ACCEL_STATUS=0x%08x. The hardware is held until that is said, for device_del() comes only
 * after it was taken away.
 */
int mock_accel_set_status(struct mock_accel *mock, u32 value)
{
	char text[sizeof("MOCK_ACCEL_STATUS=0x00000000")];
	char *env[] = { text, NULL };
	u32 before, after;
	int ret;

	ret = mock_accel_enter(mock);
	if (ret)
		return ret;
	mutex_lock(&mock->status_lock);
	before = ioread32(mock->regs + MOCK_ACCEL_REG_STATUS);
	iowrite32(value, mock->regs + MOCK_ACCEL_REG_STATUS);
	after = ioread32(mock->regs + MOCK_ACCEL_REG_STATUS);
	mutex_unlock(&mock->status_lock);

	if (after != before && READ_ONCE(mock->listed)) {
		snprintf(text, sizeof(text), "MOCK_ACCEL_STATUS=0x%08x", after);
		kobject_uevent_env(&mock->dev.kobj, KOBJ_CHANGE, env);
		sysfs_notify(&mock->dev.kobj, NULL, "status");
	}
	mock_accel_exit(mock);
	return 0;
}
