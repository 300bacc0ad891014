/* Batches, arguments and results. */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC 0x77697265u

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
  static uint8_t nothing;
  return data == NULL ? &nothing : data;
}

bool wt_uint8_array(napi_env env, napi_value value, size_t least, struct wt_bytes *out) {
  out->bytes = wt_typed_array(env, value, napi_uint8_array, least, &out->length);
  return out->bytes != NULL;
}

bool wt_output(napi_env env, napi_value value, size_t length, uint8_t **out) {
  size_t actual;
  *out = wt_typed_array(env, value, napi_uint8_array, length, &actual);
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

void *wt_object_of(napi_env env, napi_value value, enum wt_kind kind) {
  napi_valuetype type;
  void *data = NULL;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
      napi_get_value_external(env, value, &data) == napi_ok) {
    const struct wt_object *object = data;
    if (object != NULL && object->magic == MAGIC && object->kind == kind) return data;
  }
  wt_throw_type(env, "expected a handle of another kind");
  return NULL;
}

struct wt_source *wt_source_of(napi_env env, napi_value value) {
  napi_valuetype type;
  void *data = NULL;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
      napi_get_value_external(env, value, &data) == napi_ok) {
    const struct wt_object *object = data;
    if (object != NULL && object->magic == MAGIC && object->kind >= WT_KIND_TUN && object->kind <= WT_KIND_MONITOR)
      return data;
  }
  wt_throw_type(env, "expected a TUN, a socket or a monitor");
  return NULL;
}

struct wt_batch *wt_checked_batch(napi_env env, napi_value value, uint32_t from, uint32_t count) {
  struct wt_batch_object *object = wt_object_of(env, value, WT_KIND_BATCH);
  if (object == NULL) return NULL;
  struct wt_batch *batch = &object->batch;
  if (count > batch->capacity || from > count) {
    wt_throw_range(env, "more rows than the batch has");
    return NULL;
  }
  if (wt_first_outside(batch, from, count) < count) {
    wt_throw_range(env, "a row lies outside of the arena");
    return NULL;
  }
  return batch;
}

bool wt_keep(napi_env env, struct wt_object *object, napi_value array) {
  if (object->kept_count == WT_MAX_KEPT) return false;
  if (napi_create_reference(env, array, 1, &object->kept[object->kept_count]) != napi_ok) return false;
  object->kept_count++;
  return true;
}

void wt_release_kept(napi_env env, struct wt_object *object) {
  while (object->kept_count > 0) napi_delete_reference(env, object->kept[--object->kept_count]);
}

napi_value wt_new_external(napi_env env, void *object, napi_finalize finalize) {
  napi_value value = NULL;
  ((struct wt_object *)object)->magic = MAGIC;
  if (napi_create_external(env, object, finalize, NULL, &value) == napi_ok) return value;
  finalize(env, object, NULL);
  return NULL;
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

static void finalize_batch(napi_env env, void *data, void *hint) {
  (void)hint;
  struct wt_batch_object *object = data;
  wt_release_kept(env, &object->object);
  free(object->batch.next);
  free(object);
}

/* Fetches one column and keeps it. Returns NULL after throwing. */
static void *column(napi_env env, struct wt_batch_object *object, napi_value columns, const char *name,
                    napi_typedarray_type type, size_t least, size_t *length) {
  napi_value array;
  if (napi_get_named_property(env, columns, name, &array) != napi_ok) {
    wt_throw_type(env, "expected the columns of a batch");
    return NULL;
  }
  void *data = wt_typed_array(env, array, type, least, length);
  if (data == NULL || !wt_keep(env, &object->object, array)) return NULL;
  return data;
}

static bool fetch_columns(napi_env env, struct wt_batch_object *object, napi_value columns) {
  struct wt_batch *batch = &object->batch;
  size_t rows, length;
  if ((batch->bytes = column(env, object, columns, "bytes", napi_uint8_array, 0, &batch->arena_bytes)) == NULL)
    return false;
  if ((batch->offset = column(env, object, columns, "offset", napi_uint32_array, 0, &rows)) == NULL) return false;
  if (rows > WT_MAX_CAPACITY || batch->arena_bytes > UINT32_MAX) {
    wt_throw_range(env, "batch too large");
    return false;
  }
  batch->capacity = (uint32_t)rows;
  return (batch->length = column(env, object, columns, "length", napi_uint32_array, rows, &length)) != NULL &&
         (batch->verdict = column(env, object, columns, "verdict", napi_uint8_array, rows, &length)) != NULL &&
         (batch->key_slot = column(env, object, columns, "keySlot", napi_int32_array, rows, &length)) != NULL &&
         (batch->traffic_class = column(env, object, columns, "trafficClass", napi_uint8_array, rows, &length)) !=
             NULL &&
         (batch->endpoint = column(env, object, columns, "endpoint", napi_int32_array, rows, &length)) != NULL &&
         (batch->endpoint_bytes = column(env, object, columns, "endpointBytes", napi_uint8_array,
                                         rows * WT_ENDPOINT_BYTES, &length)) != NULL;
}

static napi_value register_batch(napi_env env, napi_callback_info info) {
  napi_value columns;
  if (!wt_arguments(env, info, 1, &columns)) return NULL;
  struct wt_batch_object *object = calloc(1, sizeof *object);
  if (object == NULL) return NULL;
  object->object.kind = WT_KIND_BATCH;
  if (fetch_columns(env, object, columns)) {
    object->batch.next = calloc(object->batch.capacity, sizeof *object->batch.next);
    if (object->batch.next != NULL) return wt_new_external(env, object, finalize_batch);
    wt_throw_range(env, "out of memory");
  }
  finalize_batch(env, object, NULL);
  return NULL;
}

bool wt_export(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value) == napi_ok &&
         napi_set_named_property(env, exports, name, value) == napi_ok;
}

NAPI_MODULE_INIT() {
  bool is_done = wt_create_environment(env) && wt_export(env, exports, "registerBatch", register_batch) &&
                 wt_export_sources(env, exports) && wt_export_tun(env, exports) && wt_export_udp(env, exports) &&
                 wt_export_monitor(env, exports) && wt_export_requests(env, exports) &&
                 wt_export_crypto(env, exports) && wt_export_system(env, exports);
  if (!is_done) napi_throw_error(env, NULL, "the addon could not be set up");
  return exports;
}
