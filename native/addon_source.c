#include "addon_source.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "addon.h"
#include "addon_value.h"

static struct wt_source *source_of(napi_env env, napi_value value) {
  struct wt_object *object = wt_find_object(env, value);
  if (object != NULL && object->kind >= WT_KIND_TUN && object->kind <= WT_KIND_MONITOR)
    return (struct wt_source *)object;
  wt_throw_type(env, "expected a TUN, a socket or a monitor");
  return NULL;
}

struct wt_source *wt_open_source(napi_env env, napi_value value, enum wt_kind kind, napi_value *closed) {
  struct wt_source *source = wt_object_of(env, value, kind);
  *closed = NULL;
  if (source == NULL || (!source->is_closed && wt_has_memory(env, &source->object))) return source;
  if (source->is_closed) *closed = wt_number(env, -EBADF);
  return NULL;
}

static void close_descriptors(struct wt_source *source) {
  if (source->object.kind == WT_KIND_TUN) wt_tun_close(&source->tun);
  else if (source->object.kind == WT_KIND_UDP) wt_udp_close(&source->udp);
  else wt_monitor_close(&source->monitor);
}

static void close_source(struct wt_source *source) {
  if (source->is_closed) return;
  struct wt_environment *environment = source->object.environment;
  source->is_closed = true;
  environment->closing += wt_watcher_stop(&source->watcher);
  if (source->callback != NULL) napi_delete_reference(source->env, source->callback);
  if (source->async != NULL) napi_async_destroy(source->env, source->async);
  source->callback = NULL;
  source->async = NULL;
  close_descriptors(source);
  wt_environment_remove(environment, &source->closable);
}

static void close_closable(struct wt_closable *closable) {
  close_source((struct wt_source *)((char *)closable - offsetof(struct wt_source, closable)));
}

struct wt_source *wt_new_source(napi_env env, enum wt_kind kind) {
  struct wt_source *source = calloc(1, sizeof *source);
  if (source == NULL) {
    wt_throw_range(env, "out of memory");
    return NULL;
  }
  source->object.kind = kind;
  source->env = env;
  source->is_closed = true;
  return source;
}

void wt_finalize_source(napi_env env, void *data, void *hint) {
  (void)hint;
  struct wt_source *source = data;
  close_source(source);
  wt_forget_object(env, &source->object);
  free(source);
}

/* Calls JavaScript. An exception ends the process, as in any callback. */
static void on_events(void *context, int events) {
  struct wt_source *source = context;
  napi_env env = source->env;
  napi_handle_scope scope;
  napi_value receiver, callback, argument, result;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_global(env, &receiver) == napi_ok &&
      napi_get_reference_value(env, source->callback, &callback) == napi_ok &&
      napi_create_int32(env, events, &argument) == napi_ok &&
      napi_make_callback(env, source->async, receiver, callback, 1, &argument, &result) == napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

static int start_watching(napi_env env, struct wt_source *source) {
  int descriptors[WT_MAX_WATCHED] = {-1, -1};
  if (source->object.kind == WT_KIND_TUN) descriptors[0] = source->tun.fd;
  else if (source->object.kind == WT_KIND_MONITOR) descriptors[0] = source->monitor.events_fd;
  else
    for (unsigned int i = 0; i < WT_MAX_WATCHED; i++) descriptors[i] = source->udp.fd[i];

  source->watcher.reports_errors = source->object.kind == WT_KIND_TUN;
  source->watcher.on_events = on_events;
  source->watcher.context = source;
  source->watcher.on_freed = wt_environment_closed;
  source->watcher.freed_context = source->object.environment;
  if (napi_get_uv_event_loop(env, &source->watcher.loop) != napi_ok) return UV_EINVAL;
  return wt_watcher_start(&source->watcher, descriptors, WT_MAX_WATCHED);
}

static bool set_callback(napi_env env, struct wt_source *source, napi_value callback) {
  napi_valuetype type;
  napi_value name;
  if (napi_typeof(env, callback, &type) != napi_ok || type != napi_function) {
    wt_throw_type(env, "expected a function");
    return false;
  }
  if (source->async == NULL && (napi_create_string_utf8(env, "wiretype", NAPI_AUTO_LENGTH, &name) != napi_ok ||
                                napi_async_init(env, NULL, name, &source->async) != napi_ok))
    return false;
  if (source->callback != NULL) napi_delete_reference(env, source->callback);
  source->callback = NULL;
  return napi_create_reference(env, callback, 1, &source->callback) == napi_ok;
}

static napi_value watch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  struct wt_source *source = source_of(env, arguments[0]);
  if (source == NULL || source->is_closed || !set_callback(env, source, arguments[1])) return NULL;
  if (start_watching(env, source) < 0) napi_throw_error(env, NULL, "the event loop refused the descriptor");
  return wt_undefined(env);
}

static napi_value apply_switch(napi_env env, napi_callback_info info, void (*apply)(struct wt_watcher *, bool)) {
  napi_value arguments[2];
  bool is_on;
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  struct wt_source *source = source_of(env, arguments[0]);
  if (source == NULL) return NULL;
  if (napi_get_value_bool(env, arguments[1], &is_on) != napi_ok) wt_throw_type(env, "expected a boolean");
  else apply(&source->watcher, is_on);
  return wt_undefined(env);
}

static napi_value set_reading(napi_env env, napi_callback_info info) {
  return apply_switch(env, info, wt_watcher_set_reading);
}

static napi_value set_referenced(napi_env env, napi_callback_info info) {
  return apply_switch(env, info, wt_watcher_set_referenced);
}

static napi_value close_handle(napi_env env, napi_callback_info info) {
  napi_value argument;
  if (!wt_arguments(env, info, 1, &argument)) return NULL;
  struct wt_source *source = source_of(env, argument);
  if (source != NULL) close_source(source);
  return wt_undefined(env);
}

napi_value wt_publish_source(napi_env env, struct wt_source *source) {
  source->is_closed = false;
  source->closable.close = close_closable;
  wt_environment_add(wt_environment_of(env), &source->closable);
  return wt_new_external(env, &source->object, wt_finalize_source);
}

bool wt_export_sources(napi_env env, napi_value exports) {
  return wt_export(env, exports, "watch", watch) && wt_export(env, exports, "setReading", set_reading) &&
         wt_export(env, exports, "setReferenced", set_referenced) && wt_export(env, exports, "close", close_handle);
}
