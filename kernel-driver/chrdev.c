// SPDX-License-Identifier: GPL-2.0
/* /dev/mock<N>: text by read, calls by ioctl, device memory by mmap. */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mock-accel.h"

#define MOCK_ACCEL_TEXT_SIZE 512

/**
 * struct mock_accel_file - one open file
 * @mock: the device, with a reference
 * @file: for its mappings
 * @entry: in the device's list
 * @text_lock: guards @text and @length
 * @text: what read gives, made when a read starts at 0
 * @length: bytes of @text
 */
struct mock_accel_file {
	struct mock_accel *mock;
	struct file *file;
	struct list_head entry;
	struct mutex text_lock;
	char text[MOCK_ACCEL_TEXT_SIZE];
	size_t length;
};

static int mock_accel_open(struct inode *inode, struct file *file)
{
	struct mock_accel_file *open;
	struct mock_accel *mock;

	open = kzalloc(sizeof(*open), GFP_KERNEL);
	if (!open)
		return -ENOMEM;
	mock = mock_accel_get(iminor(inode));
	if (!mock) {
		kfree(open);
		return -ENODEV;
	}
	open->mock = mock;
	open->file = file;
	mutex_init(&open->text_lock);
	file->private_data = open;

	mutex_lock(&mock->files_lock);
	list_add(&open->entry, &mock->files);
	mutex_unlock(&mock->files_lock);
	return 0;
}

static int mock_accel_release(struct inode *inode, struct file *file)
{
	struct mock_accel_file *open = file->private_data;
	struct mock_accel *mock = open->mock;

	mutex_lock(&mock->files_lock);
	list_del(&open->entry);
	mutex_unlock(&mock->files_lock);
	kfree(open);
	put_device(&mock->dev);
	return 0;
}

/* Fills the file's text: 0 or -ENODEV. */
static int mock_accel_describe(struct mock_accel_file *open)
{
	char sample[MOCK_ACCEL_PASSPHRASE_SIZE];
	struct mock_accel *mock = open->mock;
	u32 status;
	int ret;

	ret = mock_accel_read(mock, MOCK_ACCEL_REG_STATUS, &status);
	if (ret)
		return ret;
	if (mock_accel_choose_words(mock, MOCK_ACCEL_PASSPHRASE_DEFAULT_WORDS, sample,
				    sizeof(sample)))
		strscpy(sample, "(firmware not loaded)", sizeof(sample));

	open->length = scnprintf(open->text, sizeof(open->text),
				 "Mock Accelerator Device\n"
				 "UUID: %pUb\n"
				 "Memory: %llu bytes\n"
				 "Status: 0x%08x\n"
				 "NUMA Node: %d\n"
				 "Wordlist: %zu words loaded\n"
				 "Sample Passphrase (6 words): %s\n",
				 mock->uuid, mock->memory_size, status, mock->numa_node,
				 (size_t)mock_accel_words_count(mock), sample);
	return 0;
}

static ssize_t mock_accel_read_text(struct file *file, char __user *buffer, size_t size,
				    loff_t *position)
{
	struct mock_accel_file *open = file->private_data;
	ssize_t ret = 0;

	mutex_lock(&open->text_lock);
	if (*position == 0)
		ret = mock_accel_describe(open);
	if (!ret)
		ret = simple_read_from_buffer(buffer, size, position, open->text, open->length);
	mutex_unlock(&open->text_lock);
	return ret;
}

static long mock_accel_ioctl_status(struct mock_accel *mock, u32 __user *argument)
{
	u32 value;
	int ret = mock_accel_read(mock, MOCK_ACCEL_REG_STATUS, &value);

	return ret ?: put_user(value, argument);
}

static long mock_accel_ioctl_set_status(struct mock_accel *mock, u32 __user *argument)
{
	u32 value;

	if (get_user(value, argument))
		return -EFAULT;
	return mock_accel_set_status(mock, value);
}

static long mock_accel_ioctl_passphrase(struct mock_accel *mock,
					struct mock_accel_passphrase __user *argument)
{
	struct mock_accel_passphrase answer = {};
	int ret;

	if (get_user(answer.word_count, &argument->word_count))
		return -EFAULT;
	if (answer.word_count > MOCK_ACCEL_PASSPHRASE_MAX_WORDS)
		return -EINVAL;
	if (!answer.word_count)
		answer.word_count = MOCK_ACCEL_PASSPHRASE_DEFAULT_WORDS;
	ret = mock_accel_choose_words(mock, answer.word_count, answer.passphrase,
				      sizeof(answer.passphrase));
	if (ret)
		return ret;
	return copy_to_user(argument, &answer, sizeof(answer)) ? -EFAULT : 0;
}

static long mock_accel_ioctl_dma_test(struct mock_accel *mock,
				      struct mock_accel_dma_test __user *argument)
{
	struct mock_accel_dma_test test;
	long ret;

	if (copy_from_user(&test, argument, sizeof(test)))
		return -EFAULT;
	ret = mock_accel_dma_test(mock, &test);
	if (ret)
		return ret;
	return copy_to_user(argument, &test, sizeof(test)) ? -EFAULT : 0;
}

static long mock_accel_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct mock_accel_file *open = file->private_data;
	struct mock_accel *mock = open->mock;
	void __user *pointer = (void __user *)argument;
	bool writable = file->f_mode & FMODE_WRITE;
	int ret;

	/* A call that touches no register must fail too once the device is gone. */
	ret = mock_accel_enter(mock);
	if (ret)
		return ret;
	mock_accel_exit(mock);

	switch (command) {
	case MOCK_ACCEL_IOC_STATUS:
		return mock_accel_ioctl_status(mock, pointer);
	case MOCK_ACCEL_IOC_PASSPHRASE:
		return mock_accel_ioctl_passphrase(mock, pointer);
	case MOCK_ACCEL_IOC_SET_STATUS:
		return writable ? mock_accel_ioctl_set_status(mock, pointer) : -EBADF;
	case MOCK_ACCEL_IOC_DMA_TEST:
		return writable ? mock_accel_ioctl_dma_test(mock, pointer) : -EBADF;
	default:
		return -ENOTTY;
	}
}

static int mock_accel_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mock_accel_file *open = file->private_data;

	return mock_accel_map_aperture(open->mock, vma);
}

/* Takes the device's memory out of every process that mapped it; touching it then is SIGBUS. */
void mock_accel_revoke_mappings(struct mock_accel *mock)
{
	struct mock_accel_file *open;

	mutex_lock(&mock->files_lock);
	list_for_each_entry(open, &mock->files, entry)
		unmap_mapping_range(open->file->f_mapping, 0, 0, 1);
	mutex_unlock(&mock->files_lock);
}

const struct file_operations mock_accel_fops = {
	.owner = THIS_MODULE,
	.open = mock_accel_open,
	.release = mock_accel_release,
	.read = mock_accel_read_text,
	.llseek = default_llseek,
	.unlocked_ioctl = mock_accel_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = mock_accel_mmap,
};
