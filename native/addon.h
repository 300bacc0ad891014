/*
 * The groups of functions that the addon has for JavaScript.
 *
 * The files of the addon form layers, and each includes and calls only layers below it:
 *
 *   addon.c                                          the module
 *   addon_batch, _tun, _udp, _monitor, _aead, ...    one group of functions each
 *   addon_source                                     descriptors in the event loop
 *   addon_object                                     handles
 *   addon_environment, addon_value                   one environment of Node; arguments and results
 *   tun, udp, netlink, aead, handshake, system ...   independent of Node
 */
#ifndef WT_ADDON_H
#define WT_ADDON_H

#include <node_api.h>
#include <stdbool.h>

/* Each adds its functions to `exports`. Returns false if Node refuses. */
bool wt_export_batches(napi_env env, napi_value exports);
bool wt_export_segments(napi_env env, napi_value exports);
bool wt_export_sources(napi_env env, napi_value exports);
bool wt_export_tun(napi_env env, napi_value exports);
bool wt_export_udp(napi_env env, napi_value exports);
bool wt_export_datagrams(napi_env env, napi_value exports);
bool wt_export_monitor(napi_env env, napi_value exports);
bool wt_export_requests(napi_env env, napi_value exports);
bool wt_export_aead(napi_env env, napi_value exports);
bool wt_export_crypto(napi_env env, napi_value exports);
bool wt_export_system(napi_env env, napi_value exports);

#endif
