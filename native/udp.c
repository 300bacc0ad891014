#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BUFFER_BYTES (7 << 20)
#define PORT_TRIES 100

static int set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* Without CAP_NET_ADMIN the system's limits (net.core.rmem_max, wmem_max) hold. */
static void enlarge_buffers(int fd) {
  if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) < 0) set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) < 0) set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
}

/* Allows fragmentation, as the kernel's WireGuard does: no DF, no path MTU discovery. */
static int configure(int fd, bool is_ipv6) {
  int result = 0;
  if (is_ipv6) {
    if (result == 0) result = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (result == 0) result = set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    if (result == 0) result = set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    if (result == 0) result = set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  } else {
    if (result == 0) result = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (result == 0) result = set(fd, IPPROTO_IP, IP_RECVTOS, 1);
    if (result == 0) result = set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  }
  return result;
}

void wt_udp_set_fragmenting(struct wt_udp *udp, uint32_t family, bool is_fragmenting) {
  if (udp->sender.is_fragmenting[family] == is_fragmenting) return;
  bool is_ipv6 = family == 1;
  int result = is_ipv6 ? set(udp->fd[1], IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                             is_fragmenting ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_INTERFACE)
                       : set(udp->fd[0], IPPROTO_IP, IP_MTU_DISCOVER,
                             is_fragmenting ? IP_PMTUDISC_DONT : IP_PMTUDISC_INTERFACE);
  if (result == 0) udp->sender.is_fragmenting[family] = is_fragmenting;
}

static int bind_port(int fd, bool is_ipv6, uint16_t *port) {
  union wt_address address = {0};
  socklen_t length = is_ipv6 ? sizeof address.v6 : sizeof address.v4;
  address.any.sa_family = is_ipv6 ? AF_INET6 : AF_INET;
  if (is_ipv6) address.v6.sin6_port = htons(*port);
  else address.v4.sin_port = htons(*port);
  if (bind(fd, &address.any, length) < 0 || getsockname(fd, &address.any, &length) < 0) return -errno;
  *port = ntohs(is_ipv6 ? address.v6.sin6_port : address.v4.sin_port);
  return 0;
}

static int open_family(struct wt_udp *udp, bool is_ipv6, uint32_t flags, uint16_t *port) {
  int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return -errno;
  int result = configure(fd, is_ipv6);
  if (result == 0) result = bind_port(fd, is_ipv6, port);
  if (result < 0) {
    close(fd);
    return result;
  }
  enlarge_buffers(fd);
  if (flags & WT_UDP_OFFLOAD_RECEIVE) set(fd, IPPROTO_UDP, UDP_GRO, 1);
  /* Setting no segment size shows whether the kernel has the option. */
  if (set(fd, IPPROTO_UDP, UDP_SEGMENT, 0) < 0) udp->gso = false;
  udp->fd[is_ipv6] = fd;
  udp->sender.is_fragmenting[is_ipv6] = true;
  return 0;
}

static bool is_missing_family(int result) {
  return result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL;
}

static int open_families(struct wt_udp *udp, uint16_t port, uint32_t flags) {
  int v4 = flags & WT_UDP_NO_IPV4 ? -EAFNOSUPPORT : open_family(udp, false, flags, &port);
  if (v4 < 0 && !is_missing_family(v4)) return v4;
  int v6 = flags & WT_UDP_NO_IPV6 ? -EAFNOSUPPORT : open_family(udp, true, flags, &port);
  if (v6 < 0 && (v4 < 0 || !is_missing_family(v6))) return v6;
  udp->port = port;
  return 0;
}

static void close_families(struct wt_udp *udp) {
  for (uint32_t family = 0; family < WT_UDP_FAMILIES; family++) {
    if (udp->fd[family] >= 0) close(udp->fd[family]);
    udp->fd[family] = -1;
  }
}

int wt_udp_open(struct wt_udp *udp, uint16_t port, uint32_t flags, uint32_t *errors, uint8_t *refused_source) {
  memset(udp, 0, sizeof *udp);
  udp->errors = errors;
  udp->refused_source = refused_source;
  udp->receiver.spill_end = &udp->receiver.spill_first;
  udp->receiver.expected_segments = WT_MAX_SEGMENTS;
  udp->receiver.expected_messages = WT_RECEIVE_MESSAGES;
  udp->receiver.expected_bytes = WT_MAX_PACKET_BYTES;
  udp->blocked_family = -1;
  udp->fd[0] = udp->fd[1] = -1;
  udp->gso = (flags & WT_UDP_OFFLOAD_SEND) != 0;
  /* Without the netlink socket no route counts as a tunnel. */
  wt_rtnetlink_open(&udp->sender.routes.netlink);
  for (int tries = 1;; tries++) {
    int result = open_families(udp, port, flags);
    if (result == 0) return 0;
    close_families(udp);
    if (result == -EADDRINUSE && port == 0 && tries < PORT_TRIES) continue;
    wt_udp_close(udp);
    return result;
  }
}

/* After a refusal the earlier families get back their old mark. */
static int set_marks(const struct wt_udp *udp, uint32_t families, uint32_t mark) {
  for (uint32_t family = 0; family < families; family++) {
    if (udp->fd[family] < 0) continue;
    int result = set(udp->fd[family], SOL_SOCKET, SO_MARK, (int)mark);
    if (result == 0) continue;
    set_marks(udp, family, udp->sender.routes.mark);
    return result;
  }
  return 0;
}

int wt_udp_set_mark(struct wt_udp *udp, uint32_t mark) {
  int result = set_marks(udp, WT_UDP_FAMILIES, mark);
  if (result == 0) udp->sender.routes.mark = mark;
  return result;
}

void wt_udp_close(struct wt_udp *udp) {
  close_families(udp);
  wt_rtnetlink_close(&udp->sender.routes.netlink);
  wt_udp_free_receiver(udp);
}
