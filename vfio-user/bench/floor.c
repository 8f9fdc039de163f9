// SPDX-License-Identifier: Apache-2.0
/*
 * The floor: floor SOCKET. A server that does nothing but one recvmsg (with room for descriptors, as every server needs)
 * and one sendmsg per message. Reads of BAR0 give zeros, writes are forgotten; the rest is what QEMU asks before it
 * makes a device (1234:f100, one BAR of 4 KiB) of it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct header {
	uint16_t id, command;
	uint32_t size, flags, error;
};

enum {
	VERSION = 1, DMA_UNMAP = 3, DEVICE_GET_INFO = 4, GET_REGION_INFO = 5, GET_IRQ_INFO = 7, REGION_READ = 9, REGION_WRITE = 10,
	BAR0 = 0, CONFIG = 7, BAR_BYTES = 4096,
};

struct access {
	struct header header;
	uint64_t offset;
	uint32_t region, count;
	uint8_t data[];
};

static char in[1 << 16], out[1 << 13];
/* 32-bit memory, and a class that Linux gives addresses to. */
static uint8_t config[4096] = { 0x34, 0x12, 0x00, 0xf1, [0x0a] = 0x00, [0x0b] = 0x12 };

static void write_config(const struct access *access)
{
	uint32_t bar;

	/* Command register and BAR0 only. */
	for (uint32_t i = 0; i < access->count; i++) {
		uint64_t at = access->offset + i;

		if (at == 4 || at == 5 || (at >= 0x10 && at < 0x14))
			config[at] = access->data[i];
	}
	memcpy(&bar, config + 0x10, 4);
	bar &= ~(BAR_BYTES - 1u);
	memcpy(config + 0x10, &bar, 4);
}

/* The reply's payload, behind its header. Returns its length. */
static size_t carry_out(const struct access *request)
{
	static const char version[] = "\0\0\1\0{\"capabilities\":{\"write_multiple\":true}}";
	static const char qemu_version[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8}}";
	uint32_t *words = (uint32_t *)(out + sizeof(struct header));
	const uint32_t *asked = (const uint32_t *)(&request->header + 1);

	switch (request->header.command) {
	case REGION_READ:
		memcpy(words, asked, 16);
		if (request->region == CONFIG && request->offset + request->count <= sizeof(config))
			memcpy(words + 4, config + request->offset, request->count);
		else
			memset(words + 4, 0, request->count);
		return 16 + request->count;
	case REGION_WRITE:
		memcpy(words, asked, 16);
		if (request->region == CONFIG)
			write_config(request);
		return 16;
	case VERSION:
		/* QEMU, which offers minor 0, must not get write_multiple: its writes would wait in a queue. */
		if (asked[0] >> 16 == 0) {
			memcpy(words, qemu_version, sizeof(qemu_version));
			return sizeof(qemu_version);
		}
		memcpy(words, version, sizeof(version));
		return sizeof(version);
	case DEVICE_GET_INFO:
		memcpy(words, (uint32_t[]){ 16, 3, 9, 5 }, 16);
		return 16;
	case GET_REGION_INFO: {
		uint32_t index = asked[2], size = index == BAR0 ? BAR_BYTES : index == CONFIG ? sizeof(config) : 0;

		memcpy(words, (uint32_t[]){ 32, size ? 3 : 0, index, 0, size, 0, 0, 0 }, 32);
		return 32;
	}
	case GET_IRQ_INFO:
		memcpy(words, (uint32_t[]){ 16, 1, asked[2], asked[2] >= 3 }, 16);
		return 16;
	case DMA_UNMAP:
		memcpy(words, asked, 24);
		return 24;
	default:
		return 0;
	}
}

static void answer(int fd, const struct header *request)
{
	struct header *reply = (struct header *)out;
	struct iovec piece = { out, sizeof(*reply) + carry_out((const struct access *)request) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	*reply = (struct header){ request->id, request->command, piece.iov_len, 1, 0 };
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		exit(1);
}

static void forget_descriptors(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
		for (size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
			close(fd);
		}
}

static void serve(int fd)
{
	size_t held = 0;

	for (;;) {
		char control[CMSG_SPACE(8 * sizeof(int))];
		struct iovec piece = { in + held, sizeof(in) - held };
		struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
		ssize_t count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		size_t at = 0;

		if (count <= 0)
			return;
		if (message.msg_controllen > 0)
			forget_descriptors(&message);
		held += count;
		while (held - at >= sizeof(struct header)) {
			struct header header;

			memcpy(&header, in + at, sizeof(header));
			if (held - at < header.size)
				break;
			if (!(header.flags & 0x10))
				answer(fd, (struct header *)(in + at));
			at += header.size;
		}
		held -= at;
		memmove(in, in + at, held);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 2)
		return 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 8) != 0) {
		perror("listen");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		serve(fd);
		close(fd);
	}
}
