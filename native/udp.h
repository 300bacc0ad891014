/* The UDP sockets of a device: one per family, on one port. */
#ifndef WT_UDP_H
#define WT_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "batch.h"

#define WT_UDP_OFFLOAD_SEND 1u
#define WT_UDP_OFFLOAD_RECEIVE 2u
#define WT_UDP_NO_IPV4 4u
#define WT_UDP_NO_IPV6 8u

#define WT_UDP_FAMILIES 2u
#define WT_RECEIVE_MESSAGES 32u
/* A slot in the arena, and the place for what is longer. */
#define WT_RECEIVE_PARTS 2u
#define WT_SEND_MESSAGES 64u
/* The most segments that every kernel with UDP_SEGMENT takes. */
#define WT_MAX_SEGMENTS 64u
#define WT_SEND_PARTS 512u
/* Paths whose limits are remembered at a time. */
#define WT_GSO_PATHS 256u
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
  /* Segments that messages had lately: as many rows are kept free for each. */
  uint32_t expected_segments;
  /* Bytes that messages had lately. While they are few, each message gets a small slot of the arena. */
  uint32_t expected_bytes;
  /* Where the rest of a message goes that is longer than its slot; allocated lazily. */
  uint8_t *overflow;
  uint32_t next_family;
};

/* What a path has shown about runs. Paths are found by a hash of the remote address; a collision costs a new trial. */
struct wt_gso_path {
  uint32_t hash;
  /* Segments longer than this leave one by one: the path has refused them (its MTU is smaller, or it takes no runs). */
  uint32_t limit;
  /* Runs that were held back by the limit, so that they are tried again now and then. */
  uint32_t held_back;
  bool is_limited;
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
  struct wt_gso_path gso_paths[WT_GSO_PATHS];
  uint32_t limited_paths;
};

struct wt_udp {
  /* IPv4, IPv6; −1: there is none. */
  int fd[WT_UDP_FAMILIES];
  /* The socket that could not take more, or −1. */
  int blocked_family;
  /* Whether the kernel has UDP_SEGMENT, and it is wanted. */
  bool gso;
  uint16_t port;
  uint32_t mark;
  /* WT_ERROR_COUNTERS places for sending, then as many for receiving. */
  uint32_t *errors;
  /* Gets the last endpoint record whose source was refused. */
  uint8_t *refused_source;
  struct wt_udp_receiver receiver;
  struct wt_udp_sender sender;
};

/* All functions return 0 or more, or −errno. */
int wt_udp_open(struct wt_udp *udp, uint16_t port, uint32_t flags, uint32_t *errors, uint8_t *refused_source);
/* Both sockets get the mark, or neither. */
int wt_udp_set_mark(struct wt_udp *udp, uint32_t mark);
/* Returns rows, with WT_MORE_WAITS where it applies. */
int wt_udp_receive(struct wt_udp *udp, struct wt_batch *batch);
/* Returns the first row of [from, count) that is not sent; then `blocked_family` says which socket to wait for. */
uint32_t wt_udp_send(struct wt_udp *udp, struct wt_batch *batch, uint32_t from, uint32_t count);
void wt_udp_close(struct wt_udp *udp);
/* Frees all that `wt_udp_receive` holds. */
void wt_udp_free_receiver(struct wt_udp *udp);

#endif
