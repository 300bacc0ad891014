/* Cuts super-packets (TSO, USO) into packets, one row each. */
#ifndef WT_SPLIT_H
#define WT_SPLIT_H

#include <linux/virtio_net.h>

#include "batch.h"

/* Payload that lies in blocks of one size, from `at` in the first of them on. */
struct wt_blocks {
  const uint8_t *const *blocks;
  uint32_t count;
  uint32_t block_bytes;
  uint32_t at;
};

/* A packet as read from the TUN or made by the stack, and its progress into rows. */
struct wt_super {
  /* The headers; the payload is behind them unless it is in `blocks`. */
  const uint8_t *packet;
  uint32_t length;
  struct wt_blocks blocks;
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
 * Starts segments of TCP whose headers, without options of IP, are `packet[0 .. header_bytes]` and whose payload is in
 * blocks. Sets the checksum field. Returns false if headers and lengths do not fit each other.
 */
bool wt_split_begin_blocks(struct wt_super *super, uint8_t *packet, uint32_t header_bytes, uint32_t segment_bytes,
                           uint32_t payload_bytes, struct wt_blocks blocks);

/*
 * Puts packets into rows from `row` on, until all are done, the batch is full or the blocks are at their end
 * (`is_waiting` stays set then). Returns the next free row.
 */
uint32_t wt_split_rows(struct wt_super *super, struct wt_batch *batch, uint32_t row);

#endif
