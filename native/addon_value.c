#include "addon_value.h"

void wt_throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, NULL, message);
}

void wt_throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
}

bool wt_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) == napi_ok && given >= count) return true;
  wt_throw_type(env, "too few arguments");
  return false;
}

bool wt_uint32(napi_env env, napi_value value, uint32_t *out) {
  if (napi_get_value_uint32(env, value, out) == napi_ok) return true;
  wt_throw_type(env, "expected a number");
  return false;
}

bool wt_int32(napi_env env, napi_value value, int32_t *out) {
  if (napi_get_value_int32(env, value, out) == napi_ok) return true;
  wt_throw_type(env, "expected a number");
  return false;
}

void *wt_typed_array(napi_env env, napi_value value, napi_typedarray_type type, size_t least, size_t *length) {
  static uint8_t empty[8]; /* The memory of an array without elements, which is never read. */
  bool is_typed_array = false;
  napi_typedarray_type actual;
  void *data = NULL;
  *length = 0;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env, value, &actual, length, &data, NULL, NULL) != napi_ok || actual != type) {
    wt_throw_type(env, "expected a typed array of another type");
    return NULL;
  }
  if (*length < least) {
    wt_throw_range(env, "typed array too short");
    return NULL;
  }
  return data == NULL ? empty : data;
}

bool wt_uint8_array(napi_env env, napi_value value, size_t least, struct wt_bytes *out) {
  out->bytes = wt_typed_array(env, value, napi_uint8_array, least, &out->length);
  return out->bytes != NULL;
}

bool wt_output(napi_env env, napi_value value, size_t least, uint8_t **out) {
  size_t length;
  *out = wt_typed_array(env, value, napi_uint8_array, least, &length);
  return *out != NULL;
}

bool wt_string(napi_env env, napi_value value, char *out, size_t size) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length >= size) {
    wt_throw_type(env, "expected a shorter string");
    return false;
  }
  return napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok;
}

napi_value wt_number(napi_env env, int32_t number) {
  napi_value value = NULL;
  napi_create_int32(env, number, &value);
  return value;
}

napi_value wt_undefined(napi_env env) {
  napi_value value = NULL;
  napi_get_undefined(env, &value);
  return value;
}

bool wt_export(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value) == napi_ok &&
         napi_set_named_property(env, exports, name, value) == napi_ok;
}
