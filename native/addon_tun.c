/* TUN interfaces for JavaScript. */
#include <linux/if.h>

#include "addon.h"
#include "addon_batch.h"
#include "addon_source.h"
#include "addon_value.h"

/* Creates a source and keeps its counters. Returns NULL after throwing. */
static struct wt_source *new_tun(napi_env env, napi_value errors, uint32_t **counters) {
  size_t length;
  *counters = wt_typed_array(env, errors, napi_uint32_array, WT_ERROR_COUNTERS, &length);
  if (*counters == NULL) return NULL;
  struct wt_source *source = wt_new_source(env, WT_KIND_TUN);
  if (source == NULL || wt_keep(env, &source->object, errors)) return source;
  wt_finalize_source(env, source, NULL);
  return NULL;
}

static napi_value refuse(napi_env env, struct wt_source *source, int result) {
  wt_finalize_source(env, source, NULL);
  return wt_number(env, result);
}

static napi_value tun_open(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char name[IFNAMSIZ];
  uint32_t offload;
  uint32_t *counters;
  if (!wt_arguments(env, info, 3, arguments) || !wt_string(env, arguments[0], name, sizeof name)) return NULL;
  if (!wt_uint32(env, arguments[1], &offload)) return NULL;
  struct wt_source *source = new_tun(env, arguments[2], &counters);
  if (source == NULL) return NULL;
  int result = wt_tun_open(&source->tun, name, offload, counters);
  return result < 0 ? refuse(env, source, result) : wt_publish_source(env, source);
}

static napi_value tun_adopt(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int32_t descriptor;
  uint32_t offload;
  uint32_t *counters;
  if (!wt_arguments(env, info, 3, arguments)) return NULL;
  if (!wt_int32(env, arguments[0], &descriptor) || !wt_uint32(env, arguments[1], &offload)) return NULL;
  struct wt_source *source = new_tun(env, arguments[2], &counters);
  if (source == NULL) return NULL;
  int result = wt_tun_adopt(&source->tun, descriptor, offload, counters);
  return result < 0 ? refuse(env, source, result) : wt_publish_source(env, source);
}

#ifdef WT_TEST_HOOKS
static napi_value tun_pair(napi_env env, napi_callback_info info) {
  napi_value arguments[2], pair, tun;
  uint32_t offload;
  uint32_t *counters;
  if (!wt_arguments(env, info, 2, arguments) || !wt_uint32(env, arguments[0], &offload)) return NULL;
  struct wt_source *source = new_tun(env, arguments[1], &counters);
  if (source == NULL) return NULL;
  int descriptor = wt_tun_pair(&source->tun, offload, counters);
  if (descriptor < 0) return refuse(env, source, descriptor);
  tun = wt_publish_source(env, source);
  if (tun == NULL || napi_create_array_with_length(env, 2, &pair) != napi_ok) return NULL;
  napi_set_element(env, pair, 0, tun);
  napi_set_element(env, pair, 1, wt_number(env, descriptor));
  return pair;
}

static bool export_test_hooks(napi_env env, napi_value exports) {
  return wt_export(env, exports, "tunPair", tun_pair);
}
#else
static bool export_test_hooks(napi_env env, napi_value exports) {
  (void)env;
  (void)exports;
  return true;
}
#endif

static napi_value tun_name(napi_env env, napi_callback_info info) {
  napi_value argument, text = NULL;
  char name[IFNAMSIZ];
  napi_value closed;
  if (!wt_arguments(env, info, 1, &argument)) return NULL;
  struct wt_source *source = wt_open_source(env, argument, WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  int result = wt_tun_name(&source->tun, name);
  if (result < 0) return wt_number(env, result);
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text);
  return text;
}

static napi_value tun_set_mtu(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t mtu;
  napi_value closed;
  if (!wt_arguments(env, info, 2, arguments) || !wt_int32(env, arguments[1], &mtu)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  return wt_number(env, wt_tun_set_mtu(&source->tun, mtu));
}

static napi_value tun_namespace(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_value closed;
  if (!wt_arguments(env, info, 1, &argument)) return NULL;
  struct wt_source *source = wt_open_source(env, argument, WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  return wt_number(env, wt_tun_namespace(&source->tun));
}

static napi_value tun_descriptor(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_value closed;
  if (!wt_arguments(env, info, 1, &argument)) return NULL;
  struct wt_source *source = wt_open_source(env, argument, WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  return wt_number(env, source->tun.fd);
}

static napi_value tun_features(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_value closed;
  if (!wt_arguments(env, info, 1, &argument)) return NULL;
  struct wt_source *source = wt_open_source(env, argument, WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  return wt_number(env, (int32_t)(source->tun.features & ~source->tun.refused));
}

static napi_value tun_read(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  napi_value closed;
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  struct wt_batch *batch = wt_checked_batch(env, arguments[1], 0, 0);
  return batch == NULL ? NULL : wt_number(env, wt_tun_read(&source->tun, batch));
}

static napi_value tun_write(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  uint32_t count;
  napi_value closed;
  if (!wt_arguments(env, info, 3, arguments) || !wt_uint32(env, arguments[2], &count)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_TUN, &closed);
  if (source == NULL) return closed;
  struct wt_batch *batch = wt_checked_batch(env, arguments[1], 0, count);
  return batch == NULL ? NULL : wt_number(env, wt_tun_write(&source->tun, batch, count));
}

bool wt_export_tun(napi_env env, napi_value exports) {
  return wt_export(env, exports, "tunOpen", tun_open) && wt_export(env, exports, "tunAdopt", tun_adopt) &&
         wt_export(env, exports, "tunName", tun_name) && wt_export(env, exports, "tunSetMtu", tun_set_mtu) &&
         wt_export(env, exports, "tunNamespace", tun_namespace) &&
         wt_export(env, exports, "tunDescriptor", tun_descriptor) &&
         wt_export(env, exports, "tunFeatures", tun_features) && wt_export(env, exports, "tunRead", tun_read) &&
         wt_export(env, exports, "tunWrite", tun_write) && export_test_hooks(env, exports);
}
