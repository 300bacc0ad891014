/* What the addon*.c files share. They alone know Node-API: they check arguments and make results. */
#ifndef WT_ADDON_H
#define WT_ADDON_H

#include <node_api.h>

#include "aead.h"
#include "batch.h"
#include "handshake.h"
#include "netlink.h"
#include "tun.h"
#include "udp.h"
#include "watch.h"

#define WT_MAX_KEPT 8u
#define WT_MAX_CAPACITY (1u << 20)

enum wt_kind { WT_KIND_BATCH = 1, WT_KIND_TUN, WT_KIND_UDP, WT_KIND_MONITOR, WT_KIND_AEAD };

/* What JavaScript holds as an opaque value. First member of each kind, so that an argument's kind can be checked. */
struct wt_object {
  uint32_t magic;
  enum wt_kind kind;
  /* Arrays of JavaScript whose memory is used here. */
  napi_ref kept[WT_MAX_KEPT];
  uint32_t kept_count;
};

struct wt_batch_object {
  struct wt_object object;
  struct wt_batch batch;
};

struct wt_aead_object {
  struct wt_object object;
  struct wt_aead aead;
};

/* The addon's own data of one environment (main thread or worker). */
struct wt_environment;

/* A TUN, the UDP sockets or a monitor. */
struct wt_source {
  struct wt_object object;
  struct wt_environment *environment;
  struct wt_source *next;
  struct wt_source *previous;
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

/* Fetches exactly `count` arguments, or throws and returns false. */
bool wt_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);
bool wt_uint32(napi_env env, napi_value value, uint32_t *out);
bool wt_int32(napi_env env, napi_value value, int32_t *out);
/* A Uint8Array of at least `least` bytes. */
bool wt_uint8_array(napi_env env, napi_value value, size_t least, struct wt_bytes *out);
/* A Uint8Array to write into. */
bool wt_output(napi_env env, napi_value value, size_t length, uint8_t **out);
/* A typed array of the given type and at least `least` elements. Returns its memory, or throws and returns NULL. */
void *wt_typed_array(napi_env env, napi_value value, napi_typedarray_type type, size_t least, size_t *length);
/* NUL-terminated and shorter than `size`. */
bool wt_string(napi_env env, napi_value value, char *out, size_t size);
/* Throws and returns NULL if the value is not of that kind. */
void *wt_object_of(napi_env env, napi_value value, enum wt_kind kind);
struct wt_source *wt_source_of(napi_env env, napi_value value);
/* The batch, if rows up to `count` are inside its arena. */
struct wt_batch *wt_checked_batch(napi_env env, napi_value value, uint32_t from, uint32_t count);

/* Keeps the array alive as long as the object. */
bool wt_keep(napi_env env, struct wt_object *object, napi_value array);
void wt_release_kept(napi_env env, struct wt_object *object);
/* Hands the object to JavaScript; `finalize` gets it as data. On failure it is finalized at once. */
napi_value wt_new_external(napi_env env, void *object, napi_finalize finalize);
/* Not open yet: of no concern to the event loop. */
struct wt_source *wt_new_source(napi_env env, enum wt_kind kind);
/* Makes an open source known to the environment and to JavaScript. */
napi_value wt_publish_source(napi_env env, struct wt_source *source);
void wt_finalize_source(napi_env env, void *data, void *hint);

napi_value wt_number(napi_env env, int32_t number);
napi_value wt_undefined(napi_env env);
void wt_throw_range(napi_env env, const char *message);
void wt_throw_type(napi_env env, const char *message);

struct wt_handshake *wt_environment_handshake(napi_env env);

bool wt_export(napi_env env, napi_value exports, const char *name, napi_callback function);
bool wt_export_sources(napi_env env, napi_value exports);
bool wt_export_tun(napi_env env, napi_value exports);
bool wt_export_udp(napi_env env, napi_value exports);
bool wt_export_monitor(napi_env env, napi_value exports);
bool wt_export_requests(napi_env env, napi_value exports);
bool wt_export_crypto(napi_env env, napi_value exports);
bool wt_export_system(napi_env env, napi_value exports);
/* Makes the environment's data and has it torn down with the environment. */
bool wt_create_environment(napi_env env);

#endif
