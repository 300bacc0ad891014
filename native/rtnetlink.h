/* Requests to the kernel about links and routes of the caller's network namespace. Source: rtnetlink(7). */
#ifndef WT_RTNETLINK_H
#define WT_RTNETLINK_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bound on the length of an answer. */
#define WT_NETLINK_BYTES 32768u
#define WT_REQUEST_BYTES 256u

/* A socket for requests. */
struct wt_rtnetlink {
  int fd;
  uint32_t sequence;
};

struct wt_request {
  struct nlmsghdr header;
  uint8_t body[WT_REQUEST_BYTES];
};

/* Returns a socket that gets the messages of `groups` (RTMGRP_...), or −errno. */
int wt_rtnetlink_socket(uint32_t groups);
/* Returns 0 or −errno; then `fd` is negative. */
int wt_rtnetlink_open(struct wt_rtnetlink *netlink);
void wt_rtnetlink_close(struct wt_rtnetlink *netlink);

void wt_add_attribute(struct wt_request *request, uint16_t type, const void *data, uint16_t length);
/*
 * Sends the request and waits for the answer, which the kernel sends at once, into `buffer` of WT_NETLINK_BYTES. Returns
 * its length, 0 where NLM_F_ACK required no more than a confirmation, or −errno.
 */
int wt_ask(struct wt_rtnetlink *netlink, struct wt_request *request, uint8_t *buffer);
/* Returns the value of a 32-bit attribute behind a fixed part of `fixed_bytes`; `otherwise` if the message has none. */
uint32_t wt_attribute_of(const struct nlmsghdr *message, size_t fixed_bytes, uint16_t type, uint32_t otherwise);

/* Returns the interface of the route to the endpoint record, from its source if it has one; or −errno. */
int wt_route_interface(struct wt_rtnetlink *netlink, const uint8_t *record, uint32_t mark);
/* Tests whether that interface is another program's tunnel. False where the system does not answer. */
bool wt_route_leads_into_other_tunnel(struct wt_rtnetlink *netlink, const uint8_t *record, uint32_t mark);

#endif
