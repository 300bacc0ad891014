/*
 * A descriptor with an error, while a sender waits for room: the poll is started again for both, so that the sender
 * learns of the room. Exits with 0 if that holds.
 *
 * scripts/sanitize.mjs compiles it together with native/watch.c; the polls of libuv are replaced here.
 */
#include <stdio.h>
#include <string.h>

#include "watch.h"

static uv_poll_cb polled;
static uv_poll_t *poll_handle;
static int polled_events;

int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd) {
  (void)loop;
  (void)fd;
  poll_handle = handle;
  return 0;
}

int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb callback) {
  (void)handle;
  polled_events = events;
  polled = callback;
  return 0;
}

int uv_poll_stop(uv_poll_t *handle) {
  (void)handle;
  polled_events = 0;
  return 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb callback) {
  callback(handle);
}

void uv_ref(uv_handle_t *handle) {
  (void)handle;
}

void uv_unref(uv_handle_t *handle) {
  (void)handle;
}

static int reported;

static void on_events(void *context, int events) {
  (void)context;
  reported |= events;
}

/* libuv stops a poll before it reports an error of the descriptor. */
static void meet_error(void) {
  polled_events = 0;
  polled(poll_handle, UV_EBADF, 0);
}

static bool is_resumed(bool is_paused) {
  struct wt_watcher watcher = {.on_events = on_events};
  int no_socket = 1 << 20;
  if (wt_watcher_start(&watcher, &no_socket, 1) != 0) return false;
  wt_watcher_set_reading(&watcher, !is_paused);
  wt_watcher_want_write(&watcher, 0);
  meet_error();
  bool waits = polled_events == (UV_WRITABLE | (is_paused ? 0 : UV_READABLE));

  reported = 0;
  polled(poll_handle, 0, UV_WRITABLE);
  bool is_told = reported == WT_WATCH_WRITABLE && polled_events == (is_paused ? 0 : UV_READABLE);
  wt_watcher_stop(&watcher);
  return waits && is_told;
}

int main(void) {
  bool is_right = is_resumed(false) && is_resumed(true);
  printf("a sender that waits beside an error: %s\n", is_right ? "right" : "WRONG");
  return is_right ? 0 : 1;
}
