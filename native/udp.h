/* The UDP sockets of a device: one per family, on one port. */
#ifndef WT_UDP_H
#define WT_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "batch.h"
#include "udp_path.h"

#define WT_UDP_OFFLOAD_SEND 1u
#define WT_UDP_OFFLOAD_RECEIVE 2u
#define WT_UDP_NO_IPV4 4u
#define WT_UDP_NO_IPV6 8u

#define WT_UDP_FAMILIES 2u
#define WT_RECEIVE_MESSAGES 32u
/* A slot in the arena, and the overflow for longer messages. */
#define WT_RECEIVE_PARTS 2u
#define WT_SEND_MESSAGES 64u
/* The most segments that every kernel with UDP_SEGMENT takes. */
#define WT_MAX_SEGMENTS 64u
#define WT_SEND_PARTS 512u
/* UDP_SEGMENT, packet information and traffic class together; GRO, packet information and TOS on the way in. */
#define WT_CONTROL_BYTES 256u

union wt_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

/* A datagram, or a merged one, for which the batch had no row left. */
struct wt_spill {
  struct wt_spill *following;
  uint32_t length;
  uint32_t segment_bytes;
  uint32_t done;
  uint8_t traffic_class;
  uint8_t record[WT_ENDPOINT_BYTES];
  uint8_t bytes[];
};

struct wt_udp_receiver {
  struct mmsghdr messages[WT_RECEIVE_MESSAGES];
  struct iovec parts[WT_RECEIVE_MESSAGES][WT_RECEIVE_PARTS];
  union wt_address from[WT_RECEIVE_MESSAGES];
  _Alignas(struct cmsghdr) uint8_t control[WT_RECEIVE_MESSAGES][WT_CONTROL_BYTES];
  struct wt_spill *spill_first;
  struct wt_spill **spill_end;
  /* Segments of recent messages: as many rows are kept free for each message. */
  uint32_t expected_segments;
  /* How many messages the next call may bring. */
  uint32_t expected_messages;
  /* Bytes of recent messages. While they are few, each message gets a small slot of the arena. */
  uint32_t expected_bytes;
  /* The memory for the rest of messages that exceed their slots; allocated lazily. */
  uint8_t *overflow;
  uint32_t next_family;
};

struct wt_udp_sender {
  struct mmsghdr messages[WT_SEND_MESSAGES];
  struct iovec parts[WT_SEND_PARTS];
  union wt_address to[WT_SEND_MESSAGES];
  _Alignas(struct cmsghdr) uint8_t control[WT_SEND_MESSAGES][WT_CONTROL_BYTES];
  /* Message i has the rows [first_row[i], end_row[i]), as far as they pass. */
  uint32_t first_row[WT_SEND_MESSAGES];
  uint32_t end_row[WT_SEND_MESSAGES];
  uint32_t segments[WT_SEND_MESSAGES];
  struct wt_udp_path paths[WT_UDP_PATHS];
  struct wt_routes routes;
  /* Whether a socket lets the system fragment datagrams above the MTU of the link. */
  bool is_fragmenting[WT_UDP_FAMILIES];
};

struct wt_udp {
  /* IPv4, IPv6; −1: there is none. */
  int fd[WT_UDP_FAMILIES];
  /* The socket that was full, or −1. */
  int blocked_family;
  /* Whether the kernel supports UDP_SEGMENT, and the caller wants it. */
  bool gso;
  uint16_t port;
  /* WT_ERROR_COUNTERS places for sending, then as many for receiving. */
  uint32_t *errors;
  /* Receives the last endpoint record whose source was refused. */
  uint8_t *refused_source;
  struct wt_udp_receiver receiver;
  struct wt_udp_sender sender;
};

/* All functions return 0 or more, or −errno. */
int wt_udp_open(struct wt_udp *udp, uint16_t port, uint32_t flags, uint32_t *errors, uint8_t *refused_source);
/*
 * Sets whether this system may fragment datagrams; routers may do so in either case. A datagram that must not be
 * fragmented and exceeds the MTU of the link is refused with EMSGSIZE.
 */
void wt_udp_set_fragmenting(struct wt_udp *udp, uint32_t family, bool is_fragmenting);
/* Both sockets get the mark, or neither. */
int wt_udp_set_mark(struct wt_udp *udp, uint32_t mark);
/* Returns rows, with WT_MORE_WAITS where it applies. */
int wt_udp_receive(struct wt_udp *udp, struct wt_batch *batch);
/* Returns the first row of [from, count) that is not sent; then `blocked_family` is the socket to wait for. */
uint32_t wt_udp_send(struct wt_udp *udp, struct wt_batch *batch, uint32_t from, uint32_t count);
void wt_udp_close(struct wt_udp *udp);
/* Frees all that `wt_udp_receive` holds. */
void wt_udp_free_receiver(struct wt_udp *udp);

#endif
