/* Netlink requests for JavaScript, which holds the plain descriptor and closes it. */
#include "addon.h"
#include "addon_value.h"
#include "request.h"

static napi_value netlink_open(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t protocol;
  if (!wt_arguments(env, info, 1, &argument) || !wt_int32(env, argument, &protocol)) return NULL;
  return wt_number(env, wt_request_open(protocol));
}

static napi_value netlink_send(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t descriptor;
  struct wt_bytes message;
  if (!wt_arguments(env, info, 2, arguments) || !wt_int32(env, arguments[0], &descriptor) ||
      !wt_uint8_array(env, arguments[1], 0, &message))
    return NULL;
  return wt_number(env, wt_request_send(descriptor, message.bytes, message.length));
}

static napi_value netlink_receive(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int32_t descriptor, timeout_ms;
  size_t size;
  if (!wt_arguments(env, info, 3, arguments) || !wt_int32(env, arguments[0], &descriptor) ||
      !wt_int32(env, arguments[2], &timeout_ms))
    return NULL;
  uint8_t *out = wt_typed_array(env, arguments[1], napi_uint8_array, 1, &size);
  if (out == NULL) return NULL;
  return wt_number(env, wt_request_receive(descriptor, out, size, timeout_ms));
}

bool wt_export_requests(napi_env env, napi_value exports) {
  return wt_export(env, exports, "netlinkOpen", netlink_open) && wt_export(env, exports, "netlinkSend", netlink_send) &&
         wt_export(env, exports, "netlinkReceive", netlink_receive);
}
