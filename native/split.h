/* Cuts super-packets (TSO, USO) into packets, one row each. */
#ifndef WT_SPLIT_H
#define WT_SPLIT_H

#include <linux/virtio_net.h>

#include "batch.h"

/* A packet as read from the TUN, and its progress into rows. */
struct wt_super {
  const uint8_t *packet;
  uint32_t length;
  /* Offset of the transport header. */
  uint32_t transport_at;
  /* IP and transport header together. */
  uint32_t header_bytes;
  /* Payload of each packet but the last; 0: the packet must not be cut. */
  uint32_t segment_bytes;
  /* Payload bytes that are in rows. */
  uint32_t done;
  uint32_t index;
  bool is_udp;
  bool is_waiting;
};

/*
 * Starts a packet with its virtio-net header. The checksum of a packet that must not be cut is completed in place.
 * Returns false if header and packet do not fit each other.
 */
bool wt_split_begin(struct wt_super *super, const struct virtio_net_hdr *header, uint8_t *packet, uint32_t length);

/*
 * Puts packets into rows from `row` on, until all are done or the batch is full (`is_waiting` stays set).
 * Returns the next free row.
 */
uint32_t wt_split_rows(struct wt_super *super, struct wt_batch *batch, uint32_t row);

#endif
