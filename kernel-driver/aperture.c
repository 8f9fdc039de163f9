// SPDX-License-Identifier: GPL-2.0
/* mmap of the device memory in BAR2. */
#include <linux/io.h>
#include <linux/mm.h>

#include "mock-accel.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/*
 * A page inserted by a fault is write combining only where the whole range is reserved so. Without
 * the reservation mappings are uncached, which is slower and right.
 */
void mock_accel_reserve_aperture(struct mock_accel *mock)
{
	struct resource *bar = &mock->pdev->resource[MOCK_ACCEL_APERTURE_BAR];

	mock->aperture_wc = (mock->capabilities & MOCK_ACCEL_CAPABILITIES_APERTURE) &&
			    resource_size(bar) &&
			    !arch_io_reserve_memtype_wc(bar->start, resource_size(bar));
}

void mock_accel_release_aperture(struct mock_accel *mock)
{
	struct resource *bar = &mock->pdev->resource[MOCK_ACCEL_APERTURE_BAR];

	if (mock->aperture_wc)
		arch_io_free_memtype_wc(bar->start, resource_size(bar));
	mock->aperture_wc = false;
}

/*
 * Pages come only here, one at a time: by then the mapping is known to the file, so that
 * mock_accel_revoke_mappings() finds whatever was put in while the device lived. A page put in by
 * mmap itself, before that, could outlive the device. Waits while a reset is going on.
 */
static vm_fault_t mock_accel_aperture_fault(struct vm_fault *fault)
{
	struct mock_accel *mock = fault->vma->vm_private_data;
	vm_fault_t ret;
	u64 address;

	if (mock_accel_enter(mock))
		return VM_FAULT_SIGBUS;
	address = pci_resource_start(mock->pdev, MOCK_ACCEL_APERTURE_BAR);
	address += (u64)fault->pgoff << PAGE_SHIFT;
	ret = vmf_insert_pfn(fault->vma, fault->address, address >> PAGE_SHIFT);
	mock_accel_exit(mock);
	return ret;
}

static const struct vm_operations_struct mock_accel_aperture_ops = {
	.fault = mock_accel_aperture_fault,
};

/*
 * Maps a range of BAR2. EOPNOTSUPP: the device has none. EINVAL: the range leaves it, or the
 * mapping is private.
 */
int mock_accel_map_aperture(struct mock_accel *mock, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 size = vma->vm_end - vma->vm_start;
	u64 length;
	int ret;

	ret = mock_accel_enter(mock);
	if (ret)
		return ret;
	length = pci_resource_len(mock->pdev, MOCK_ACCEL_APERTURE_BAR);
	if (!(mock->capabilities & MOCK_ACCEL_CAPABILITIES_APERTURE) || !length) {
		ret = -EOPNOTSUPP;
	} else if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff > length >> PAGE_SHIFT ||
		   size > length - offset) {
		ret = -EINVAL;
	} else {
		vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
		vma->vm_ops = &mock_accel_aperture_ops;
		/* The file that the mapping holds open holds a reference. */
		vma->vm_private_data = mock;
	}
	mock_accel_exit(mock);
	return ret;
}
