/* ChaCha20-Poly1305 over the rows of a batch, with a table of keys. */
#ifndef WT_AEAD_H
#define WT_AEAD_H

#include "batch.h"
#include "cipher.h"
#include "pool.h"

/* The header of a message, which ends with the counter. */
#define WT_MESSAGE_HEADER_BYTES 16u

struct wt_aead_keys {
  uint8_t send[WT_KEY_BYTES];
  uint8_t receive[WT_KEY_BYTES];
  bool is_used;
  int32_t next_free;
};

/* A cipher and the slot whose key it holds at the moment, or −1. */
struct wt_aead_side {
  struct wt_cipher cipher;
  int32_t slot;
};

/* What one thread works with. */
struct wt_aead_worker {
  struct wt_aead_side seal;
  struct wt_aead_side open;
};

struct wt_aead {
  /* The caller's own, then one per helper. */
  struct wt_aead_worker *workers;
  uint32_t worker_count;
  /* NULL: no helpers. */
  struct wt_pool *pool;
  struct wt_aead_keys *slots;
  int32_t capacity;
  int32_t first_free;
};

/* What is wrong with a row, for an error message. */
enum wt_aead_fault { WT_AEAD_OK, WT_AEAD_ROW_OUTSIDE, WT_AEAD_NO_KEY, WT_AEAD_CIPHER };

/* With 0 to WT_POOL_MAX_HELPERS threads that help with large batches. */
bool wt_aead_create(struct wt_aead *aead, uint32_t helpers);
/* Copies both keys. Returns the slot, or −1 without memory. */
int32_t wt_aead_install(struct wt_aead *aead, const uint8_t *send, const uint8_t *receive);
/* Returns false if the slot is not in use. */
bool wt_aead_wipe(struct wt_aead *aead, int32_t slot);
/* On a fault nothing is changed and `row` says where; only a fault of the cipher itself comes half-way. */
enum wt_aead_fault wt_aead_seal(struct wt_aead *aead, struct wt_batch *batch, uint32_t count, uint32_t *row);
enum wt_aead_fault wt_aead_open(struct wt_aead *aead, struct wt_batch *batch, uint32_t count, uint32_t *row);
void wt_aead_destroy(struct wt_aead *aead);

#endif
