// SPDX-License-Identifier: Apache-2.0
/*
 * Any function of libc whose arguments are integers and pointers. On x86-64 and arm64 each of these travels as one word
 * (in a register; on x86-64 the seventh on the stack), so one signature does for all of them, variadic ones too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "addon.h"

enum { MAX_ARGUMENTS = 7 };

typedef long (*any_function)(long, long, long, long, long, long, long);

/* V8 may make system calls of its own before JavaScript asks. */
static __thread int last_errno;

/* One argument as a word; strings are copied to *copy. False with an exception pending. */
static bool to_word(napi_env env, napi_value value, long *word, char **copy)
{
	napi_valuetype type = napi_undefined;
	int64_t number = 0;
	size_t length = 0;
	bool lossless;

	napi_typeof(env, value, &type);
	switch (type) {
	case napi_number:
		napi_get_value_int64(env, value, &number);
		break;
	case napi_bigint:
		napi_get_value_bigint_int64(env, value, &number, &lossless);
		break;
	case napi_string:
		napi_get_value_string_utf8(env, value, NULL, 0, &length);
		*copy = malloc(length + 1);
		if (!*copy) {
			napi_throw_error(env, NULL, "out of memory");
			return false;
		}
		napi_get_value_string_utf8(env, value, *copy, length + 1, &length);
		number = (intptr_t)*copy;
		break;
	case napi_null:
		break;
	default:
		number = (intptr_t)array_bytes(env, value, &length);
		napi_is_exception_pending(env, &lossless);
		if (lossless)
			return false;
	}
	*word = number;
	return true;
}

static void free_all(char **copies)
{
	for (int i = 0; i < MAX_ARGUMENTS; i++)
		free(copies[i]);
}

static napi_value call(napi_env env, napi_callback_info info, bool is_long)
{
	napi_value arguments[MAX_ARGUMENTS], result;
	size_t count = MAX_ARGUMENTS;
	long words[MAX_ARGUMENTS] = { 0 }, answer;
	char *copies[MAX_ARGUMENTS] = { NULL };
	void *function;

	napi_get_cb_info(env, info, &count, arguments, NULL, &function);
	for (size_t i = 0; i < count && i < MAX_ARGUMENTS; i++) {
		if (to_word(env, arguments[i], &words[i], &copies[i]))
			continue;
		free_all(copies);
		return NULL;
	}
	answer = ((any_function)function)(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
	last_errno = errno;
	free_all(copies);
	napi_create_int64(env, is_long ? answer : (int)answer, &result);
	return result;
}

static napi_value call_int(napi_env env, napi_callback_info info)
{
	return call(env, info, false);
}

static napi_value call_long(napi_env env, napi_callback_info info)
{
	return call(env, info, true);
}

/* load(name, isLong): the function, which answers a number; undefined when libc has none of that name. */
static napi_value load(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], function;
	size_t count = 2;
	char name[64] = "";
	bool is_long = false;
	void *found;

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	napi_get_value_string_utf8(env, arguments[0], name, sizeof(name), NULL);
	napi_get_value_bool(env, arguments[1], &is_long);
	found = dlsym(RTLD_DEFAULT, name);
	if (!found)
		return NULL;
	napi_create_function(env, name, NAPI_AUTO_LENGTH, is_long ? call_long : call_int, found, &function);
	return function;
}

/* errno(): of the last call of this thread. */
static napi_value get_errno(napi_env env, napi_callback_info info)
{
	napi_value result;

	(void)info;
	napi_create_int32(env, last_errno, &result);
	return result;
}

/* strerror(errno) */
static napi_value error_text(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	size_t count = 1;
	int number = 0;
	char room[128];

	napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
	napi_get_value_int32(env, argument, &number);
	napi_create_string_utf8(env, strerror_r(number, room, sizeof(room)), NAPI_AUTO_LENGTH, &result);
	return result;
}

/* address(bytes): of the first byte, a number. */
static napi_value address(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	size_t count = 1;
	void *bytes;

	napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
	bytes = array_bytes(env, argument, NULL);
	napi_create_int64(env, (intptr_t)bytes, &result);
	return result;
}

/* view(address, length): an ArrayBuffer of that memory, which stays the caller's. */
static napi_value view(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], result = NULL;
	size_t count = 2;
	int64_t start = 0, length = 0;

	napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
	napi_get_value_int64(env, arguments[0], &start);
	napi_get_value_int64(env, arguments[1], &length);
	if (napi_create_external_arraybuffer(env, (void *)start, length, NULL, NULL, &result) != napi_ok)
		napi_throw_error(env, NULL, "this memory cannot be made an ArrayBuffer");
	return result;
}

/* detach(buffer): every array on this ArrayBuffer is empty from now on; its memory may go. */
static napi_value detach(napi_env env, napi_callback_info info)
{
	napi_value argument;
	size_t count = 1;

	napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
	if (napi_detach_arraybuffer(env, argument) != napi_ok)
		napi_throw_type_error(env, NULL, "expected an ArrayBuffer that can be detached");
	return NULL;
}

void export_calls(napi_env env, napi_value exports)
{
	export_function(env, exports, "load", load);
	export_function(env, exports, "errno", get_errno);
	export_function(env, exports, "strerror", error_text);
	export_function(env, exports, "address", address);
	export_function(env, exports, "view", view);
	export_function(env, exports, "detach", detach);
}
