// SPDX-License-Identifier: GPL-2.0
/* Attributes below /sys/class/mock-accel/<name>/. */
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/sched/signal.h>
#include <linux/sysfs.h>

#include "mock-accel.h"

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUb\n", to_mock_accel(dev)->uuid);
}
static DEVICE_ATTR_RO(uuid);

static ssize_t memory_size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_mock_accel(dev)->memory_size);
}
static DEVICE_ATTR_RO(memory_size);

static ssize_t numa_node_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_mock_accel(dev)->numa_node);
}
static DEVICE_ATTR_RO(numa_node);

static ssize_t capabilities_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "0x%08x\n", to_mock_accel(dev)->capabilities);
}
static DEVICE_ATTR_RO(capabilities);

static ssize_t status_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 value;
	int ret = mock_accel_read(to_mock_accel(dev), MOCK_ACCEL_REG_STATUS, &value);

	return ret ?: sysfs_emit(buf, "0x%08x\n", value);
}

static ssize_t status_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	u32 value;
	int ret = kstrtou32(buf, 0, &value);

	if (!ret)
		ret = mock_accel_set_status(to_mock_accel(dev), value);
	return ret ?: count;
}
static DEVICE_ATTR_RW(status);

static ssize_t fw_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 value;
	int ret = mock_accel_read(to_mock_accel(dev), MOCK_ACCEL_REG_FW_VERSION, &value);

	return ret ?: sysfs_emit(buf, "%u.%u.%u\n", value >> 16, (value >> 8) & 0xff, value & 0xff);
}
static DEVICE_ATTR_RO(fw_version);

static ssize_t passphrase_length_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 value;
	int ret = mock_accel_read(to_mock_accel(dev), MOCK_ACCEL_REG_PASSPHRASE_LENGTH, &value);

	return ret ?: sysfs_emit(buf, "%u\n", value);
}

static ssize_t passphrase_length_store(struct device *dev, struct device_attribute *attr,
				       const char *buf, size_t count)
{
	u32 value;
	int ret = kstrtou32(buf, 0, &value);

	if (ret)
		return ret;
	if (value < MOCK_ACCEL_PASSPHRASE_WORDS_MIN || value > MOCK_ACCEL_PASSPHRASE_WORDS_MAX)
		return -EINVAL;
	ret = mock_accel_write(to_mock_accel(dev), MOCK_ACCEL_REG_PASSPHRASE_LENGTH, value);
	return ret ?: count;
}
static DEVICE_ATTR_RW(passphrase_length);

static ssize_t passphrase_generate_store(struct device *dev, struct device_attribute *attr,
					 const char *buf, size_t count)
{
	bool value;
	int ret = kstrtobool(buf, &value);

	if (ret)
		return ret;
	if (!value)
		return -EINVAL;
	ret = mock_accel_write(to_mock_accel(dev), MOCK_ACCEL_REG_PASSPHRASE_CMD,
			       MOCK_ACCEL_PASSPHRASE_CMD_GENERATE);
	return ret ?: count;
}
static DEVICE_ATTR_WO(passphrase_generate);

static const char * const mock_accel_passphrase_states[] = {
	[MOCK_ACCEL_PASSPHRASE_STATUS_IDLE] = "idle",
	[MOCK_ACCEL_PASSPHRASE_STATUS_BUSY] = "busy",
	[MOCK_ACCEL_PASSPHRASE_STATUS_READY] = "ready",
	[MOCK_ACCEL_PASSPHRASE_STATUS_ERROR] = "error",
};

static ssize_t passphrase_status_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 value;
	int ret = mock_accel_read(to_mock_accel(dev), MOCK_ACCEL_REG_PASSPHRASE_STATUS, &value);

	if (ret)
		return ret;
	if (value >= ARRAY_SIZE(mock_accel_passphrase_states))
		return -EIO;
	return sysfs_emit(buf, "%s\n", mock_accel_passphrase_states[value]);
}
static DEVICE_ATTR_RO(passphrase_status);

static ssize_t passphrase_count_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 value;
	int ret = mock_accel_read(to_mock_accel(dev), MOCK_ACCEL_REG_PASSPHRASE_COUNT, &value);

	return ret ?: sysfs_emit(buf, "%u\n", value);
}
static DEVICE_ATTR_RO(passphrase_count);

/* The device's text; an empty line before the first one, EBUSY while it works. */
static ssize_t passphrase_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mock_accel *mock = to_mock_accel(dev);
	char text[MOCK_ACCEL_PASSPHRASE_BUFFER_BYTES + 1];
	ssize_t ret;
	u32 state;

	ret = mock_accel_enter(mock);
	if (ret)
		return ret;
	state = ioread32(mock->regs + MOCK_ACCEL_REG_PASSPHRASE_STATUS);
	if (state == MOCK_ACCEL_PASSPHRASE_STATUS_BUSY) {
		ret = -EBUSY;
	} else {
		memcpy_fromio(text, mock->regs + MOCK_ACCEL_REG_PASSPHRASE_BUFFER,
			      MOCK_ACCEL_PASSPHRASE_BUFFER_BYTES);
		text[MOCK_ACCEL_PASSPHRASE_BUFFER_BYTES] = '\0';
		ret = sysfs_emit(buf, "%s\n", text);
	}
	mock_accel_exit(mock);
	return ret;
}
static DEVICE_ATTR_RO(passphrase);

static ssize_t wordlist_loaded_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", mock_accel_words_count(to_mock_accel(dev)) > 0);
}
static DEVICE_ATTR_RO(wordlist_loaded);

static ssize_t wordlist_size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%zu\n", mock_accel_words_size(to_mock_accel(dev)));
}
static DEVICE_ATTR_RO(wordlist_size);

static ssize_t load_wordlist_store(struct device *dev, struct device_attribute *attr,
				   const char *buf, size_t count)
{
	bool value;
	int ret = kstrtobool(buf, &value);

	if (ret)
		return ret;
	if (!value)
		return -EINVAL;
	ret = mock_accel_load_words(to_mock_accel(dev));
	return ret ?: count;
}
static DEVICE_ATTR_WO(load_wordlist);

static ssize_t sriov_totalvfs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mock_accel *mock = to_mock_accel(dev);
	int ret = mock_accel_enter(mock);

	if (ret)
		return ret;
	ret = sysfs_emit(buf, "%d\n", pci_sriov_get_totalvfs(mock->pdev));
	mock_accel_exit(mock);
	return ret;
}
static DEVICE_ATTR_RO(sriov_totalvfs);

static ssize_t sriov_numvfs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mock_accel *mock = to_mock_accel(dev);
	int ret = mock_accel_enter(mock);

	if (ret)
		return ret;
	ret = sysfs_emit(buf, "%d\n", pci_num_vf(mock->pdev));
	mock_accel_exit(mock);
	return ret;
}

/*
 * Does what the PCI core's attribute of the same name does, with the same answers. The PCI
 * device's lock is only tried: remove() holds it while it waits for this very attribute to be
 * left.
 */
static ssize_t sriov_numvfs_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t count)
{
	struct pci_dev *pdev = to_mock_accel(dev)->pdev;
	u16 wanted;
	int ret = kstrtou16(buf, 0, &wanted);

	if (ret)
		return ret;
	if (!device_trylock(&pdev->dev))
		return restart_syscall();
	if (wanted > pci_sriov_get_totalvfs(pdev)) {
		ret = -ERANGE;
	} else if (wanted == pci_num_vf(pdev)) {
		ret = 0;
	} else if (wanted && pci_num_vf(pdev)) {
		dev_warn(dev, "%d VFs are enabled: disable them before enabling %u\n",
			 pci_num_vf(pdev), wanted);
		ret = -EBUSY;
	} else {
		ret = mock_accel_sriov_configure(pdev, wanted);
	}
	device_unlock(&pdev->dev);
	return ret < 0 ? ret : count;
}
static DEVICE_ATTR_RW(sriov_numvfs);

static struct attribute *mock_accel_attributes[] = {
	&dev_attr_uuid.attr,
	&dev_attr_memory_size.attr,
	&dev_attr_numa_node.attr,
	&dev_attr_capabilities.attr,
	&dev_attr_status.attr,
	&dev_attr_fw_version.attr,
	&dev_attr_passphrase_length.attr,
	&dev_attr_passphrase_generate.attr,
	&dev_attr_passphrase_status.attr,
	&dev_attr_passphrase_count.attr,
	&dev_attr_passphrase.attr,
	&dev_attr_wordlist_loaded.attr,
	&dev_attr_wordlist_size.attr,
	&dev_attr_load_wordlist.attr,
	NULL
};

static const struct attribute_group mock_accel_group = {
	.attrs = mock_accel_attributes,
};

static struct attribute *mock_accel_pf_attributes[] = {
	&dev_attr_sriov_totalvfs.attr,
	&dev_attr_sriov_numvfs.attr,
	NULL
};

static umode_t mock_accel_pf_visible(struct kobject *kobj, struct attribute *attr, int index)
{
	return to_mock_accel(kobj_to_dev(kobj))->is_vf ? 0 : attr->mode;
}

static const struct attribute_group mock_accel_pf_group = {
	.attrs = mock_accel_pf_attributes,
	.is_visible = mock_accel_pf_visible,
};

const struct attribute_group *mock_accel_groups[] = {
	&mock_accel_group,
	&mock_accel_pf_group,
	NULL
};
