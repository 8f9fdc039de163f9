// SPDX-License-Identifier: GPL-2.0
/* The DMA engine's self-test: random bytes go to the device and come back. */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/random.h>

#include "mock-accel.h"

/* The device answers in well under a millisecond; a stalled one is given this long. */
#define MOCK_ACCEL_DMA_TIMEOUT_MS 5000
/* Without bus mastering a copy cannot go on: how long the engine may take to see it. */
#define MOCK_ACCEL_DMA_STOP_MS 500
#define MOCK_ACCEL_DMA_POLL_US 50

static u32 mock_accel_dma_state(u32 status)
{
	return (status & MOCK_ACCEL_DMA_STATUS_STATE_MASK) >> MOCK_ACCEL_DMA_STATUS_STATE_SHIFT;
}

/* Reads DMA_STATUS until the engine is not busy any more, or the deadline has passed. */
static u32 mock_accel_dma_poll(struct mock_accel *mock, unsigned long deadline)
{
	u32 status;
	bool late;

	for (;;) {
		/* Before the read, so that a long wait for the processor in between costs nothing. */
		late = time_after(jiffies, deadline);
		status = ioread32(mock->regs + MOCK_ACCEL_REG_DMA_STATUS);
		if (late || mock_accel_dma_state(status) != MOCK_ACCEL_DMA_STATUS_STATE_BUSY)
			return status;
		usleep_range(MOCK_ACCEL_DMA_POLL_US, 2 * MOCK_ACCEL_DMA_POLL_US);
	}
}

/*
 * Waits for the command's end and returns DMA_STATUS. The interrupt is believed only when the
 * status confirms it, and the status also counts without one: a device that loses interrupts is
 * slow, not broken.
 */
static u32 mock_accel_dma_wait(struct mock_accel *mock)
{
	unsigned long timeout = msecs_to_jiffies(MOCK_ACCEL_DMA_TIMEOUT_MS);
	unsigned long deadline = jiffies + timeout;

	if (mock->vectors)
		wait_for_completion_timeout(&mock->dma_done, timeout);
	return mock_accel_dma_poll(mock, deadline);
}

/*
 * Lets the function master the bus if its engine rests. -EBUSY: it works on a command that timed
 * out, for this driver or for one before it, and would write to memory that is somebody else's
 * by now; it would ignore a new command, too. -EIO: its status makes no sense.
 */
int mock_accel_dma_grant(struct mock_accel *mock)
{
	u32 status = MOCK_ACCEL_DMA_STATUS_STATE_IDLE;

	if (mock->capabilities & MOCK_ACCEL_CAPABILITIES_DMA)
		status = ioread32(mock->regs + MOCK_ACCEL_REG_DMA_STATUS);
	switch (mock_accel_dma_state(status)) {
	case MOCK_ACCEL_DMA_STATUS_STATE_IDLE:
	case MOCK_ACCEL_DMA_STATUS_STATE_DONE:
	case MOCK_ACCEL_DMA_STATUS_STATE_ERROR:
		pci_set_master(mock->pdev);
		return 0;
	case MOCK_ACCEL_DMA_STATUS_STATE_BUSY:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/*
 * Takes the bus from a device that did not finish: its buffers may be freed after that, for what
 * it wrote to memory comes before its answer to the write that switches mastering off. When the
 * engine ends its command, which cannot go on, it gets the bus back, as its interrupts need it.
 */
static void mock_accel_dma_abort(struct mock_accel *mock)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(MOCK_ACCEL_DMA_STOP_MS);

	pci_clear_master(mock->pdev);
	mock_accel_dma_poll(mock, deadline);
	if (mock_accel_dma_grant(mock))
		dev_err(&mock->dev, "DMA does not end: bus mastering is off until a reset\n");
	else
		dev_warn(&mock->dev, "DMA took too long and was ended\n");
}

/*
 * One copy: 0 with *error set to the device's error code, -ETIMEDOUT, or -EIO for a status that
 * makes no sense.
 */
static int mock_accel_dma_copy(struct mock_accel *mock, u64 from, u64 to, u32 length, u32 direction,
			       u32 *error, u64 *ns)
{
	u64 start = ktime_get_ns();
	u32 status;

	reinit_completion(&mock->dma_done);
	lo_hi_writeq(from, mock->regs + MOCK_ACCEL_REG_DMA_SRC);
	lo_hi_writeq(to, mock->regs + MOCK_ACCEL_REG_DMA_DST);
	iowrite32(length, mock->regs + MOCK_ACCEL_REG_DMA_LEN);
	iowrite32(MOCK_ACCEL_DMA_CMD_START | direction << MOCK_ACCEL_DMA_CMD_DIRECTION_SHIFT,
		  mock->regs + MOCK_ACCEL_REG_DMA_CMD);
	status = mock_accel_dma_wait(mock);
	*ns = ktime_get_ns() - start;
	*error = MOCK_ACCEL_DMA_STATUS_ERROR_NONE;

	switch (mock_accel_dma_state(status)) {
	case MOCK_ACCEL_DMA_STATUS_STATE_DONE:
		return 0;
	case MOCK_ACCEL_DMA_STATUS_STATE_ERROR:
		*error = (status & MOCK_ACCEL_DMA_STATUS_ERROR_MASK) >>
			 MOCK_ACCEL_DMA_STATUS_ERROR_SHIFT;
		return 0;
	case MOCK_ACCEL_DMA_STATUS_STATE_BUSY:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

static u32 mock_accel_first_difference(const u8 *a, const u8 *b, u32 length)
{
	u32 i;

	for (i = 0; i < length && a[i] == b[i]; i++)
		;
	return i;
}

static int mock_accel_dma_round_trip(struct mock_accel *mock, struct mock_accel_dma_test *test,
				     u8 *out, dma_addr_t out_dma, u8 *in, dma_addr_t in_dma)
{
	int before = atomic_read(&mock->dma_interrupts);
	int ret;

	get_random_bytes(out, test->length);
	memset(in, ~out[0], test->length);
	test->mismatch = 0;
	test->to_guest_ns = 0;

	ret = mock_accel_dma_copy(mock, out_dma, test->device_offset, test->length,
				  MOCK_ACCEL_DMA_CMD_DIRECTION_TO_DEVICE, &test->error,
				  &test->to_device_ns);
	if (!ret && !test->error)
		ret = mock_accel_dma_copy(mock, test->device_offset, in_dma, test->length,
					  MOCK_ACCEL_DMA_CMD_DIRECTION_TO_GUEST, &test->error,
					  &test->to_guest_ns);
	test->interrupts = atomic_read(&mock->dma_interrupts) - before;
	if (!ret && !test->error)
		test->mismatch = mock_accel_first_difference(out, in, test->length);
	return ret;
}

/* With the hardware held and the engine this call's. */
static long mock_accel_dma_run(struct mock_accel *mock, struct mock_accel_dma_test *test)
{
	dma_addr_t out_dma, in_dma;
	u8 *out, *in;
	long ret;

	ret = mock_accel_dma_grant(mock);
	if (ret)
		return ret;
	out = dma_alloc_coherent(&mock->pdev->dev, test->length, &out_dma, GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	ret = -ENOMEM;
	in = dma_alloc_coherent(&mock->pdev->dev, test->length, &in_dma, GFP_KERNEL);
	if (!in)
		goto free_out;

	ret = mock_accel_dma_round_trip(mock, test, out, out_dma, in, in_dma);
	if (ret)
		mock_accel_dma_abort(mock);

	dma_free_coherent(&mock->pdev->dev, test->length, in, in_dma);
free_out:
	dma_free_coherent(&mock->pdev->dev, test->length, out, out_dma);
	return ret;
}

/* Runs the test of MOCK_ACCEL_IOC_DMA_TEST. */
long mock_accel_dma_test(struct mock_accel *mock, struct mock_accel_dma_test *test)
{
	long ret;

	if (!test->length || test->length > MOCK_ACCEL_DMA_MAX_BYTES || test->reserved)
		return -EINVAL;
	if (!(mock->capabilities & MOCK_ACCEL_CAPABILITIES_DMA))
		return -EOPNOTSUPP;

	ret = mock_accel_enter(mock);
	if (ret)
		return ret;
	mutex_lock(&mock->dma_lock);
	ret = mock_accel_dma_run(mock, test);
	mutex_unlock(&mock->dma_lock);
	mock_accel_exit(mock);
	return ret;
}
