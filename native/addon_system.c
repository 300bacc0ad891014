/* Facts and locks of the process for JavaScript. */
#include <netinet/in.h>

#include "addon.h"
#include "addon_value.h"
#include "system.h"

static napi_value boot_time_ms(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  napi_create_int64(env, wt_boot_time_ms(), &result);
  return result;
}

static napi_value netns_cookie(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  uint64_t cookie = 0;
  (void)info;
  int error = wt_netns_cookie(&cookie);
  if (error < 0) return wt_number(env, error);
  napi_create_bigint_uint64(env, cookie, &result);
  return result;
}

static napi_value ping_open(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t family;
  if (!wt_arguments(env, info, 1, &argument) || !wt_int32(env, argument, &family)) return NULL;
  if (family == 4 || family == 6) return wt_number(env, wt_ping_open(family));
  wt_throw_range(env, "the family must be 4 or 6");
  return NULL;
}

static napi_value marked_open(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int32_t family, protocol;
  uint32_t mark;
  if (!wt_arguments(env, info, 3, arguments) || !wt_int32(env, arguments[0], &family) ||
      !wt_int32(env, arguments[1], &protocol) || !wt_uint32(env, arguments[2], &mark))
    return NULL;
  bool is_known = (family == 4 || family == 6) && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP);
  if (is_known) return wt_number(env, wt_marked_open(family, protocol, mark));
  wt_throw_range(env, "the family must be 4 or 6, and the protocol 6 or 17");
  return NULL;
}

static napi_value harden_process(napi_env env, napi_callback_info info) {
  (void)info;
  return wt_number(env, wt_harden_process());
}

static napi_value deny_system_calls(napi_env env, napi_callback_info info) {
  (void)info;
  return wt_number(env, wt_deny_system_calls());
}

bool wt_export_system(napi_env env, napi_value exports) {
  return wt_export(env, exports, "bootTimeMs", boot_time_ms) && wt_export(env, exports, "netnsCookie", netns_cookie) &&
         wt_export(env, exports, "pingOpen", ping_open) && wt_export(env, exports, "markedOpen", marked_open) &&
         wt_export(env, exports, "hardenProcess", harden_process) &&
         wt_export(env, exports, "denySystemCalls", deny_system_calls);
}
