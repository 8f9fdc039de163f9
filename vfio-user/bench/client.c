// SPDX-License-Identifier: Apache-2.0
/*
 * Measures a vfio-user server: client SOCKET MODE COUNT
 *   read   COUNT reads of 4 bytes of BAR0, one in flight: percentiles and rate
 *   write  COUNT posted writes of 4 bytes, then one read that waits for them: rate
 *   multi  the same writes, 128 to a REGION_WRITE_MULTI message
 * Prints one line of JSON. All times are of CLOCK_MONOTONIC, in ns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct header {
	uint16_t id, command;
	uint32_t size, flags, error;
};

struct access {
	struct header header;
	uint64_t offset;
	uint32_t region, count;
	uint32_t data;
};

enum { VERSION = 1, READ = 9, WRITE = 10, MULTI = 15, NO_REPLY = 0x10, SCRATCH = 0x2c };

static int fd;
static uint16_t next_id;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void send_all(const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);

		if (count <= 0)
			fail("send");
		bytes += count;
		size -= count;
	}
}

static struct header receive(void *payload, size_t room)
{
	char message[4096];
	size_t got = 0;
	struct header header = { .size = sizeof(header) };

	while (got < header.size) {
		ssize_t count = recv(fd, message + got, sizeof(message) - got, 0);

		if (count <= 0)
			fail("recv");
		got += count;
		if (got >= sizeof(header))
			memcpy(&header, message, sizeof(header));
	}
	if (header.flags & 0x20) {
		fprintf(stderr, "the server answered errno %u\n", header.error);
		exit(1);
	}
	if (room > 0)
		memcpy(payload, message + sizeof(header), room);
	return header;
}

static void negotiate(void)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,\"write_multiple\":true}}";
	struct {
		struct header header;
		uint16_t major, minor;
		char json[sizeof(json)];
	} message = { { next_id++, VERSION, 0, 0, 0 }, 0, 1, "" };

	memcpy(message.json, json, sizeof(json));
	message.header.size = sizeof(struct header) + 4 + sizeof(json);
	send_all(&message, message.header.size);
	receive(NULL, 0);
}

static uint32_t read_register(void)
{
	struct access request = { { next_id++, READ, 32, 0, 0 }, 0, 0, 4, 0 };
	struct { uint64_t offset; uint32_t region, count, data; } reply;

	send_all(&request, 32);
	receive(&reply, 20);
	return reply.data;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void reads(long count)
{
	uint64_t *times = malloc(count * sizeof(*times));
	uint64_t start, total;

	for (long i = 0; i < 2000; i++)
		read_register();
	start = now();
	for (long i = 0; i < count; i++) {
		uint64_t before = now();

		read_register();
		times[i] = now() - before;
	}
	total = now() - start;
	qsort(times, count, sizeof(*times), compare);
	printf("{\"p50\":%lu,\"p99\":%lu,\"perSecond\":%.0f}\n", times[count / 2], times[count * 99 / 100], count * 1e9 / total);
}

static void writes(long count)
{
	uint64_t start = now();

	for (long i = 0; i < count; i++) {
		struct access request = { { next_id++, WRITE, 36, NO_REPLY, 0 }, SCRATCH, 0, 4, i };

		send_all(&request, 36);
	}
	read_register();
	printf("{\"perSecond\":%.0f}\n", count * 1e9 / (now() - start));
}

static void multi_writes(long count)
{
	enum { BATCH = 128 };
	struct entry {
		uint64_t offset;
		uint32_t region, count;
		uint64_t data;
	};
	struct {
		struct header header;
		uint64_t count;
		struct entry entries[BATCH];
	} message = { { 0, MULTI, sizeof(message), NO_REPLY, 0 }, BATCH, { { 0 } } };
	uint64_t start = now();

	for (long i = 0; i < count; i += BATCH) {
		message.header.id = next_id++;
		for (int j = 0; j < BATCH; j++)
			message.entries[j] = (struct entry){ SCRATCH, 0, 4, i + j };
		send_all(&message, sizeof(message));
	}
	read_register();
	printf("{\"perSecond\":%.0f}\n", count * 1e9 / (now() - start));
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (argc != 4) {
		fprintf(stderr, "usage: client SOCKET read|write|multi COUNT\n");
		return 2;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	negotiate();
	if (strcmp(argv[2], "write") == 0)
		writes(atol(argv[3]));
	else if (strcmp(argv[2], "multi") == 0)
		multi_writes(atol(argv[3]));
	else
		reads(atol(argv[3]));
	return 0;
}
