// SPDX-License-Identifier: Apache-2.0
/*
 * The hot path of a message server: one call from JavaScript sends the answer to a message and waits for the next one,
 * in buffers that were made once. What goes in and out beside the bytes are words of a shared Int32Array.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "addon.h"

/* Words shared with message-exchange.ts. */
enum { SEND_LENGTH, RECEIVE_AT, RECEIVE_LENGTH, RESULT, FAILED_SEND, FLAGS, PEEKED, FD_COUNT, FDS };
/* The kernel's limit of descriptors in one message. */
enum { MAX_FDS = 253 };

/*
 * To take a message out of a unix socket wakes its sender: there is room again. A client that waits for an answer is
 * woken for nothing, and where both share a processor that takes as long as all of the rest. So the message of a client
 * that waits for each answer is only looked at, and taken out later together with others.
 */
enum { PEEK_MESSAGES = 16, PEEK_BYTES = 4096 };

/* Lives in memory that the JavaScript object owns, like the buffers. */
struct exchange {
	int fd, max_fds;
	char *in, *out;
	size_t in_size, out_size;
	int32_t *words;
	long idle_ns;
	bool can_peek;
	/* Messages that were looked at since the last ones were taken out; their bytes are words[PEEKED]. */
	int looks;
};

/*
 * A time limit on every receive would cost a kernel timer for every message. One periodic timer for the thread does as
 * well: its signal interrupts a receive, and the second one in the same receive means that the connection is idle.
 */
static __thread struct {
	timer_t timer;
	bool made;
	volatile bool armed, receiving, busy;
	/* Ticks during this receive. */
	volatile int ticks;
} pulse;

static void set_pulse(long ns)
{
	struct itimerspec period = { { 0, ns }, { 0, ns } };

	timer_settime(pulse.timer, 0, &period, NULL);
	pulse.armed = ns != 0;
}

/*
 * Only a receive stops the timer while it waits: stopped here, between the start of a receive and its system call, it
 * would wait for ever.
 */
static void tick(int signal)
{
	int saved = errno;

	(void)signal;
	/* Not ours: someone sent it, perhaps to a thread without a timer. */
	if (!pulse.made)
		return;
	if (pulse.receiving)
		pulse.ticks++;
	else if (pulse.busy)
		pulse.busy = false;
	else
		set_pulse(0);
	errno = saved;
}

static int pulse_signal(void)
{
	/* Neither Node nor V8 uses real-time signals; glibc keeps the first ones for itself. */
	return SIGRTMIN + 6;
}

static void end_pulse(void *unused)
{
	(void)unused;
	timer_delete(pulse.timer);
	pulse.made = false;
}

static bool make_pulse(napi_env env)
{
	struct sigaction action = { .sa_handler = tick }; /* no SA_RESTART: the receive has to end */
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = pulse_signal() };
	sigset_t set;

	if (pulse.made)
		return true;
	event._sigev_un._tid = syscall(SYS_gettid);
	sigemptyset(&set);
	sigaddset(&set, pulse_signal());
	if (sigaction(pulse_signal(), &action, NULL) != 0 || pthread_sigmask(SIG_UNBLOCK, &set, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &pulse.timer) != 0)
		return false;
	pulse.made = true;
	pulse.armed = false;
	napi_add_env_cleanup_hook(env, end_pulse, NULL);
	return true;
}

/* Descriptors of the message; all closed when not all of them arrived, since it is not whole then. */
static void take_descriptors(struct exchange *exchange, struct msghdr *message)
{
	int32_t *words = exchange->words;
	bool whole = !(message->msg_flags & MSG_CTRUNC);
	int count = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		size_t bytes = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
			if (whole && count < exchange->max_fds)
				words[FDS + count++] = fd;
			else
				close(fd);
		}
	}
	words[FD_COUNT] = count;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Waits until the other side has taken something, at most until *deadline. Returns 0 or -errno. */
static int wait_for_room(int fd, int64_t *deadline)
{
	struct pollfd entry = { .fd = fd, .events = POLLOUT };
	int64_t now = now_ms();

	if (*deadline == 0) {
		struct timeval limit = { 0, 0 };
		socklen_t size = sizeof(limit);

		getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
		*deadline = limit.tv_sec || limit.tv_usec ? now + limit.tv_sec * 1000ll + limit.tv_usec / 1000 : INT64_MAX;
	}
	if (now >= *deadline)
		return -EAGAIN;
	if (poll(&entry, 1, *deadline == INT64_MAX ? -1 : (int)(*deadline - now)) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

/* The socket's time limit is for all of it: a blocking send begins it anew whenever a little was taken. */
static int send_all(struct exchange *exchange, size_t length)
{
	int64_t deadline = 0;
	size_t done = 0;
	int error = 0;

	while (done < length && !error) {
		ssize_t count = send(exchange->fd, exchange->out + done, length - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (count > 0)
			done += count;
		else if (count < 0 && errno == EAGAIN)
			error = wait_for_room(exchange->fd, &deadline);
		else if (count < 0 && errno != EINTR)
			error = -errno;
	}
	return error;
}

/* Takes out what was looked at, descriptors too: they were received then. Returns 0 or -errno. */
static int take_peeked(struct exchange *exchange)
{
	char bytes[PEEK_BYTES];
	int32_t *left = &exchange->words[PEEKED];

	while (*left > 0) {
		ssize_t count = recv(exchange->fd, bytes, *left < PEEK_BYTES ? *left : PEEK_BYTES, MSG_DONTWAIT);

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count == 0)
			return -EBADMSG;
		if (count > 0)
			*left -= count;
	}
	exchange->looks = 0;
	return 0;
}

static int receive(struct exchange *exchange, size_t at, size_t length, bool peek)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec piece = { exchange->in + at, peek && length > PEEK_BYTES ? PEEK_BYTES : length };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes };
	ssize_t count;

	for (;;) {
		message.msg_controllen = exchange->max_fds ? CMSG_SPACE(exchange->max_fds * sizeof(int)) : 0;
		count = recvmsg(exchange->fd, &message, MSG_CMSG_CLOEXEC | (peek ? MSG_PEEK : 0));
		if (count >= 0)
			break;
		if (errno != EINTR)
			return -errno;
		if (exchange->idle_ns && pulse.ticks >= 2) {
			set_pulse(0);
			return -EAGAIN;
		}
	}
	exchange->words[FLAGS] = message.msg_flags;
	if (message.msg_controllen > 0)
		take_descriptors(exchange, &message);
	if (peek) {
		exchange->words[PEEKED] += count;
		/* The socket holds descriptors too until then. */
		exchange->looks = exchange->words[FD_COUNT] > 0 || (message.msg_flags & MSG_CTRUNC) ? PEEK_MESSAGES : exchange->looks + 1;
	}
	return count;
}

/*
 * exchange(): sends the first SEND_LENGTH bytes, if any, then receives. RESULT is the number of bytes or -errno. With
 * nothing to send and no room to receive it takes out what was only looked at.
 */
static napi_value run(napi_env env, napi_callback_info info)
{
	struct exchange *exchange;
	int32_t *words;
	uint32_t at, length, to_send;
	bool peek;

	napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&exchange);
	words = exchange->words;
	to_send = words[SEND_LENGTH];
	at = words[RECEIVE_AT];
	length = words[RECEIVE_LENGTH];
	words[FD_COUNT] = 0;
	words[FAILED_SEND] = 0;
	words[SEND_LENGTH] = 0;
	if (to_send > exchange->out_size || at > exchange->in_size || length > exchange->in_size - at) {
		words[RESULT] = -EINVAL;
		return NULL;
	}
	words[RESULT] = to_send > 0 ? send_all(exchange, to_send) : 0;
	if (words[RESULT] < 0) {
		words[FAILED_SEND] = 1;
		return NULL;
	}
	peek = to_send > 0 && exchange->can_peek;
	if (!peek || exchange->looks >= PEEK_MESSAGES)
		words[RESULT] = take_peeked(exchange);
	if (words[RESULT] < 0 || length == 0)
		return NULL;
	pulse.ticks = 0;
	pulse.receiving = true;
	if (exchange->idle_ns && !pulse.armed)
		set_pulse(exchange->idle_ns);
	words[RESULT] = receive(exchange, at, length, peek);
	pulse.receiving = false;
	pulse.busy = true;
	return NULL;
}

/*
 * Before Linux 6.18 and the stable releases of its time, a look that had to wait began at the first message again, as if
 * none had been looked at (7bf3a476ce43). A wait that comes to nothing shows it: one message, looked at twice.
 */
static bool peeks_go_on(const int *pair)
{
	const struct timeval moment = { 0, 1 };
	const int start = 0;
	char byte;

	return setsockopt(pair[0], SOL_SOCKET, SO_PEEK_OFF, &start, sizeof(start)) == 0 &&
	       setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment)) == 0 &&
	       send(pair[1], "x", 1, MSG_NOSIGNAL) == 1 && recv(pair[0], &byte, 1, MSG_PEEK) == 1 &&
	       recv(pair[0], &byte, 1, MSG_PEEK) == -1 && errno == EAGAIN;
}

static bool peeks_tested_to_go_on;

static void test_peeks(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return;
	peeks_tested_to_go_on = peeks_go_on(pair);
	close(pair[0]);
	close(pair[1]);
}

static bool peeking_works(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, test_peeks);
	return peeks_tested_to_go_on;
}

/*
 * makeExchange(memory, fd, receive, send, words, maxFds, idleMs): what run() is called by, undefined where this thread
 * can have no timer. The caller keeps all of them.
 */
static napi_value make(napi_env env, napi_callback_info info)
{
	const int start = 0;
	napi_value arguments[7], function;
	size_t count = 7, room = 0, words = 0;
	struct exchange *exchange;
	bool failed = false;
	int idle_ms = 0;

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	exchange = array_bytes(env, arguments[0], &room);
	if (!exchange || room < sizeof(*exchange)) {
		napi_throw_type_error(env, NULL, "too little memory for an exchange");
		return NULL;
	}
	napi_get_value_int32(env, arguments[1], &exchange->fd);
	exchange->in = array_bytes(env, arguments[2], &exchange->in_size);
	exchange->out = array_bytes(env, arguments[3], &exchange->out_size);
	exchange->words = array_bytes(env, arguments[4], &words);
	napi_get_value_int32(env, arguments[5], &exchange->max_fds);
	napi_get_value_int32(env, arguments[6], &idle_ms);
	exchange->idle_ns = idle_ms * 1000000l;
	napi_is_exception_pending(env, &failed);
	if (failed)
		return NULL;
	if (exchange->max_fds < 0 || exchange->max_fds > MAX_FDS || words < (FDS + exchange->max_fds) * 4u || idle_ms < 0 ||
	    idle_ms > 999) {
		napi_throw_range_error(env, NULL, "an exchange with impossible limits");
		return NULL;
	}
	/* Without a timer (RLIMIT_SIGPENDING) a receive would wait for ever: undefined. */
	if (idle_ms > 0 && !make_pulse(env))
		return NULL;
	exchange->words[PEEKED] = exchange->looks = 0;
	/* Each look goes on where the one before ended; only unix sockets can. */
	exchange->can_peek = peeking_works() && setsockopt(exchange->fd, SOL_SOCKET, SO_PEEK_OFF, &start, sizeof(start)) == 0;
	napi_create_function(env, "exchange", NAPI_AUTO_LENGTH, run, exchange, &function);
	return function;
}

void export_exchange(napi_env env, napi_value exports)
{
	export_function(env, exports, "makeExchange", make);
}
