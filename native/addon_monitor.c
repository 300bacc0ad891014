/* Netlink monitors for JavaScript. */
#include <linux/if.h>

#include "addon.h"
#include "addon_source.h"
#include "addon_value.h"

static napi_value monitor_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t what;
  int32_t descriptor;
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  if (!wt_uint32(env, arguments[0], &what) || !wt_int32(env, arguments[1], &descriptor)) return NULL;
  struct wt_source *source = wt_new_source(env, WT_KIND_MONITOR);
  if (source == NULL) return NULL;
  int result = wt_monitor_open(&source->monitor, what, descriptor);
  if (result == 0) return wt_publish_source(env, source);
  wt_finalize_source(env, source, NULL);
  return wt_number(env, result);
}

static napi_value monitor_read(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t link_index;
  napi_value closed;
  if (!wt_arguments(env, info, 2, arguments) || !wt_int32(env, arguments[1], &link_index)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_MONITOR, &closed);
  if (source == NULL) return closed;
  return wt_number(env, wt_monitor_read(&source->monitor, link_index));
}

static napi_value monitor_link(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char name[IFNAMSIZ];
  size_t length;
  napi_value closed;
  struct wt_link link;
  if (!wt_arguments(env, info, 3, arguments) || !wt_string(env, arguments[1], name, sizeof name)) return NULL;
  int32_t *out = wt_typed_array(env, arguments[2], napi_int32_array, 3, &length);
  if (out == NULL) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_MONITOR, &closed);
  if (source == NULL) return closed;
  int result = wt_monitor_link(&source->monitor, name, &link);
  if (result < 0) return wt_number(env, result);
  out[0] = link.index;
  out[1] = link.mtu;
  out[2] = link.flags;
  return wt_number(env, 0);
}

static napi_value monitor_route(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct wt_bytes record;
  uint32_t mark;
  napi_value closed;
  if (!wt_arguments(env, info, 3, arguments) || !wt_uint8_array(env, arguments[1], WT_ENDPOINT_BYTES, &record))
    return NULL;
  if (!wt_uint32(env, arguments[2], &mark)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_MONITOR, &closed);
  if (source == NULL) return closed;
  return wt_number(env, wt_route_interface(&source->monitor.requests, record.bytes, mark));
}

bool wt_export_monitor(napi_env env, napi_value exports) {
  return wt_export(env, exports, "monitorOpen", monitor_open) && wt_export(env, exports, "monitorRead", monitor_read) &&
         wt_export(env, exports, "monitorLink", monitor_link) && wt_export(env, exports, "monitorRoute", monitor_route);
}
