/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KATA_MOCK_POSIX_ADDON_H
#define KATA_MOCK_POSIX_ADDON_H

#include <stddef.h>

#define NAPI_VERSION 8
#include <node_api.h>

/* Adds this file's functions to what the module exports. */
void export_calls(napi_env env, napi_value exports);
void export_exchange(napi_env env, napi_value exports);

void export_function(napi_env env, napi_value exports, const char *name, napi_callback function);

/* The bytes of a Uint8Array or Int32Array; NULL, with an exception pending, for anything else. */
void *array_bytes(napi_env env, napi_value array, size_t *size);

#endif
