/*
 * The columns of a batch of packets, as JavaScript registered them, and the layout of its rows.
 *
 * Columns belong to JavaScript and change between calls: every function must check the rows that it uses.
 */
#ifndef WT_BATCH_H
#define WT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT_HEADROOM_BYTES 16u
#define WT_TAILROOM_BYTES 32u
#define WT_MAX_PACKET_BYTES 65535u

/* A flag in results that count rows: more packets wait inside the addon. */
#define WT_MORE_WAITS 0x40000000

#define WT_VERDICT_PASS 0u
#define WT_VERDICT_BAD_TAG 4u
#define WT_NO_KEY (-1)

/* An endpoint record; the drawing is in src/wire/endpoint.ts. */
#define WT_ENDPOINT_BYTES 44u
#define WT_ENDPOINT_FAMILY_AT 0u
#define WT_ENDPOINT_PORT_AT 2u
#define WT_ENDPOINT_SCOPE_AT 4u
#define WT_ENDPOINT_ADDRESS_AT 8u
#define WT_ENDPOINT_SOURCE_INTERFACE_AT 24u
#define WT_ENDPOINT_SOURCE_ADDRESS_AT 28u

/* Length of an array of error counters: an errno is its own index. */
#define WT_ERROR_COUNTERS 256u

struct wt_batch {
  uint8_t *bytes;
  size_t arena_bytes;
  uint32_t *offset;
  uint32_t *length;
  uint8_t *verdict;
  int32_t *key_slot;
  uint8_t *traffic_class;
  int32_t *endpoint;
  uint8_t *endpoint_bytes;
  /* Scratch of the addon's own: the row after this one in a chain of merged rows. */
  uint32_t *next;
  uint32_t capacity;
};

/* Whether the row, with `extra` bytes behind it, lies inside the arena. */
static inline bool wt_row_fits(const struct wt_batch *batch, uint32_t row, uint32_t extra) {
  return (uint64_t)batch->offset[row] + batch->length[row] + extra <= batch->arena_bytes;
}

/* The first row of [from, count) that passes and lies outside of the arena, or `count`. */
static inline uint32_t wt_first_outside(const struct wt_batch *batch, uint32_t from, uint32_t count) {
  for (uint32_t row = from; row < count; row++)
    if (batch->verdict[row] == WT_VERDICT_PASS && !wt_row_fits(batch, row, 0)) return row;
  return count;
}

/*
 * Starts row `row` behind the one before it, with head-room and tail-room, as PacketBatch.appendRow does.
 * Returns the start of its bytes, or NULL if the batch is full.
 */
static inline uint8_t *wt_append_row(struct wt_batch *batch, uint32_t row, uint32_t length) {
  if (row >= batch->capacity) return NULL;
  uint64_t start = 0;
  if (row > 0) start = ((uint64_t)batch->offset[row - 1] + batch->length[row - 1] + WT_TAILROOM_BYTES + 15u) & ~15ull;
  if (start + WT_HEADROOM_BYTES + length + WT_TAILROOM_BYTES > batch->arena_bytes) return NULL;

  batch->offset[row] = (uint32_t)start + WT_HEADROOM_BYTES;
  batch->length[row] = length;
  batch->verdict[row] = WT_VERDICT_PASS;
  batch->key_slot[row] = WT_NO_KEY;
  batch->traffic_class[row] = 0;
  return batch->bytes + start + WT_HEADROOM_BYTES;
}

static inline uint8_t *wt_row(const struct wt_batch *batch, uint32_t row) {
  return batch->bytes + batch->offset[row];
}

static inline uint8_t *wt_endpoint_record(const struct wt_batch *batch, uint32_t row) {
  return batch->endpoint_bytes + (size_t)(uint32_t)batch->endpoint[row] * WT_ENDPOINT_BYTES;
}

static inline void wt_count_errors(uint32_t *counters, int error, uint32_t packets) {
  counters[(uint32_t)error < WT_ERROR_COUNTERS ? (uint32_t)error : 0] += packets;
}

#endif
