#include "watch.h"

#include <stdlib.h>
#include <sys/socket.h>

struct wt_watch {
  uv_poll_t poll;
  int fd;
  /* Whether a sender waits for room. */
  bool wants_write;
  /* NULL once stopped: the memory outlives the watcher until the loop releases it. */
  struct wt_watcher *watcher;
  void (*on_freed)(void *context);
  void *freed_context;
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* Polls for the wanted events. Without any, not even errors are reported. */
static int poll_again(struct wt_watch *watch) {
  int events = (watch->watcher->is_paused ? 0 : UV_READABLE) | (watch->wants_write ? UV_WRITABLE : 0);
  return events == 0 ? uv_poll_stop(&watch->poll) : uv_poll_start(&watch->poll, events, on_poll);
}

static void report(struct wt_watch *watch, int events) {
  if (events != 0 && watch->watcher != NULL) watch->watcher->on_events(watch->watcher->context, events);
}

/* libuv has stopped the poll. Reading the error clears it: otherwise it would be reported endlessly. */
static void on_error(struct wt_watch *watch) {
  if (watch->watcher->reports_errors) {
    report(watch, WT_WATCH_ERROR);
    return;
  }
  int error;
  socklen_t length = sizeof error;
  getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  report(watch, WT_WATCH_READABLE);
  if (watch->watcher != NULL) poll_again(watch);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct wt_watch *watch = (struct wt_watch *)poll->data;
  if (watch->watcher == NULL) return;
  if (status < 0) {
    on_error(watch);
    return;
  }
  if (events & UV_WRITABLE) {
    watch->wants_write = false;
    poll_again(watch);
  }
  report(watch, (events & UV_READABLE ? WT_WATCH_READABLE : 0) | (events & UV_WRITABLE ? WT_WATCH_WRITABLE : 0));
}

static void on_closed(uv_handle_t *handle) {
  struct wt_watch *watch = (struct wt_watch *)handle->data;
  if (watch->on_freed != NULL) watch->on_freed(watch->freed_context);
  free(watch);
}

static int add(struct wt_watcher *watcher, unsigned int index, int fd) {
  struct wt_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return UV_ENOMEM;
  int result = uv_poll_init(watcher->loop, &watch->poll, fd);
  if (result < 0) {
    free(watch);
    return result;
  }
  watch->poll.data = watch;
  watch->fd = fd;
  watch->watcher = watcher;
  watch->on_freed = watcher->on_freed;
  watch->freed_context = watcher->freed_context;
  watcher->watches[index] = watch;
  return 0;
}

int wt_watcher_start(struct wt_watcher *watcher, const int *descriptors, unsigned int count) {
  for (unsigned int i = 0; i < count && i < WT_MAX_WATCHED; i++) {
    if (descriptors[i] < 0) continue;
    int result = watcher->watches[i] == NULL ? add(watcher, i, descriptors[i]) : 0;
    if (result == 0) result = poll_again(watcher->watches[i]);
    if (result < 0) return result;
  }
  return 0;
}

void wt_watcher_want_write(struct wt_watcher *watcher, unsigned int index) {
  if (watcher->watches[index] == NULL) return;
  watcher->watches[index]->wants_write = true;
  poll_again(watcher->watches[index]);
}

void wt_watcher_set_reading(struct wt_watcher *watcher, bool is_reading) {
  watcher->is_paused = !is_reading;
  for (unsigned int i = 0; i < WT_MAX_WATCHED; i++)
    if (watcher->watches[i] != NULL) poll_again(watcher->watches[i]);
}

void wt_watcher_set_referenced(struct wt_watcher *watcher, bool is_referenced) {
  for (unsigned int i = 0; i < WT_MAX_WATCHED; i++) {
    if (watcher->watches[i] == NULL) continue;
    uv_handle_t *handle = (uv_handle_t *)&watcher->watches[i]->poll;
    if (is_referenced) uv_ref(handle);
    else uv_unref(handle);
  }
}

unsigned int wt_watcher_stop(struct wt_watcher *watcher) {
  unsigned int stopped = 0;
  for (unsigned int i = 0; i < WT_MAX_WATCHED; i++) {
    struct wt_watch *watch = watcher->watches[i];
    if (watch == NULL) continue;
    watch->watcher = NULL;
    watcher->watches[i] = NULL;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    stopped++;
  }
  return stopped;
}
