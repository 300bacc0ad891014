#include "netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtnetlink.h"

/* The id that stands for the socket's own namespace. */
#define OWN_NAMESPACE_ID NETNSA_NSID_NOT_ASSIGNED

static int open_sockets(struct wt_monitor *monitor, uint32_t what) {
  uint32_t groups = 0;
  if (what & WT_MONITOR_LINKS) groups |= RTMGRP_LINK;
  if (what & WT_MONITOR_ROUTES)
    groups |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  *monitor = (struct wt_monitor){
      .events_fd = wt_rtnetlink_socket(groups), .requests = {.fd = -1}, .namespace_id = OWN_NAMESPACE_ID};
  if (monitor->events_fd < 0) return monitor->events_fd;
  int result = wt_rtnetlink_open(&monitor->requests);
  if (result < 0) wt_monitor_close(monitor);
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

/* Returns the namespace of a message. The kernel reports it only if it is not the socket's own. */
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
  _Alignas(struct nlmsghdr) uint8_t buffer[WT_NETLINK_BYTES];
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

static bool is_own_namespace(int namespace_fd) {
  struct stat own, other;
  if (stat("/proc/thread-self/ns/net", &own) < 0 || fstat(namespace_fd, &other) < 0) return false;
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static struct wt_request namespace_request(uint16_t type, int namespace_fd) {
  struct wt_request request = {.header = {.nlmsg_type = type, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg))}};
  wt_add_attribute(&request, NETNSA_FD, &namespace_fd, 4);
  return request;
}

/* Returns netlink's number for another namespace, and assigns a number if there is none. */
static int namespace_id(struct wt_monitor *monitor, int namespace_fd) {
  _Alignas(struct nlmsghdr) uint8_t buffer[WT_NETLINK_BYTES];
  struct wt_request give = namespace_request(RTM_NEWNSID, namespace_fd);
  int32_t any = NETNSA_NSID_NOT_ASSIGNED;
  give.header.nlmsg_flags = NLM_F_ACK;
  wt_add_attribute(&give, NETNSA_NSID, &any, 4);
  int result = wt_ask(&monitor->requests, &give, buffer);
  if (result < 0 && result != -EEXIST) return result;

  struct wt_request get = namespace_request(RTM_GETNSID, namespace_fd);
  result = wt_ask(&monitor->requests, &get, buffer);
  if (result < 0) return result;
  const struct nlmsghdr *message = (void *)buffer;
  if (message->nlmsg_type != RTM_NEWNSID) return -EPROTO;
  int32_t id = (int32_t)wt_attribute_of(message, sizeof(struct rtgenmsg), NETNSA_NSID, (uint32_t)-ENOENT);
  return id < 0 ? -ENOENT : id;
}

/* Watches another namespace by its number: a socket inside would keep that namespace, and all in it, alive. */
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
  _Alignas(struct nlmsghdr) uint8_t buffer[WT_NETLINK_BYTES];
  struct wt_request request = {
      .header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))}};
  wt_add_attribute(&request, IFLA_IFNAME, name, (uint16_t)(strnlen(name, IFNAMSIZ - 1) + 1));
  if (monitor->namespace_id != OWN_NAMESPACE_ID)
    wt_add_attribute(&request, IFLA_TARGET_NETNSID, &monitor->namespace_id, 4);
  int result = wt_ask(&monitor->requests, &request, buffer);
  if (result < 0) return result;
  const struct nlmsghdr *message = (void *)buffer;
  const struct ifinfomsg *info = NLMSG_DATA(message);
  if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof *info)) return -EPROTO;
  link->index = info->ifi_index;
  link->flags = (int32_t)info->ifi_flags;
  link->mtu = (int32_t)wt_attribute_of(message, sizeof *info, IFLA_MTU, 0);
  return 0;
}

void wt_monitor_close(struct wt_monitor *monitor) {
  if (monitor->events_fd >= 0) close(monitor->events_fd);
  monitor->events_fd = -1;
  wt_rtnetlink_close(&monitor->requests);
}
