#include "addon_batch.h"

#include <stdlib.h>

#include "addon.h"
#include "addon_object.h"
#include "addon_value.h"

#define MAX_CAPACITY (1u << 20)

struct wt_batch_object {
  struct wt_object object;
  struct wt_batch batch;
};

struct wt_batch *wt_checked_batch(napi_env env, napi_value value, uint32_t from, uint32_t count) {
  struct wt_batch_object *object = wt_object_of(env, value, WT_KIND_BATCH);
  if (object == NULL || !wt_has_memory(env, &object->object)) return NULL;
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

static void finalize_batch(napi_env env, void *data, void *hint) {
  (void)hint;
  struct wt_batch_object *object = data;
  wt_forget_object(env, &object->object);
  free(object->batch.next);
  free(object);
}

/* Fetches one column and keeps its buffer. Throws and returns NULL if the column is invalid. */
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
  if (rows > MAX_CAPACITY || batch->arena_bytes > UINT32_MAX) {
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
    if (object->batch.next != NULL) return wt_new_external(env, &object->object, finalize_batch);
    wt_throw_range(env, "out of memory");
  }
  finalize_batch(env, object, NULL);
  return NULL;
}

bool wt_export_batches(napi_env env, napi_value exports) {
  return wt_export(env, exports, "registerBatch", register_batch);
}
