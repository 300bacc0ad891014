/* Segments of TCP for the stack in JavaScript. */
#include <string.h>

#include "addon.h"
#include "addon_batch.h"
#include "addon_value.h"
#include "ip.h"
#include "split.h"

/* IPv6 header and the longest TCP header. */
#define MAX_HEADER_BYTES 100u
/* Enough for the arena of a batch: 1 MiB of 16 KiB, and two that are used in part. What is behind them has to wait. */
#define MAX_BLOCKS 66u

/* Fetches the elements [first, ...) of an array of blocks of one size, as many as `bytes` from `blocks->at` on need. */
static bool fetch_blocks(napi_env env, napi_value array, uint32_t first, uint32_t bytes, const uint8_t **addresses,
                         struct wt_blocks *blocks) {
  for (blocks->count = 0; blocks->count < MAX_BLOCKS; blocks->count++) {
    if (blocks->count > 0 && (uint64_t)blocks->count * blocks->block_bytes >= (uint64_t)blocks->at + bytes) break;
    napi_value element;
    size_t length;
    if (napi_get_element(env, array, first + blocks->count, &element) != napi_ok) {
      wt_throw_type(env, "expected an array of blocks");
      return false;
    }
    const uint8_t *address = wt_typed_array(env, element, napi_uint8_array, 1, &length);
    if (address == NULL) return false;
    if (blocks->count == 0) blocks->block_bytes = (uint32_t)length;
    if (length != blocks->block_bytes || blocks->at >= length) {
      wt_throw_range(env, "the blocks do not fit each other");
      return false;
    }
    addresses[blocks->count] = address;
  }
  blocks->blocks = addresses;
  return true;
}

static bool fetch_header(napi_env env, napi_value value, uint32_t header_bytes, uint8_t *header) {
  struct wt_bytes bytes;
  if (header_bytes > MAX_HEADER_BYTES) {
    wt_throw_range(env, "the headers are too long");
    return false;
  }
  if (!wt_uint8_array(env, value, header_bytes, &bytes)) return false;
  memcpy(header, bytes.bytes, header_bytes);
  return true;
}

/* splitSegments(batch, row, header, headerBytes, segmentBytes, blocks, first, at, payloadBytes) */
static napi_value split_segments(napi_env env, napi_callback_info info) {
  napi_value arguments[9];
  uint32_t row, header_bytes, segment_bytes, first, payload_bytes;
  uint8_t header[MAX_HEADER_BYTES];
  const uint8_t *addresses[MAX_BLOCKS];
  struct wt_blocks blocks = {0};
  struct wt_super super;
  if (!wt_arguments(env, info, 9, arguments) || !wt_uint32(env, arguments[1], &row) ||
      !wt_uint32(env, arguments[3], &header_bytes) || !wt_uint32(env, arguments[4], &segment_bytes) ||
      !wt_uint32(env, arguments[6], &first) || !wt_uint32(env, arguments[7], &blocks.at) ||
      !wt_uint32(env, arguments[8], &payload_bytes))
    return NULL;
  struct wt_batch *batch = wt_checked_batch(env, arguments[0], 0, row);
  if (batch == NULL || !fetch_header(env, arguments[2], header_bytes, header) ||
      !fetch_blocks(env, arguments[5], first, payload_bytes, addresses, &blocks))
    return NULL;
  if (!wt_split_begin_blocks(&super, header, header_bytes, segment_bytes, payload_bytes, blocks)) {
    wt_throw_range(env, "headers and lengths of the segments do not fit each other");
    return NULL;
  }
  return wt_number(env, (int32_t)wt_split_rows(&super, batch, row));
}

bool wt_export_segments(napi_env env, napi_value exports) {
  return wt_export(env, exports, "splitSegments", split_segments);
}
