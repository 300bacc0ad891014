#include "addon_environment.h"

#include <stdlib.h>

static void end_if_done(struct wt_environment *environment) {
  if (!environment->is_ending || environment->closing > 0 || environment->hook == NULL) return;
  napi_async_cleanup_hook_handle hook = environment->hook;
  environment->hook = NULL;
  napi_remove_async_cleanup_hook(hook);
}

void wt_environment_closed(void *context) {
  struct wt_environment *environment = context;
  environment->closing--;
  end_if_done(environment);
}

/* No handle may be left in the event loop. The hook is done when the loop has released them. */
static void end_environment(napi_async_cleanup_hook_handle hook, void *data) {
  struct wt_environment *environment = data;
  environment->hook = hook;
  environment->is_ending = true;
  while (environment->first != NULL) environment->first->close(environment->first);
  end_if_done(environment);
}

static void free_if_unused(struct wt_environment *environment) {
  if (environment->is_finalized && environment->objects == 0) free(environment);
}

static void finalize_environment(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct wt_environment *environment = data;
  wt_handshake_destroy(&environment->handshake);
  environment->is_finalized = true;
  free_if_unused(environment);
}

bool wt_create_environment(napi_env env) {
  struct wt_environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL) return false;
  if (napi_set_instance_data(env, environment, finalize_environment, NULL) != napi_ok) {
    free(environment);
    return false;
  }
  return wt_handshake_create(&environment->handshake) &&
         napi_add_async_cleanup_hook(env, end_environment, environment, &environment->hook) == napi_ok;
}

struct wt_environment *wt_environment_of(napi_env env) {
  void *data = NULL;
  napi_get_instance_data(env, &data);
  return data;
}

void wt_environment_add(struct wt_environment *environment, struct wt_closable *closable) {
  closable->previous = NULL;
  closable->next = environment->first;
  if (closable->next != NULL) closable->next->previous = closable;
  environment->first = closable;
}

void wt_environment_remove(struct wt_environment *environment, struct wt_closable *closable) {
  if (closable->previous != NULL) closable->previous->next = closable->next;
  else environment->first = closable->next;
  if (closable->next != NULL) closable->next->previous = closable->previous;
  closable->next = closable->previous = NULL;
}

void wt_environment_retain(struct wt_environment *environment) {
  environment->objects++;
}

void wt_environment_release(struct wt_environment *environment) {
  environment->objects--;
  free_if_unused(environment);
}
