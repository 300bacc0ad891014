#include "request.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's own address. A socket that is connected to it receives only from the kernel. */
static const struct sockaddr_nl KERNEL = {.nl_family = AF_NETLINK};

/* Enables error texts in answers. An older kernel lacks some of the options, and its answers have fewer texts. */
static void ask_for_words(int fd) {
  int on = 1;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  /* Errors must not repeat the request, which may contain keys. */
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
}

int wt_request_open(int protocol) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -errno;
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0 ||
      connect(fd, (const struct sockaddr *)&KERNEL, sizeof KERNEL) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  ask_for_words(fd);
  return fd;
}

int wt_request_send(int fd, const uint8_t *bytes, size_t length) {
  for (;;) {
    ssize_t sent = send(fd, bytes, length, 0);
    if (sent >= 0) return 0;
    if (errno != EINTR) return -errno;
  }
}

int wt_request_receive(int fd, uint8_t *buffer, size_t size, int timeout_ms) {
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  int ready = poll(&readable, 1, timeout_ms);
  if (ready < 0) return -errno;
  if (ready == 0) return -ETIMEDOUT;
  ssize_t length = recv(fd, buffer, size, MSG_TRUNC | MSG_DONTWAIT);
  if (length < 0) return -errno;
  return (size_t)length > size ? -EMSGSIZE : (int)length;
}
