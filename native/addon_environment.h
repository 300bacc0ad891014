/*
 * The addon's data of one environment of Node (the main thread or a worker), and the end of it.
 *
 * Objects that hold something open join the list of the environment. At its end each of them is closed, and the
 * environment waits until the event loop has let go of all that was closed.
 */
#ifndef WT_ADDON_ENVIRONMENT_H
#define WT_ADDON_ENVIRONMENT_H

#include <node_api.h>
#include <stdbool.h>

#include "handshake.h"

#define WT_BUCKETS 64u

/* A member of the list of open objects. */
struct wt_closable {
  struct wt_closable *next;
  struct wt_closable *previous;
  /* Called at the end of the environment. It must leave the list. */
  void (*close)(struct wt_closable *closable);
};

struct wt_object;

struct wt_environment {
  struct wt_handshake handshake;
  struct wt_closable *first;
  /* Every object that JavaScript may hold, by a hash of its address. */
  struct wt_object *buckets[WT_BUCKETS];
  /* Objects that still refer to this. The memory is freed with the last of them. */
  unsigned int objects;
  /* Handles that the event loop has not let go of yet. */
  unsigned int closing;
  bool is_ending;
  bool is_finalized;
  napi_async_cleanup_hook_handle hook;
};

/* Makes the data of the environment, and has it torn down with the environment. */
bool wt_create_environment(napi_env env);
struct wt_environment *wt_environment_of(napi_env env);
void wt_environment_add(struct wt_environment *environment, struct wt_closable *closable);
void wt_environment_remove(struct wt_environment *environment, struct wt_closable *closable);
/* The event loop has let go of one handle that was counted in `closing`. */
void wt_environment_closed(void *environment);
void wt_environment_retain(struct wt_environment *environment);
void wt_environment_release(struct wt_environment *environment);

#endif
