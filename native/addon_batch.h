/* Batches that JavaScript has registered. */
#ifndef WT_ADDON_BATCH_H
#define WT_ADDON_BATCH_H

#include <node_api.h>

#include "batch.h"

/* Returns the batch if its rows [from, count) are inside its arena; else throws and returns NULL. */
struct wt_batch *wt_checked_batch(napi_env env, napi_value value, uint32_t from, uint32_t count);

#endif
