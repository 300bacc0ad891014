/* Descriptors in the event loop. */
#ifndef WT_WATCH_H
#define WT_WATCH_H

#include <stdbool.h>
#include <uv.h>

#define WT_WATCH_READABLE 1
#define WT_WATCH_WRITABLE 2
#define WT_WATCH_ERROR 4

#define WT_MAX_WATCHED 2u

struct wt_watch;

/* The polls of one source: up to two descriptors, one listener. */
struct wt_watcher {
  uv_loop_t *loop;
  struct wt_watch *watches[WT_MAX_WATCHED];
  /* An error of a descriptor is reported as such; otherwise it is cleared and the descriptor read. */
  bool reports_errors;
  bool is_paused;
  void (*on_events)(void *context, int events);
  void *context;
  /* Called once for each watch whose memory is free again after `wt_watcher_stop`. */
  void (*on_freed)(void *context);
  void *freed_context;
};

/* Starts, or starts again after an error. A descriptor of −1 is left out. Returns 0 or a negative error of libuv. */
int wt_watcher_start(struct wt_watcher *watcher, const int *descriptors, unsigned int count);
/* Requests one event when descriptor `index` can be written to. */
void wt_watcher_want_write(struct wt_watcher *watcher, unsigned int index);
/* Switches reading. Without reading the only events are requested writes. */
void wt_watcher_set_reading(struct wt_watcher *watcher, bool is_reading);
void wt_watcher_set_referenced(struct wt_watcher *watcher, bool is_referenced);
/* Stops all events. Returns how many times `on_freed` will be called. */
unsigned int wt_watcher_stop(struct wt_watcher *watcher);

#endif
