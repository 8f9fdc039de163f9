// SPDX-License-Identifier: Apache-2.0
/*
 * The native part of @kata-mock/posix: libc's functions by name, and one call that answers a message and waits for the
 * next. Node-API only, so that one build serves every version of Node. Without it koffi does the same, slower.
 */
#include "addon.h"

void export_function(napi_env env, napi_value exports, const char *name, napi_callback function)
{
	napi_value value;

	napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
	napi_set_named_property(env, exports, name, value);
}

void *array_bytes(napi_env env, napi_value array, size_t *size)
{
	napi_typedarray_type type;
	bool is_array = false;
	void *bytes = NULL;
	size_t length = 0;

	napi_is_typedarray(env, array, &is_array);
	if (is_array)
		napi_get_typedarray_info(env, array, &type, &length, &bytes, NULL, NULL);
	if (!is_array || (type != napi_uint8_array && type != napi_int32_array)) {
		napi_throw_type_error(env, NULL, "expected a Uint8Array or an Int32Array");
		return NULL;
	}
	if (size)
		*size = length * (type == napi_int32_array ? 4 : 1);
	return bytes;
}

NAPI_MODULE_INIT()
{
	export_calls(env, exports);
	export_exchange(env, exports);
	return exports;
}
