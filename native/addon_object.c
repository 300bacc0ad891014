#include "addon_object.h"

#include "addon_environment.h"
#include "addon_value.h"

/* Allocations are aligned to 16 bytes: the lower bits are always 0. */
static struct wt_object **bucket_of(struct wt_environment *environment, const void *address) {
  uintptr_t bits = (uintptr_t)address >> 4;
  return &environment->buckets[(bits ^ bits >> 6 ^ bits >> 12) % WT_BUCKETS];
}

struct wt_object *wt_find_object(napi_env env, napi_value value) {
  napi_valuetype type;
  void *data = NULL;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return NULL;
  if (napi_get_value_external(env, value, &data) != napi_ok) return NULL;
  struct wt_object *object = *bucket_of(wt_environment_of(env), data);
  while (object != NULL && object != data) object = object->next_in_bucket;
  return object;
}

void *wt_object_of(napi_env env, napi_value value, enum wt_kind kind) {
  struct wt_object *object = wt_find_object(env, value);
  if (object != NULL && object->kind == kind) return object;
  wt_throw_type(env, "expected a handle of another kind");
  return NULL;
}

static bool is_fixed(napi_env env, napi_value buffer) {
  bool is_array_buffer = false, is_detached = true, is_resizable = false;
  napi_value resizable;
  if (napi_is_arraybuffer(env, buffer, &is_array_buffer) != napi_ok || !is_array_buffer) return false;
  if (napi_is_detached_arraybuffer(env, buffer, &is_detached) != napi_ok || is_detached) return false;
  return napi_get_named_property(env, buffer, "resizable", &resizable) == napi_ok &&
         (napi_get_value_bool(env, resizable, &is_resizable) != napi_ok || !is_resizable);
}

static bool is_kept(napi_env env, const struct wt_object *object, napi_value buffer) {
  for (uint32_t i = 0; i < object->kept_count; i++) {
    napi_value kept;
    bool is_same = false;
    if (napi_get_reference_value(env, object->kept[i], &kept) != napi_ok) return false;
    if (napi_strict_equals(env, kept, buffer, &is_same) == napi_ok && is_same) return true;
  }
  return false;
}

bool wt_keep(napi_env env, struct wt_object *object, napi_value array) {
  napi_value buffer;
  if (napi_get_typedarray_info(env, array, NULL, NULL, NULL, &buffer, NULL) != napi_ok) return false;
  if (!is_fixed(env, buffer)) {
    wt_throw_range(env, "the memory of an array must be neither detached nor resizable nor shared");
    return false;
  }
  if (is_kept(env, object, buffer)) return true;
  if (object->kept_count == WT_MAX_KEPT) return false;
  if (napi_create_reference(env, buffer, 1, &object->kept[object->kept_count]) != napi_ok) return false;
  object->kept_count++;
  return true;
}

bool wt_has_memory(napi_env env, const struct wt_object *object) {
  for (uint32_t i = 0; i < object->kept_count; i++) {
    napi_value buffer;
    bool is_detached = true;
    if (napi_get_reference_value(env, object->kept[i], &buffer) == napi_ok &&
        napi_is_detached_arraybuffer(env, buffer, &is_detached) == napi_ok && !is_detached)
      continue;
    wt_throw_range(env, "the memory of an array was transferred");
    return false;
  }
  return true;
}

napi_value wt_new_external(napi_env env, struct wt_object *object, napi_finalize finalize) {
  struct wt_environment *environment = wt_environment_of(env);
  struct wt_object **bucket = bucket_of(environment, object);
  napi_value value = NULL;
  object->environment = environment;
  object->next_in_bucket = *bucket;
  *bucket = object;
  wt_environment_retain(environment);
  if (napi_create_external(env, object, finalize, NULL, &value) == napi_ok) return value;
  finalize(env, object, NULL);
  return NULL;
}

void wt_forget_object(napi_env env, struct wt_object *object) {
  while (object->kept_count > 0) napi_delete_reference(env, object->kept[--object->kept_count]);
  if (object->environment == NULL) return;
  struct wt_object **place = bucket_of(object->environment, object);
  while (*place != object) place = &(*place)->next_in_bucket;
  *place = object->next_in_bucket;
  wt_environment_release(object->environment);
  object->environment = NULL;
}
