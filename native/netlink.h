/* Changes of links, addresses and routes of one network namespace. Source: rtnetlink(7). */
#ifndef WT_NETLINK_H
#define WT_NETLINK_H

#include <stdint.h>

#include "rtnetlink.h"

#define WT_MONITOR_LINKS 1u
#define WT_MONITOR_ROUTES 2u

#define WT_LINK_CHANGED 1
#define WT_LINK_DELETED 2
#define WT_ROUTES_CHANGED 4

struct wt_monitor {
  /* The socket for announced changes. */
  int events_fd;
  /* The socket for requests. */
  struct wt_rtnetlink requests;
  /* The number of the namespace that is watched, as RTM_GETNSID reports it; −1: the one that the sockets are in. */
  int32_t namespace_id;
};

struct wt_link {
  int32_t index;
  int32_t mtu;
  int32_t flags;
};

/*
 * All functions return 0 or more, or −errno.
 * `namespace_fd` is the network namespace to watch, or −1 for the thread's own. It is not retained and does not keep the
 * namespace alive; the end of the namespace is not reported.
 */
int wt_monitor_open(struct wt_monitor *monitor, uint32_t what, int namespace_fd);
/* Reads all waiting messages. Returns WT_… bits; lost messages count as changes of every kind. */
int wt_monitor_read(const struct wt_monitor *monitor, int32_t link_index);
int wt_monitor_link(struct wt_monitor *monitor, const char *name, struct wt_link *link);
void wt_monitor_close(struct wt_monitor *monitor);

#endif
