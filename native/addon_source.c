/* What TUN, sockets and monitors have in common: the event loop, closing, and the end of the environment. */
#include "addon.h"

#include <stdlib.h>

struct wt_environment {
  napi_env env;
  struct wt_handshake handshake;
  struct wt_source *first;
  napi_async_cleanup_hook_handle hook;
  /* Watches that the loop has not let go of yet. */
  unsigned int closing;
  bool is_ending;
};

static void end_if_done(struct wt_environment *environment) {
  if (!environment->is_ending || environment->closing > 0 || environment->hook == NULL) return;
  napi_async_cleanup_hook_handle hook = environment->hook;
  environment->hook = NULL;
  napi_remove_async_cleanup_hook(hook);
}

static void on_freed(void *context) {
  struct wt_environment *environment = context;
  environment->closing--;
  end_if_done(environment);
}

static void unlink_source(struct wt_source *source) {
  if (source->previous != NULL) source->previous->next = source->next;
  else if (source->environment != NULL) source->environment->first = source->next;
  if (source->next != NULL) source->next->previous = source->previous;
  source->next = source->previous = NULL;
  source->environment = NULL;
}

static void close_descriptors(struct wt_source *source) {
  if (source->object.kind == WT_KIND_TUN) wt_tun_close(&source->tun);
  else if (source->object.kind == WT_KIND_UDP) wt_udp_close(&source->udp);
  else wt_monitor_close(&source->monitor);
}

static void close_source(struct wt_source *source) {
  if (source->is_closed) return;
  source->is_closed = true;
  if (source->environment != NULL) source->environment->closing += wt_watcher_stop(&source->watcher);
  if (source->callback != NULL) napi_delete_reference(source->env, source->callback);
  if (source->async != NULL) napi_async_destroy(source->env, source->async);
  source->callback = NULL;
  source->async = NULL;
  close_descriptors(source);
  unlink_source(source);
}

/* The environment ends: no handle may be left in its loop. The hook is done when the loop has let go of them. */
static void end_environment(napi_async_cleanup_hook_handle hook, void *data) {
  struct wt_environment *environment = data;
  environment->hook = hook;
  environment->is_ending = true;
  while (environment->first != NULL) close_source(environment->first);
  end_if_done(environment);
}

static void finalize_environment(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct wt_environment *environment = data;
  wt_handshake_destroy(&environment->handshake);
  free(environment);
}

bool wt_create_environment(napi_env env) {
  struct wt_environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL) return false;
  environment->env = env;
  if (napi_set_instance_data(env, environment, finalize_environment, NULL) != napi_ok) {
    free(environment);
    return false;
  }
  return wt_handshake_create(&environment->handshake) &&
         napi_add_async_cleanup_hook(env, end_environment, environment, &environment->hook) == napi_ok;
}

static struct wt_environment *environment_of(napi_env env) {
  void *data = NULL;
  napi_get_instance_data(env, &data);
  return data;
}

struct wt_handshake *wt_environment_handshake(napi_env env) {
  return &environment_of(env)->handshake;
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
  wt_release_kept(env, &source->object);
  free(source);
}

/* Calls JavaScript. What it throws ends the process, as from any callback. */
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

  source->watcher.tells_errors = source->object.kind == WT_KIND_TUN;
  source->watcher.on_events = on_events;
  source->watcher.context = source;
  source->watcher.on_freed = on_freed;
  source->watcher.freed_context = source->environment;
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
  struct wt_source *source = wt_source_of(env, arguments[0]);
  if (source == NULL || source->is_closed || !set_callback(env, source, arguments[1])) return NULL;
  if (start_watching(env, source) < 0) napi_throw_error(env, NULL, "the event loop refused the descriptor");
  return wt_undefined(env);
}

static napi_value apply_switch(napi_env env, napi_callback_info info, void (*apply)(struct wt_watcher *, bool)) {
  napi_value arguments[2];
  bool is_on;
  if (!wt_arguments(env, info, 2, arguments)) return NULL;
  struct wt_source *source = wt_source_of(env, arguments[0]);
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
  struct wt_source *source = wt_source_of(env, argument);
  if (source != NULL) close_source(source);
  return wt_undefined(env);
}

napi_value wt_publish_source(napi_env env, struct wt_source *source) {
  struct wt_environment *environment = environment_of(env);
  source->is_closed = false;
  source->environment = environment;
  source->next = environment->first;
  if (source->next != NULL) source->next->previous = source;
  environment->first = source;
  return wt_new_external(env, source, wt_finalize_source);
}

bool wt_export_sources(napi_env env, napi_value exports) {
  return wt_export(env, exports, "watch", watch) && wt_export(env, exports, "setReading", set_reading) &&
         wt_export(env, exports, "setReferenced", set_referenced) && wt_export(env, exports, "close", close_handle);
}
