/* Threads that help their caller with a row of equal tasks. */
#ifndef WT_POOL_H
#define WT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define WT_POOL_MAX_HELPERS 64u

struct wt_pool;

/*
 * Runs the tasks [from, to). `worker` is 0 for the caller of wt_pool_run and 1, 2, … for the helpers. Each worker has one
 * range at a time; all workers run at once.
 */
typedef void wt_pool_work(void *context, uint32_t worker, uint32_t from, uint32_t to);

/* Starts the helpers, 1 to WT_POOL_MAX_HELPERS of them. Returns NULL if the system refuses. */
struct wt_pool *wt_pool_create(uint32_t helpers);
/* Runs all tasks; returns when the last one has finished. One caller at a time. */
void wt_pool_run(struct wt_pool *pool, wt_pool_work *work, void *context, uint32_t tasks);
/* Ends the helpers. NULL is allowed. */
void wt_pool_destroy(struct wt_pool *pool);

#endif
