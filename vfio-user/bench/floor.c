// SPDX-License-Identifier: Apache-2.0
/*
 * The floor: floor SOCKET. A server that does nothing but one recvmsg (with room for descriptors, as every server needs)
 * and one sendmsg per message. Reads give zeros, writes are forgotten.
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

static char in[1 << 16], out[4096];

static void answer(int fd, const struct header *request)
{
	struct header *reply = (struct header *)out;
	struct iovec piece = { out, sizeof(*reply) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (request->command == 1) {
		static const char version[] = "\0\0\1\0{\"capabilities\":{\"write_multiple\":true}}";

		memcpy(out + sizeof(*reply), version, sizeof(version));
		piece.iov_len += sizeof(version);
	} else {
		uint32_t count = 4;

		memcpy(out + sizeof(*reply), request + 1, 16);
		memset(out + sizeof(*reply) + 16, 0, count);
		piece.iov_len += 16 + count;
	}
	*reply = (struct header){ request->id, request->command, piece.iov_len, 1, 0 };
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		exit(1);
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
