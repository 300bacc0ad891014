/* Arguments and results of Node-API: checked on the way in, made on the way out. */
#ifndef WT_ADDON_VALUE_H
#define WT_ADDON_VALUE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handshake.h"

/* Each of these functions throws where it returns false or NULL. */

/* Fetches exactly `count` arguments. */
bool wt_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);
bool wt_uint32(napi_env env, napi_value value, uint32_t *out);
bool wt_int32(napi_env env, napi_value value, int32_t *out);
/* A Uint8Array of at least `least` bytes. */
bool wt_uint8_array(napi_env env, napi_value value, size_t least, struct wt_bytes *out);
/* A Uint8Array of at least `least` bytes to write into. */
bool wt_output(napi_env env, napi_value value, size_t least, uint8_t **out);
/* The memory of a typed array of the given type with at least `least` elements. */
void *wt_typed_array(napi_env env, napi_value value, napi_typedarray_type type, size_t least, size_t *length);
/* NUL-terminated and shorter than `size`. */
bool wt_string(napi_env env, napi_value value, char *out, size_t size);

napi_value wt_number(napi_env env, int32_t number);
napi_value wt_undefined(napi_env env);
void wt_throw_range(napi_env env, const char *message);
void wt_throw_type(napi_env env, const char *message);

bool wt_export(napi_env env, napi_value exports, const char *name, napi_callback function);

#endif
