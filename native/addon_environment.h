/*
 * The addon's data of one environment of Node (the main thread or a worker), and its teardown.
 *
 * Objects with open handles join the list of the environment. At its end each of them is closed, and the
 * environment waits until the event loop has released all closed handles.
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
  /* Objects that refer to this data. The memory is freed with the last object. */
  unsigned int objects;
  /* Handles that the event loop has not released. */
  unsigned int closing;
  bool is_ending;
  bool is_finalized;
  napi_async_cleanup_hook_handle hook;
};

/* Creates the data of the environment, and registers its teardown. */
bool wt_create_environment(napi_env env);
struct wt_environment *wt_environment_of(napi_env env);
void wt_environment_add(struct wt_environment *environment, struct wt_closable *closable);
void wt_environment_remove(struct wt_environment *environment, struct wt_closable *closable);
/* Must be called when the event loop has released a handle that was counted in `closing`. */
void wt_environment_closed(void *environment);
void wt_environment_retain(struct wt_environment *environment);
void wt_environment_release(struct wt_environment *environment);

#endif
