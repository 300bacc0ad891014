/* Threads that help their caller with a row of equal tasks. */
#ifndef WT_POOL_H
#define WT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define WT_POOL_MAX_HELPERS 64u

struct wt_pool;

/*
 * Does the tasks [from, to). `worker` is 0 for the caller of wt_pool_run and 1, 2, … for the helpers: each is at work
 * on one range at a time, and all of them at once.
 */
typedef void wt_pool_work(void *context, uint32_t worker, uint32_t from, uint32_t to);

/* Starts the helpers, 1 to WT_POOL_MAX_HELPERS of them. Returns NULL if the system refuses. */
struct wt_pool *wt_pool_create(uint32_t helpers);
/* Has all tasks done, and returns when the last one is. One caller at a time. */
void wt_pool_run(struct wt_pool *pool, wt_pool_work *work, void *context, uint32_t tasks);
/* Ends the helpers. NULL is no pool. */
void wt_pool_destroy(struct wt_pool *pool);

#endif
