/* UDP sockets for JavaScript. */
#include "addon.h"
#include "addon_batch.h"
#include "addon_source.h"
#include "addon_value.h"

static bool keep_arrays(napi_env env, struct wt_source *source, napi_value errors, napi_value refused) {
  return wt_keep(env, &source->object, errors) && wt_keep(env, &source->object, refused);
}

static napi_value udp_open(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  uint32_t port, flags;
  size_t length;
  uint8_t *refused;
  if (!wt_arguments(env, info, 4, arguments)) return NULL;
  if (!wt_uint32(env, arguments[0], &port) || !wt_uint32(env, arguments[1], &flags)) return NULL;
  if (port > UINT16_MAX) {
    wt_throw_range(env, "a port is at most 65535");
    return NULL;
  }
  uint32_t *errors = wt_typed_array(env, arguments[2], napi_uint32_array, 2 * WT_ERROR_COUNTERS, &length);
  if (errors == NULL || !wt_output(env, arguments[3], WT_ENDPOINT_BYTES, &refused)) return NULL;
  struct wt_source *source = wt_new_source(env, WT_KIND_UDP);
  if (source == NULL) return NULL;

  if (!keep_arrays(env, source, arguments[2], arguments[3])) {
    wt_finalize_source(env, source, NULL);
    return NULL;
  }
  int result = wt_udp_open(&source->udp, (uint16_t)port, flags, errors, refused);
  if (result == 0) return wt_publish_source(env, source);
  wt_finalize_source(env, source, NULL);
  return wt_number(env, result);
}

static napi_value udp_port(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_value closed;
  if (!wt_arguments(env, info, 1, &argument)) return NULL;
  struct wt_source *source = wt_open_source(env, argument, WT_KIND_UDP, &closed);
  if (source == NULL) return closed;
  return wt_number(env, source->udp.port);
}

static napi_value udp_set_mark(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t mark;
  napi_value closed;
  if (!wt_arguments(env, info, 2, arguments) || !wt_uint32(env, arguments[1], &mark)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_UDP, &closed);
  if (source == NULL) return closed;
  return wt_number(env, wt_udp_set_mark(&source->udp, mark));
}

static napi_value udp_receive(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  napi_value closed;
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_UDP, &closed);
  if (source == NULL) return closed;
  struct wt_batch *batch = wt_checked_batch(env, arguments[1], 0, 0);
  return batch == NULL ? NULL : wt_number(env, wt_udp_receive(&source->udp, batch));
}

static bool has_outside_endpoint(const struct wt_batch *batch, uint32_t from, uint32_t count) {
  for (uint32_t row = from; row < count; row++)
    if (batch->verdict[row] == WT_VERDICT_PASS && (uint32_t)batch->endpoint[row] >= batch->capacity) return true;
  return false;
}

static napi_value udp_send(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  uint32_t from, count;
  napi_value closed;
  if (!wt_arguments(env, info, 4, arguments)) return NULL;
  if (!wt_uint32(env, arguments[2], &from) || !wt_uint32(env, arguments[3], &count)) return NULL;
  struct wt_source *source = wt_open_source(env, arguments[0], WT_KIND_UDP, &closed);
  if (source == NULL) return closed;
  struct wt_batch *batch = wt_checked_batch(env, arguments[1], from, count);
  if (batch == NULL) return NULL;
  if (has_outside_endpoint(batch, from, count)) {
    wt_throw_range(env, "a row names an endpoint record that there is not");
    return NULL;
  }
  uint32_t next = wt_udp_send(&source->udp, batch, from, count);
  if (source->udp.blocked_family >= 0)
    wt_watcher_want_write(&source->watcher, (unsigned int)source->udp.blocked_family);
  return wt_number(env, (int32_t)next);
}

bool wt_export_udp(napi_env env, napi_value exports) {
  return wt_export(env, exports, "udpOpen", udp_open) && wt_export(env, exports, "udpPort", udp_port) &&
         wt_export(env, exports, "udpSetMark", udp_set_mark) && wt_export(env, exports, "udpReceive", udp_receive) &&
         wt_export(env, exports, "udpSend", udp_send);
}
