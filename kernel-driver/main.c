// SPDX-License-Identifier: GPL-2.0
/*
 * Module entry: the class, the device numbers, the character device and the PCI driver, in this
 * order.
 */
#include <linux/fs.h>
#include <linux/module.h>

#include "mock-accel.h"

struct class mock_accel_class = {
	.name = MOCK_ACCEL_NAME,
	.dev_groups = mock_accel_groups,
};

dev_t mock_accel_first;

/* One for all minors: a device's own cdev could not outlive the device while a file is open. */
static struct cdev mock_accel_cdev;

static int __init mock_accel_init(void)
{
	int ret;

	ret = class_register(&mock_accel_class);
	if (ret)
		return ret;

	ret = alloc_chrdev_region(&mock_accel_first, 0, MOCK_ACCEL_MINORS, MOCK_ACCEL_NAME);
	if (ret)
		goto unregister_class;

	cdev_init(&mock_accel_cdev, &mock_accel_fops);
	mock_accel_cdev.owner = THIS_MODULE;
	ret = cdev_add(&mock_accel_cdev, mock_accel_first, MOCK_ACCEL_MINORS);
	if (ret)
		goto unregister_region;

	ret = pci_register_driver(&mock_accel_pci_driver);
	if (ret)
		goto delete_cdev;
	return 0;

delete_cdev:
	cdev_del(&mock_accel_cdev);
unregister_region:
	unregister_chrdev_region(mock_accel_first, MOCK_ACCEL_MINORS);
unregister_class:
	class_unregister(&mock_accel_class);
	return ret;
}
module_init(mock_accel_init);

static void __exit mock_accel_exit_module(void)
{
	pci_unregister_driver(&mock_accel_pci_driver);
	cdev_del(&mock_accel_cdev);
	unregister_chrdev_region(mock_accel_first, MOCK_ACCEL_MINORS);
	class_unregister(&mock_accel_class);
}
module_exit(mock_accel_exit_module);

MODULE_DESCRIPTION("Mock accelerator of kata-mock");
MODULE_AUTHOR("The kata-mock authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_FIRMWARE(MOCK_ACCEL_WORDLIST);
