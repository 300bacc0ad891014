#include "netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"

#define BUFFER_BYTES 32768u
#define REQUEST_BYTES 256u
/* Of the namespace that a socket is in. */
#define OWN_NAMESPACE_ID NETNSA_NSID_NOT_ASSIGNED

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
  if (what & WT_MONITOR_ROUTES)
    groups |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  *monitor = (struct wt_monitor){.events_fd = open_socket(groups), .request_fd = -1, .namespace_id = OWN_NAMESPACE_ID};
  if (monitor->events_fd < 0) return monitor->events_fd;
  monitor->request_fd = open_socket(0);
  if (monitor->request_fd >= 0) return 0;
  int result = monitor->request_fd;
  wt_monitor_close(monitor);
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

/* The namespace that a message came from, which the kernel says only of others than the socket's own. */
static int32_t namespace_of(struct msghdr *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_NETLINK || part->cmsg_type != NETLINK_LISTEN_ALL_NSID) continue;
    int32_t namespace_id;
    memcpy(&namespace_id, CMSG_DATA(part), sizeof namespace_id);
    return namespace_id;
  }
  return OWN_NAMESPACE_ID;
}

int wt_monitor_read(const struct wt_monitor *monitor, int32_t link_index) {
  _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
  _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int32_t))];
  int what = 0;
  for (;;) {
    struct iovec space = {.iov_base = buffer, .iov_len = sizeof buffer};
    struct msghdr received = {
        .msg_iov = &space, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(monitor->events_fd, &received, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      what |= WT_LINK_CHANGED | WT_ROUTES_CHANGED;
      continue;
    }
    if (got < 0) return errno == EAGAIN || what != 0 ? what : -errno;
    if (namespace_of(&received) != monitor->namespace_id) continue;
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

/*
 * Asks, and waits for the answer, which the kernel gives at once. Returns its length, or 0 where NLM_F_ACK asked
 * for no more than that it is done, or −errno.
 */
static int ask(struct wt_monitor *monitor, struct request *request, uint8_t *buffer) {
  request->header.nlmsg_flags |= NLM_F_REQUEST;
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
    if (answer->nlmsg_len < NLMSG_LENGTH(sizeof *error)) return -EPROTO;
    if (error->error == 0 && !(request->header.nlmsg_flags & NLM_F_ACK)) return -EPROTO;
    return error->error;
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

static bool is_own_namespace(int namespace_fd) {
  struct stat own, other;
  if (stat("/proc/thread-self/ns/net", &own) < 0 || fstat(namespace_fd, &other) < 0) return false;
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static struct request namespace_request(uint16_t type, int namespace_fd) {
  struct request request = {.header = {.nlmsg_type = type, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg))}};
  add_attribute(&request, NETNSA_FD, &namespace_fd, 4);
  return request;
}

/* The number by which netlink here names another namespace; it gets one if it has none. */
static int namespace_id(struct wt_monitor *monitor, int namespace_fd) {
  _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
  struct request give = namespace_request(RTM_NEWNSID, namespace_fd);
  int32_t any = NETNSA_NSID_NOT_ASSIGNED;
  give.header.nlmsg_flags = NLM_F_ACK;
  add_attribute(&give, NETNSA_NSID, &any, 4);
  int result = ask(monitor, &give, buffer);
  if (result < 0 && result != -EEXIST) return result;

  struct request get = namespace_request(RTM_GETNSID, namespace_fd);
  result = ask(monitor, &get, buffer);
  if (result < 0) return result;
  const struct nlmsghdr *message = (void *)buffer;
  if (message->nlmsg_type != RTM_NEWNSID) return -EPROTO;
  int32_t id = (int32_t)attribute_of(message, sizeof(struct rtgenmsg), NETNSA_NSID, (uint32_t)-ENOENT);
  return id < 0 ? -ENOENT : id;
}

/* From here, by its number: a socket inside would keep the other namespace, and all in it, alive. */
static int look_into(struct wt_monitor *monitor, int namespace_fd) {
  int on = 1;
  if (is_own_namespace(namespace_fd)) return 0;
  if (setsockopt(monitor->events_fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on) < 0) return -errno;
  int result = namespace_id(monitor, namespace_fd);
  if (result < 0) return result;
  monitor->namespace_id = result;
  return 0;
}

int wt_monitor_open(struct wt_monitor *monitor, uint32_t what, int namespace_fd) {
  int result = open_sockets(monitor, what);
  if (result < 0 || namespace_fd < 0) return result;
  result = look_into(monitor, namespace_fd);
  if (result < 0) wt_monitor_close(monitor);
  return result;
}

int wt_monitor_link(struct wt_monitor *monitor, const char *name, struct wt_link *link) {
  _Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
  struct request request = {.header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))}};
  add_attribute(&request, IFLA_IFNAME, name, (uint16_t)(strnlen(name, IFNAMSIZ - 1) + 1));
  if (monitor->namespace_id != OWN_NAMESPACE_ID)
    add_attribute(&request, IFLA_TARGET_NETNSID, &monitor->namespace_id, 4);
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
