#include "system.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000

/* Reads a clock. This cannot fail: the clocks exist since Linux 2.6.39. */
static int64_t read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * MS_PER_SECOND + time.tv_nsec / NS_PER_MS;
}

int64_t wt_boot_time_ms(void) {
  return read_clock(CLOCK_BOOTTIME);
}

int64_t wt_coarse_time_ms(void) {
  return read_clock(CLOCK_MONOTONIC_COARSE);
}

int wt_netns_cookie(uint64_t *cookie) {
  socklen_t length = sizeof *cookie;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int result = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &length) < 0 ? -errno : 0;
  close(fd);
  return result;
}

int wt_ping_open(int family) {
  bool is_ipv4 = family == 4;
  int fd = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  is_ipv4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
  return fd < 0 ? -errno : fd;
}

int wt_marked_open(int family, int protocol, uint32_t mark) {
  int type = protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
  int fd = socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return -errno;
  if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0) return fd;
  int result = -errno;
  close(fd);
  return result;
}

int wt_harden_process(void) {
  const struct rlimit no_core = {0, 0};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return -errno;
  return setrlimit(RLIMIT_CORE, &no_core) < 0 ? -errno : 0;
}
