/*
 * streams: TCP servers on four ports of one address, each with a different use of its connections, until SIGTERM.
 *
 *   cc -O2 -o streams streams.c
 *   streams ADDRESS PORT
 *
 *   PORT      swallows what comes
 *   PORT + 1  sends as much as it can
 *   PORT + 2  answers each HTTP request with a small page and closes
 *   PORT + 3  keeps the connection and does nothing
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define USES 4
#define BACKLOG 4096
#define EVENTS 256
#define SINK_BYTES (1 << 20)
#define SOURCE_BYTES (256 << 10)
#define BODY_BYTES 512

enum use { SINK, SOURCE, WEB, IDLE };

static char buffer[SINK_BYTES];
static char page[BODY_BYTES + 128];
static int page_bytes;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int listen_on(const char *address, uint16_t port) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
  int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  if (inet_pton(AF_INET, address, &own.sin_addr) != 1) die(address);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) die("bind");
  if (listen(fd, BACKLOG) < 0) die("listen");
  return fd;
}

/* An event carries the descriptor and what the connection is for; listeners have LISTENER set. */
#define LISTENER 8

static void watch(int epoll, int fd, int use, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)fd << 8 | (uint64_t)use};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void accept_all(int epoll, int listener, enum use use) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
    watch(epoll, fd, use, use == SOURCE ? EPOLLOUT : EPOLLIN);
}

/* Whether the connection goes on. */
static int serve(int fd, enum use use) {
  ssize_t n = use == SOURCE ? send(fd, buffer, SOURCE_BYTES, MSG_NOSIGNAL) : recv(fd, buffer, sizeof buffer, 0);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return 0;
  if (use != WEB) return 1;
  /* A request is one small segment here, and so is the answer. */
  if (memmem(buffer, (size_t)n, "\r\n\r\n", 4) != NULL) send(fd, page, (size_t)page_bytes, MSG_NOSIGNAL);
  return 0;
}

int main(int count, char **words) {
  if (count != 3) {
    fprintf(stderr, "usage: streams ADDRESS PORT\n");
    return 2;
  }
  page_bytes = sprintf(page, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", BODY_BYTES);
  memset(page + page_bytes, '.', BODY_BYTES);
  page_bytes += BODY_BYTES;

  int epoll = epoll_create1(0);
  for (int use = 0; use < USES; use++)
    watch(epoll, listen_on(words[1], (uint16_t)(atoi(words[2]) + use)), use | LISTENER, EPOLLIN);
  puts("listening");
  fflush(stdout);

  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      int fd = (int)(events[i].data.u64 >> 8);
      int use = (int)(events[i].data.u64 & 7);
      if (events[i].data.u64 & LISTENER) accept_all(epoll, fd, (enum use)use);
      else if (!serve(fd, (enum use)use)) close(fd);
    }
  }
}
