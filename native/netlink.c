#include "netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "batch.h"

#define BUFFER_BYTES 32768u
#define REQUEST_BYTES 256u

struct request {
  struct nlmsghdr header;
  uint8_t body[REQUEST_BYTES];
};

static int open_socket(uint32_t groups) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

static int open_sockets(struct wt_monitor *monitor, uint32_t what) {
  uint32_t groups = 0;
  if (what & WT_MONITOR_LINKS) groups |= RTMGRP_LINK;
  if (what & WT_MONITOR_ROUTES) groups |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  *monitor = (struct wt_monitor){.events_fd = open_socket(groups), .request_fd = -1};
  if (monitor->events_fd < 0) return monitor->events_fd;
  monitor->request_fd = open_socket(0);
  if (monitor->request_fd >= 0) return 0;
  int result = monitor->request_fd;
  wt_monitor_close(monitor);
  return result;
}

/* A socket belongs to the namespace that its maker is in: the thread goes there and comes back. */
int wt_monitor_open(struct wt_monitor *monitor, uint32_t what, int namespace_fd) {
  if (namespace_fd < 0) return open_sockets(monitor, what);
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return -errno;
  int result = setns(namespace_fd, CLONE_NEWNET) < 0 ? -errno : 0;
  if (result == 0) {
    result = open_sockets(monitor, what);
    if (setns(home, CLONE_NEWNET) < 0) abort(); /* To go on in a foreign namespace would be worse. */
  }
  close(home);
  return result;
}

static int read_event(const struct nlmsghdr *message, int32_t link_index) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const struct ifinfomsg *info = NLMSG_DATA(message);
      if (message->nlmsg_len < NLMSG_LENGTH(sizeof *info) || info->ifi_index != link_index) return 0;
      return message->nlmsg_type == RTM_NEWLINK ? WT_LINK_CHANGED : WT_LINK_DELETED;
    }
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return WT_ROUTES_CHANGED;
    default:
      return 0;
  }
}

int wt_monitor_read(const struct wt_monitor *monitor, int32_t link_index) {
  _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
  int what = 0;
  for (;;) {
    ssize_t got = recv(monitor->events_fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      what |= WT_LINK_CHANGED | WT_ROUTES_CHANGED;
      continue;
    }
    if (got < 0) return errno == EAGAIN || what != 0 ? what : -errno;
    unsigned int left = (unsigned int)got;
    for (const struct nlmsghdr *message = (void *)buffer; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
      what |= read_event(message, link_index);
  }
}

static void add_attribute(struct request *request, uint16_t type, const void *data, uint16_t length) {
  struct rtattr *attribute = (struct rtattr *)((uint8_t *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), data, length);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_SPACE(length);
}

/* Asks, and waits for the answer, which the kernel gives at once. Returns its length, or −errno. */
static int ask(struct wt_monitor *monitor, struct request *request, uint8_t *buffer) {
  request->header.nlmsg_flags = NLM_F_REQUEST;
  request->header.nlmsg_seq = ++monitor->sequence;
  if (send(monitor->request_fd, request, request->header.nlmsg_len, 0) < 0) return -errno;
  for (;;) {
    ssize_t got = recv(monitor->request_fd, buffer, BUFFER_BYTES, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    const struct nlmsghdr *answer = (void *)buffer;
    if (!NLMSG_OK(answer, (unsigned int)got) || answer->nlmsg_seq != monitor->sequence) continue;
    if (answer->nlmsg_type != NLMSG_ERROR) return (int)got;
    const struct nlmsgerr *error = NLMSG_DATA(answer);
    return answer->nlmsg_len < NLMSG_LENGTH(sizeof *error) || error->error == 0 ? -EPROTO : error->error;
  }
}

/* The value of a 32-bit attribute behind a fixed part of `fixed_bytes`; `otherwise` if it is not there. */
static uint32_t attribute_of(const struct nlmsghdr *message, size_t fixed_bytes, uint16_t type, uint32_t otherwise) {
  const struct rtattr *attribute = (const void *)((const uint8_t *)NLMSG_DATA(message) + NLMSG_ALIGN(fixed_bytes));
  if (message->nlmsg_len < NLMSG_SPACE(fixed_bytes)) return otherwise;
  unsigned int left = message->nlmsg_len - (unsigned int)NLMSG_SPACE(fixed_bytes);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != type || RTA_PAYLOAD(attribute) < 4) continue;
    uint32_t value;
    memcpy(&value, RTA_DATA(attribute), 4);
    return value;
  }
  return otherwise;
}

int wt_monitor_link(struct wt_monitor *monitor, const char *name, struct wt_link *link) {
  _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
  struct request request = {.header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))}};
  add_attribute(&request, IFLA_IFNAME, name, (uint16_t)(strnlen(name, IFNAMSIZ - 1) + 1));
  int result = ask(monitor, &request, buffer);
  if (result < 0) return result;
  const struct nlmsghdr *message = (void *)buffer;
  const struct ifinfomsg *info = NLMSG_DATA(message);
  if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof *info)) return -EPROTO;
  link->index = info->ifi_index;
  link->flags = (int32_t)info->ifi_flags;
  link->mtu = (int32_t)attribute_of(message, sizeof *info, IFLA_MTU, 0);
  return 0;
}

/* Whether an IPv6 address is one of this system's; RTM_GETROUTE does not ask. */
static int check_own_ipv6(const uint8_t *address, uint32_t index) {
  struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_scope_id = index};
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  memcpy(&own.sin6_addr, address, 16);
  int result = bind(fd, (struct sockaddr *)&own, sizeof own) < 0 ? -errno : 0;
  close(fd);
  return result;
}

int wt_monitor_route(struct wt_monitor *monitor, const uint8_t *record, uint32_t mark) {
  _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
  bool is_ipv4 = record[WT_ENDPOINT_FAMILY_AT] == 4;
  uint16_t address_bytes = is_ipv4 ? 4 : 16;
  const uint8_t *source = record + WT_ENDPOINT_SOURCE_ADDRESS_AT;
  uint32_t scope, source_index;
  memcpy(&scope, record + WT_ENDPOINT_SCOPE_AT, 4);
  memcpy(&source_index, record + WT_ENDPOINT_SOURCE_INTERFACE_AT, 4);
  if (source_index != 0 && !is_ipv4) {
    int result = check_own_ipv6(source, source_index);
    if (result < 0) return result;
  }

  struct request request = {.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))}};
  struct rtmsg *route = NLMSG_DATA(&request.header);
  route->rtm_family = is_ipv4 ? AF_INET : AF_INET6;
  route->rtm_dst_len = (unsigned char)(8 * address_bytes);
  add_attribute(&request, RTA_DST, record + WT_ENDPOINT_ADDRESS_AT, address_bytes);
  if (source_index != 0) {
    route->rtm_src_len = (unsigned char)(8 * address_bytes);
    add_attribute(&request, RTA_SRC, source, address_bytes);
  }
  if (mark != 0) add_attribute(&request, RTA_MARK, &mark, 4);
  if (scope != 0) add_attribute(&request, RTA_OIF, &scope, 4);
  int result = ask(monitor, &request, buffer);
  if (result < 0) return result;
  return (int)attribute_of((void *)buffer, sizeof(struct rtmsg), RTA_OIF, 0);
}

void wt_monitor_close(struct wt_monitor *monitor) {
  if (monitor->events_fd >= 0) close(monitor->events_fd);
  if (monitor->request_fd >= 0) close(monitor->request_fd);
  monitor->events_fd = monitor->request_fd = -1;
}
