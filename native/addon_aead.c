/* The AEAD stage for JavaScript. */
#include <stdlib.h>

#include "addon.h"
#include "addon_batch.h"
#include "addon_object.h"
#include "addon_value.h"
#include "aead.h"

struct wt_aead_object {
  struct wt_object object;
  struct wt_aead aead;
};

static void finalize_aead(napi_env env, void *data, void *hint) {
  (void)hint;
  struct wt_aead_object *object = data;
  wt_forget_object(env, &object->object);
  wt_aead_destroy(&object->aead);
  free(object);
}

static napi_value aead_create(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  uint32_t helpers;
  if (!wt_arguments(env, info, 1, arguments) || !wt_uint32(env, arguments[0], &helpers)) return NULL;
  if (helpers > WT_POOL_MAX_HELPERS) {
    wt_throw_range(env, "too many helpers");
    return NULL;
  }
  struct wt_aead_object *object = calloc(1, sizeof *object);
  if (object == NULL || !wt_aead_create(&object->aead, helpers)) {
    free(object);
    napi_throw_error(env, NULL, "OpenSSL has no ChaCha20 or Poly1305, or the system no thread to spare");
    return NULL;
  }
  object->object.kind = WT_KIND_AEAD;
  return wt_new_external(env, &object->object, finalize_aead);
}

static struct wt_aead *aead_of(napi_env env, napi_value value) {
  struct wt_aead_object *object = wt_object_of(env, value, WT_KIND_AEAD);
  return object == NULL ? NULL : &object->aead;
}

static napi_value aead_install(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct wt_bytes send, receive;
  if (!wt_arguments(env, info, 3, arguments)) return NULL;
  struct wt_aead *aead = aead_of(env, arguments[0]);
  if (aead == NULL || !wt_uint8_array(env, arguments[1], WT_KEY_BYTES, &send)) return NULL;
  if (!wt_uint8_array(env, arguments[2], WT_KEY_BYTES, &receive)) return NULL;
  int32_t slot = wt_aead_install(aead, send.bytes, receive.bytes);
  if (slot < 0) wt_throw_range(env, "out of memory");
  return wt_number(env, slot);
}

static napi_value aead_wipe(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t slot;
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  struct wt_aead *aead = aead_of(env, arguments[0]);
  if (aead == NULL || !wt_int32(env, arguments[1], &slot)) return NULL;
  if (!wt_aead_wipe(aead, slot)) wt_throw_range(env, "no keys in that slot");
  return wt_undefined(env);
}

typedef enum wt_aead_fault aead_stage(struct wt_aead *aead, struct wt_batch *batch, uint32_t count);

static napi_value run_stage(napi_env env, napi_callback_info info, aead_stage *stage) {
  napi_value arguments[3];
  uint32_t count;
  if (!wt_arguments(env, info, 3, arguments) || !wt_uint32(env, arguments[2], &count)) return NULL;
  struct wt_aead *aead = aead_of(env, arguments[0]);
  if (aead == NULL) return NULL;
  struct wt_batch *batch = wt_checked_batch(env, arguments[1], 0, count);
  if (batch == NULL) return NULL;
  switch (stage(aead, batch, count)) {
    case WT_AEAD_ROW_OUTSIDE:
      wt_throw_range(env, "a row has no header or no room for its tag");
      break;
    case WT_AEAD_NO_KEY:
      wt_throw_range(env, "no keys in the slot of a row");
      break;
    case WT_AEAD_CIPHER:
      napi_throw_error(env, NULL, "OpenSSL refused to encrypt");
      break;
    default:
      break;
  }
  return wt_undefined(env);
}

static napi_value aead_seal(napi_env env, napi_callback_info info) {
  return run_stage(env, info, wt_aead_seal);
}

static napi_value aead_open(napi_env env, napi_callback_info info) {
  return run_stage(env, info, wt_aead_open);
}

bool wt_export_aead(napi_env env, napi_value exports) {
  return wt_export(env, exports, "aeadCreate", aead_create) && wt_export(env, exports, "aeadInstall", aead_install) &&
         wt_export(env, exports, "aeadWipe", aead_wipe) && wt_export(env, exports, "aeadSeal", aead_seal) &&
         wt_export(env, exports, "aeadOpen", aead_open);
}
