/*
 * Objects of C that JavaScript holds as opaque values.
 *
 * An external may come from another addon, so its address is first looked up among our own addresses: no foreign address
 * is ever read through.
 */
#ifndef WT_ADDON_OBJECT_H
#define WT_ADDON_OBJECT_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

struct wt_environment;

/* Columns of a batch: each may be in a buffer of its own. */
#define WT_MAX_KEPT 8u

enum wt_kind { WT_KIND_BATCH = 1, WT_KIND_TUN, WT_KIND_UDP, WT_KIND_MONITOR, WT_KIND_AEAD };

/* The first member of each kind of object. */
struct wt_object {
  enum wt_kind kind;
  struct wt_environment *environment;
  struct wt_object *next_in_bucket;
  /* Buffers of JavaScript whose memory is used. */
  napi_ref kept[WT_MAX_KEPT];
  uint32_t kept_count;
};

/* Returns the object. Throws and returns NULL if the value is no object of that kind. */
void *wt_object_of(napi_env env, napi_value value, enum wt_kind kind);
/* Returns the object of any kind, or NULL. */
struct wt_object *wt_find_object(napi_env env, napi_value value);

/*
 * Keeps the buffer of a typed array, once, for as long as the object lives. Throws and returns false for a buffer whose
 * memory may be freed or written by other threads: a detached, resizable or shared one.
 */
bool wt_keep(napi_env env, struct wt_object *object, napi_value array);
/* Throws and returns false if a buffer that was kept has been detached since. */
bool wt_has_memory(napi_env env, const struct wt_object *object);

/* Hands the object to JavaScript; `finalize` gets it as data. On failure it is finalized at once. */
napi_value wt_new_external(napi_env env, struct wt_object *object, napi_finalize finalize);
/* Must be called last, before the memory of an object is freed, whether or not JavaScript ever held the object. */
void wt_forget_object(napi_env env, struct wt_object *object);

#endif
