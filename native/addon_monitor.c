/* Netlink monitors for JavaScript. */
#include <errno.h>
#include <linux/if.h>

#include "addon.h"

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

/* NULL after throwing, or if it is closed, which `is_closed` says. */
static struct wt_monitor *open_monitor(napi_env env, napi_value value, bool *is_closed) {
  struct wt_source *source = wt_object_of(env, value, WT_KIND_MONITOR);
  *is_closed = source != NULL && source->is_closed;
  return source == NULL || *is_closed ? NULL : &source->monitor;
}

static napi_value monitor_read(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t link_index;
  bool is_closed;
  if (!wt_arguments(env, info, 2, arguments) || !wt_int32(env, arguments[1], &link_index)) return NULL;
  const struct wt_monitor *monitor = open_monitor(env, arguments[0], &is_closed);
  if (monitor == NULL) return is_closed ? wt_number(env, -EBADF) : NULL;
  return wt_number(env, wt_monitor_read(monitor, link_index));
}

static napi_value monitor_link(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char name[IFNAMSIZ];
  size_t length;
  bool is_closed;
  struct wt_link link;
  if (!wt_arguments(env, info, 3, arguments) || !wt_string(env, arguments[1], name, sizeof name)) return NULL;
  int32_t *out = wt_typed_array(env, arguments[2], napi_int32_array, 3, &length);
  if (out == NULL) return NULL;
  struct wt_monitor *monitor = open_monitor(env, arguments[0], &is_closed);
  if (monitor == NULL) return is_closed ? wt_number(env, -EBADF) : NULL;
  int result = wt_monitor_link(monitor, name, &link);
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
  bool is_closed;
  if (!wt_arguments(env, info, 3, arguments) || !wt_uint8_array(env, arguments[1], WT_ENDPOINT_BYTES, &record))
    return NULL;
  if (!wt_uint32(env, arguments[2], &mark)) return NULL;
  struct wt_monitor *monitor = open_monitor(env, arguments[0], &is_closed);
  if (monitor == NULL) return is_closed ? wt_number(env, -EBADF) : NULL;
  return wt_number(env, wt_monitor_route(monitor, record.bytes, mark));
}

bool wt_export_monitor(napi_env env, napi_value exports) {
  return wt_export(env, exports, "monitorOpen", monitor_open) && wt_export(env, exports, "monitorRead", monitor_read) &&
         wt_export(env, exports, "monitorLink", monitor_link) && wt_export(env, exports, "monitorRoute", monitor_route);
}
