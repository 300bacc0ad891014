/* The module: all groups of functions together. */
#include "addon.h"

#include "addon_environment.h"

typedef bool export_group(napi_env env, napi_value exports);

NAPI_MODULE_INIT() {
  static export_group *const groups[] = {
      wt_export_batches, wt_export_sources,  wt_export_tun,  wt_export_udp,    wt_export_segments,
      wt_export_monitor, wt_export_requests, wt_export_aead, wt_export_crypto, wt_export_system,
      wt_export_datagrams,
  };
  bool is_done = wt_create_environment(env);
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) is_done = is_done && groups[i](env, exports);
  if (!is_done) napi_throw_error(env, NULL, "the addon could not be set up");
  return exports;
}
