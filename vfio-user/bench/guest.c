// SPDX-License-Identifier: Apache-2.0
/*
 * The first process of a guest that does nothing else: measures what reads of two devices' BARs cost there and powers
 * off. The devices are told apart by their PCI ids: the floor is 1234:f100, ours 1de5:0001. Prints one line,
 * "BENCH " and JSON, ns per read of 4 bytes, medians over the rounds; both devices' rounds alternate.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"

enum { ROUNDS = 15, TRAPPED = 2000, MAPPED = 2000000, PAGE = 4096 };

typedef volatile uint32_t words;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void fail(const char *what)
{
	printf("BENCH-FAILED %s: %m\n", what);
	sync();
	reboot(RB_POWER_OFF);
}

static unsigned long number(const char *device, const char *name)
{
	char path[512], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		fail(path);
	close(fd);
	return strtoul(text, NULL, 16);
}

/* A page of a device's BAR, whose memory decoding is switched on. */
static words *map_bar(unsigned vendor, unsigned id, int bar)
{
	DIR *devices = opendir(DEVICES);
	struct dirent *entry;
	char path[512];
	void *at;
	int fd;

	while (devices && (entry = readdir(devices))) {
		if (entry->d_name[0] == '.' || number(entry->d_name, "vendor") != vendor || number(entry->d_name, "device") != id)
			continue;
		snprintf(path, sizeof(path), DEVICES "/%s/enable", entry->d_name);
		fd = open(path, O_WRONLY);
		if (fd >= 0) {
			if (write(fd, "1", 1) != 1 && number(entry->d_name, "enable") == 0)
				fail(path);
			close(fd);
		}
		snprintf(path, sizeof(path), DEVICES "/%s/resource%d", entry->d_name, bar);
		fd = open(path, O_RDWR);
		at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			fail(path);
		closedir(devices);
		return at;
	}
	snprintf(path, sizeof(path), "no device %04x:%04x", vendor, id);
	fail(path);
	return NULL;
}

/* ns for each of `count` reads over a page. */
static double reads(words *page, long count, unsigned stride)
{
	double start = now();

	for (long i = 0; i < count; i++)
		(void)page[i * stride % (PAGE / 4)];
	return (now() - start) / count;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *list)
{
	qsort(list, ROUNDS, sizeof(*list), compare);
	return list[ROUNDS / 2];
}

int main(void)
{
	enum { FLOOR, OURS, RAM, APERTURE, KINDS };
	words *pages[KINDS];
	double times[KINDS][ROUNDS];

	mkdir("/sys", 0755);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) != 0)
		fail("mount");
	pages[FLOOR] = map_bar(0x1234, 0xf100, 0);
	pages[OURS] = map_bar(0x1de5, 0x0001, 0);
	pages[APERTURE] = map_bar(0x1de5, 0x0001, 2);
	pages[RAM] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pages[RAM][0] = 1;
	if (pages[OURS][0] != 0x4b434f4d)
		fail("our device reads nonsense");
	for (int round = -1; round < ROUNDS; round++)
		for (int kind = 0; kind < KINDS; kind++) {
			bool trapped = kind == FLOOR || kind == OURS;
			double time = trapped ? reads(pages[kind], TRAPPED, 0) : reads(pages[kind], MAPPED, 1);

			/* The first round warms up. */
			if (round >= 0)
				times[kind][round] = time;
		}
	printf("BENCH {\"floorNs\":%.1f,\"oursNs\":%.1f,\"ramNs\":%.2f,\"apertureNs\":%.2f}\n", median(times[FLOOR]),
	       median(times[OURS]), median(times[RAM]), median(times[APERTURE]));
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
