/* ChaCha20-Poly1305 over the rows of a batch, with a table of keys. */
#ifndef WT_AEAD_H
#define WT_AEAD_H

#include "batch.h"
#include "cipher.h"
#include "pool.h"

/* The header of a message, which ends with the counter. */
#define WT_MESSAGE_HEADER_BYTES 16u

/* A handle to keys: the slot in the low bits, above it the slot's generation. */
#define WT_SLOT_BITS 20
#define WT_MAX_SLOTS (1 << WT_SLOT_BITS)

struct wt_aead_keys {
  uint8_t send[WT_KEY_BYTES];
  uint8_t receive[WT_KEY_BYTES];
  bool is_used;
  /* The number of wipes of the slot, so that handles are not reused with the slots. */
  int32_t generation;
  int32_t next_free;
};

/* A cipher and the handle whose key it holds at the moment, or −1. */
struct wt_aead_side {
  struct wt_cipher cipher;
  int32_t handle;
};

/* The ciphers of one thread. */
struct wt_aead_worker {
  struct wt_aead_side seal;
  struct wt_aead_side open;
};

struct wt_aead {
  /* The caller's own worker, then one per helper. */
  struct wt_aead_worker *workers;
  uint32_t worker_count;
  /* NULL: no helpers. */
  struct wt_pool *pool;
  struct wt_aead_keys *slots;
  int32_t capacity;
  int32_t first_free;
};

/* The fault of a row, for an error message. */
enum wt_aead_fault { WT_AEAD_OK, WT_AEAD_ROW_OUTSIDE, WT_AEAD_NO_KEY, WT_AEAD_CIPHER };

/* Makes a table with 0 to WT_POOL_MAX_HELPERS threads that help with large batches. */
bool wt_aead_create(struct wt_aead *aead, uint32_t helpers);
/* Copies both keys. Returns the handle, or −1 without memory. */
int32_t wt_aead_install(struct wt_aead *aead, const uint8_t *send, const uint8_t *receive);
/* Returns false if the handle is not in use. */
bool wt_aead_wipe(struct wt_aead *aead, int32_t handle);
/*
 * Both change nothing on a fault, except for WT_AEAD_CIPHER: rows that the cipher refused get a verdict and keep their
 * length, and the other rows are finished.
 */
enum wt_aead_fault wt_aead_seal(struct wt_aead *aead, struct wt_batch *batch, uint32_t count);
enum wt_aead_fault wt_aead_open(struct wt_aead *aead, struct wt_batch *batch, uint32_t count);
void wt_aead_destroy(struct wt_aead *aead);

#endif
