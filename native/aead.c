#include "aead.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "burn.h"

#define SLOT_MASK (WT_MAX_SLOTS - 1)
#define GENERATION_MASK 0x7ff
#define NO_HANDLE (-1)
#define FIRST_CAPACITY 64
#define COUNTER_AT 8u
#define COUNTER_BYTES 8u

/* Fewer rows are finished before a helper wakes up. */
#define ROWS_WORTH_HELP 24u

static bool create_side(struct wt_aead_side *side) {
  side->handle = NO_HANDLE;
  return wt_cipher_create(&side->cipher);
}

static bool create_workers(struct wt_aead *aead, uint32_t count) {
  aead->workers = calloc(count, sizeof *aead->workers);
  if (aead->workers == NULL) return false;
  aead->worker_count = count;
  for (uint32_t i = 0; i < count; i++)
    if (!create_side(&aead->workers[i].seal) || !create_side(&aead->workers[i].open)) return false;
  return true;
}

bool wt_aead_create(struct wt_aead *aead, uint32_t helpers) {
  *aead = (struct wt_aead){.first_free = -1};
  if (helpers <= WT_POOL_MAX_HELPERS && create_workers(aead, helpers + 1)) {
    if (helpers > 0) aead->pool = wt_pool_create(helpers);
    if (helpers == 0 || aead->pool != NULL) return true;
  }
  wt_aead_destroy(aead);
  return false;
}

/* Doubles the size of the table; the old table is wiped. */
static bool grow(struct wt_aead *aead) {
  int32_t capacity = aead->capacity == 0 ? FIRST_CAPACITY : 2 * aead->capacity;
  if (capacity > WT_MAX_SLOTS) return false;
  struct wt_aead_keys *slots = calloc((size_t)capacity, sizeof *slots);
  if (slots == NULL) return false;
  if (aead->slots != NULL) {
    memcpy(slots, aead->slots, (size_t)aead->capacity * sizeof *slots);
    OPENSSL_cleanse(aead->slots, (size_t)aead->capacity * sizeof *slots);
    free(aead->slots);
  }
  for (int32_t slot = aead->capacity; slot < capacity; slot++)
    slots[slot].next_free = slot + 1 < capacity ? slot + 1 : -1;
  aead->first_free = aead->capacity;
  aead->slots = slots;
  aead->capacity = capacity;
  return true;
}

int32_t wt_aead_install(struct wt_aead *aead, const uint8_t *send, const uint8_t *receive) {
  if (aead->first_free < 0 && !grow(aead)) return -1;
  int32_t slot = aead->first_free;
  struct wt_aead_keys *keys = &aead->slots[slot];
  aead->first_free = keys->next_free;
  keys->is_used = true;
  memcpy(keys->send, send, WT_KEY_BYTES);
  memcpy(keys->receive, receive, WT_KEY_BYTES);
  return slot | keys->generation << WT_SLOT_BITS;
}

/* Returns the keys of a handle, or NULL if the handle is not (or no longer) in use. */
static struct wt_aead_keys *keys_of(const struct wt_aead *aead, int32_t handle) {
  int32_t slot = handle & SLOT_MASK;
  if (handle < 0 || slot >= aead->capacity) return NULL;
  struct wt_aead_keys *keys = &aead->slots[slot];
  return keys->is_used && keys->generation == handle >> WT_SLOT_BITS ? keys : NULL;
}

/* Clears the cipher's copy of the key of this handle. */
static void forget_key(struct wt_aead_side *side, int32_t handle) {
  if (side->handle != handle) return;
  wt_cipher_forget(&side->cipher);
  side->handle = NO_HANDLE;
}

bool wt_aead_wipe(struct wt_aead *aead, int32_t handle) {
  struct wt_aead_keys *keys = keys_of(aead, handle);
  if (keys == NULL) return false;
  for (uint32_t i = 0; i < aead->worker_count; i++) {
    forget_key(&aead->workers[i].seal, handle);
    forget_key(&aead->workers[i].open, handle);
  }
  int32_t generation = (keys->generation + 1) & GENERATION_MASK;
  OPENSSL_cleanse(keys, sizeof *keys);
  keys->generation = generation;
  keys->next_free = aead->first_free;
  aead->first_free = handle & SLOT_MASK;
  wt_burn_stack();
  return true;
}

static bool is_concerned(const struct wt_batch *batch, uint32_t row) {
  return batch->verdict[row] == WT_VERDICT_PASS && batch->key_slot[row] >= 0;
}

static enum wt_aead_fault check(const struct wt_aead *aead, const struct wt_batch *batch, uint32_t count,
                                bool is_seal) {
  for (uint32_t row = 0; row < count; row++) {
    if (!is_concerned(batch, row)) continue;
    if (!wt_row_fits(batch, row, is_seal ? WT_TAG_BYTES : 0)) return WT_AEAD_ROW_OUTSIDE;
    if (is_seal && batch->length[row] < WT_MESSAGE_HEADER_BYTES) return WT_AEAD_ROW_OUTSIDE;
    if (keys_of(aead, batch->key_slot[row]) == NULL) return WT_AEAD_NO_KEY;
  }
  return WT_AEAD_OK;
}

/* Sets the key if it differs from the last one. After a failure the cipher has no key. */
static bool use_key(struct wt_aead_side *side, int32_t handle, const uint8_t *key) {
  if (side->handle == handle) return true;
  side->handle = NO_HANDLE;
  if (!wt_cipher_set_key(&side->cipher, key)) return false;
  side->handle = handle;
  return true;
}

/* `handle` was checked. */
static const struct wt_aead_keys *slot_of(const struct wt_aead *aead, int32_t handle) {
  return &aead->slots[handle & SLOT_MASK];
}

/* The nonce is four zero bytes and the message's counter; there is no associated data (§5.4.6). */
static struct wt_binding binding_of(const uint8_t *message) {
  struct wt_binding binding = {.associated_bytes = 0};
  memcpy(binding.nonce + WT_NONCE_BYTES - COUNTER_BYTES, message + COUNTER_AT, COUNTER_BYTES);
  return binding;
}

static bool seal_row(const struct wt_aead *aead, struct wt_aead_side *side, struct wt_batch *batch, uint32_t row) {
  uint8_t *message = wt_row(batch, row);
  int32_t handle = batch->key_slot[row];
  if (!use_key(side, handle, slot_of(aead, handle)->send)) return false;
  size_t bytes = batch->length[row] - WT_MESSAGE_HEADER_BYTES;
  struct wt_binding binding = binding_of(message);
  if (!wt_cipher_seal(&side->cipher, &binding, message + WT_MESSAGE_HEADER_BYTES, bytes)) return false;
  batch->length[row] += WT_TAG_BYTES;
  return true;
}

static bool open_row(const struct wt_aead *aead, struct wt_aead_side *side, struct wt_batch *batch, uint32_t row) {
  if (batch->length[row] < WT_MESSAGE_HEADER_BYTES + WT_TAG_BYTES) return false;
  uint8_t *message = wt_row(batch, row);
  int32_t handle = batch->key_slot[row];
  if (!use_key(side, handle, slot_of(aead, handle)->receive)) return false;
  size_t bytes = batch->length[row] - WT_MESSAGE_HEADER_BYTES - WT_TAG_BYTES;
  struct wt_binding binding = binding_of(message);
  return wt_cipher_open(&side->cipher, &binding, message + WT_MESSAGE_HEADER_BYTES, bytes);
}

/* One pass over a batch, which the threads share. Rows do not overlap, and each belongs to one thread. */
struct pass {
  const struct wt_aead *aead;
  struct wt_batch *batch;
  _Atomic bool is_refused;
};

static void seal_rows(void *context, uint32_t worker, uint32_t from, uint32_t to) {
  struct pass *pass = context;
  struct wt_aead_side *side = &pass->aead->workers[worker].seal;
  for (uint32_t row = from; row < to; row++) {
    if (!is_concerned(pass->batch, row) || seal_row(pass->aead, side, pass->batch, row)) continue;
    pass->batch->verdict[row] = WT_VERDICT_BAD_TAG; /* The row has no tag, and must not be sent. */
    pass->is_refused = true;
  }
}

static void open_rows(void *context, uint32_t worker, uint32_t from, uint32_t to) {
  struct pass *pass = context;
  struct wt_aead_side *side = &pass->aead->workers[worker].open;
  for (uint32_t row = from; row < to; row++)
    if (is_concerned(pass->batch, row) && !open_row(pass->aead, side, pass->batch, row))
      pass->batch->verdict[row] = WT_VERDICT_BAD_TAG;
}

static bool run(const struct wt_aead *aead, struct wt_batch *batch, uint32_t count, wt_pool_work *work) {
  struct pass pass = {.aead = aead, .batch = batch};
  if (aead->pool != NULL && count >= ROWS_WORTH_HELP) wt_pool_run(aead->pool, work, &pass, count);
  else work(&pass, 0, 0, count);
  return !pass.is_refused;
}

enum wt_aead_fault wt_aead_seal(struct wt_aead *aead, struct wt_batch *batch, uint32_t count) {
  enum wt_aead_fault fault = check(aead, batch, count, true);
  if (fault != WT_AEAD_OK) return fault;
  return run(aead, batch, count, seal_rows) ? WT_AEAD_OK : WT_AEAD_CIPHER;
}

enum wt_aead_fault wt_aead_open(struct wt_aead *aead, struct wt_batch *batch, uint32_t count) {
  enum wt_aead_fault fault = check(aead, batch, count, false);
  if (fault != WT_AEAD_OK) return fault;
  return run(aead, batch, count, open_rows) ? WT_AEAD_OK : WT_AEAD_CIPHER;
}

void wt_aead_destroy(struct wt_aead *aead) {
  wt_pool_destroy(aead->pool);
  for (uint32_t i = 0; i < aead->worker_count; i++) {
    wt_cipher_destroy(&aead->workers[i].seal.cipher);
    wt_cipher_destroy(&aead->workers[i].open.cipher);
  }
  free(aead->workers);
  if (aead->slots != NULL) OPENSSL_cleanse(aead->slots, (size_t)aead->capacity * sizeof *aead->slots);
  free(aead->slots);
  *aead = (struct wt_aead){.first_free = -1};
}
