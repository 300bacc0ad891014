/* The parts of a packet's headers that decide whether it can be merged with others. */
#ifndef WT_FLOW_H
#define WT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"

enum wt_flow_kind {
  /* The bytes are no readable IP packet, and have no order to keep. */
  WT_FLOW_UNKNOWN,
  /* The ports are not visible: the packet keeps its place among all packets between the two addresses. */
  WT_FLOW_ADDRESSES,
  /* The packet has ports, but must not be merged. */
  WT_FLOW_PORTS,
  /* The packet may be merged: every rule about a single packet holds, the checksums included. */
  WT_FLOW_MERGEABLE,
};

struct wt_flow {
  const uint8_t *packet;
  enum wt_flow_kind kind;
  uint32_t length;
  /* Hash of the addresses only, so that a fragment finds the flows between its addresses. */
  uint32_t hash;
  uint32_t ip_bytes;
  uint32_t header_bytes;
  uint32_t payload_bytes;
  uint32_t sequence;
  bool is_tcp;
  bool is_push;
};

/* Reads the headers. `tcp` and `udp`: whether packets of that protocol may be merged at all. */
void wt_flow_read(struct wt_flow *flow, const uint8_t *packet, uint32_t length, bool tcp, bool udp);

/* Whether the two have addresses (and ports, where both have them) in common. */
bool wt_flow_is_same(const struct wt_flow *a, const struct wt_flow *b);

/* Whether `flow` can follow `count` packets that begin with `first` and end before `sequence` (of TCP). */
bool wt_flow_continues(const struct wt_flow *first, uint32_t count, uint32_t sequence, const struct wt_flow *flow);

#endif
