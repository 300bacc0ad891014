/* TUN, UDP sockets and monitors: descriptors in the event loop. */
#ifndef WT_ADDON_SOURCE_H
#define WT_ADDON_SOURCE_H

#include <node_api.h>

#include "addon_environment.h"
#include "addon_object.h"
#include "netlink.h"
#include "tun.h"
#include "udp.h"
#include "watch.h"

struct wt_source {
  struct wt_object object;
  struct wt_closable closable;
  struct wt_watcher watcher;
  napi_env env;
  napi_ref callback;
  napi_async_context async;
  bool is_closed;
  union {
    struct wt_tun tun;
    struct wt_udp udp;
    struct wt_monitor monitor;
  };
};

/* Creates a source that is not open and not in the event loop. Throws and returns NULL without memory. */
struct wt_source *wt_new_source(napi_env env, enum wt_kind kind);
/* Registers an open source with the environment and returns it to JavaScript. */
napi_value wt_publish_source(napi_env env, struct wt_source *source);
void wt_finalize_source(napi_env env, void *data, void *hint);

/*
 * Returns the open source of an argument, with all its memory. Else returns NULL: for a closed one `closed` is the
 * result to
 * return, −EBADF; for anything else an error is thrown, and `closed` is NULL.
 */
struct wt_source *wt_open_source(napi_env env, napi_value value, enum wt_kind kind, napi_value *closed);

#endif
