#include "aead.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64
#define COUNTER_AT 8u
#define COUNTER_BYTES 8u

/* Fewer rows are done before a helper is awake. */
#define ROWS_WORTH_HELP 24u

static bool create_side(struct wt_aead_side *side) {
  side->slot = -1;
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

/* A table of twice the size; the old one is wiped. */
static bool grow(struct wt_aead *aead) {
  int32_t capacity = aead->capacity == 0 ? FIRST_CAPACITY : 2 * aead->capacity;
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
  return slot;
}

/* The cipher has a copy of the key in use. */
static void forget_key(struct wt_aead_side *side, int32_t slot) {
  static const uint8_t no_key[WT_KEY_BYTES];
  if (side->slot != slot) return;
  wt_cipher_set_key(&side->cipher, no_key);
  side->slot = -1;
}

bool wt_aead_wipe(struct wt_aead *aead, int32_t slot) {
  if (slot < 0 || slot >= aead->capacity || !aead->slots[slot].is_used) return false;
  for (uint32_t i = 0; i < aead->worker_count; i++) {
    forget_key(&aead->workers[i].seal, slot);
    forget_key(&aead->workers[i].open, slot);
  }
  OPENSSL_cleanse(&aead->slots[slot], sizeof aead->slots[slot]);
  aead->slots[slot].next_free = aead->first_free;
  aead->first_free = slot;
  return true;
}

static bool is_concerned(const struct wt_batch *batch, uint32_t row) {
  return batch->verdict[row] == WT_VERDICT_PASS && batch->key_slot[row] >= 0;
}

static enum wt_aead_fault check(const struct wt_aead *aead, const struct wt_batch *batch, uint32_t count, bool is_seal,
                                uint32_t *at) {
  for (uint32_t row = 0; row < count; row++) {
    if (!is_concerned(batch, row)) continue;
    *at = row;
    if (!wt_row_fits(batch, row, is_seal ? WT_TAG_BYTES : 0)) return WT_AEAD_ROW_OUTSIDE;
    if (is_seal && batch->length[row] < WT_MESSAGE_HEADER_BYTES) return WT_AEAD_ROW_OUTSIDE;
    int32_t slot = batch->key_slot[row];
    if (slot >= aead->capacity || !aead->slots[slot].is_used) return WT_AEAD_NO_KEY;
  }
  return WT_AEAD_OK;
}

/* Sets the key, if it is another one than before. */
static bool use_slot(struct wt_aead_side *side, int32_t slot, const uint8_t *key) {
  if (side->slot == slot) return true;
  side->slot = slot;
  return wt_cipher_set_key(&side->cipher, key);
}

/* The nonce is four zero bytes and the message's counter; there is no associated data (§5.4.6). */
static struct wt_binding binding_of(const uint8_t *message) {
  struct wt_binding binding = {.associated_bytes = 0};
  memcpy(binding.nonce + WT_NONCE_BYTES - COUNTER_BYTES, message + COUNTER_AT, COUNTER_BYTES);
  return binding;
}

static bool seal_row(const struct wt_aead *aead, struct wt_aead_side *side, struct wt_batch *batch, uint32_t row) {
  uint8_t *message = wt_row(batch, row);
  int32_t slot = batch->key_slot[row];
  if (!use_slot(side, slot, aead->slots[slot].send)) return false;
  size_t bytes = batch->length[row] - WT_MESSAGE_HEADER_BYTES;
  batch->length[row] += WT_TAG_BYTES;
  struct wt_binding binding = binding_of(message);
  return wt_cipher_seal(&side->cipher, &binding, message + WT_MESSAGE_HEADER_BYTES, bytes);
}

static bool open_row(const struct wt_aead *aead, struct wt_aead_side *side, struct wt_batch *batch, uint32_t row) {
  if (batch->length[row] < WT_MESSAGE_HEADER_BYTES + WT_TAG_BYTES) return false;
  uint8_t *message = wt_row(batch, row);
  int32_t slot = batch->key_slot[row];
  if (!use_slot(side, slot, aead->slots[slot].receive)) return false;
  size_t bytes = batch->length[row] - WT_MESSAGE_HEADER_BYTES - WT_TAG_BYTES;
  struct wt_binding binding = binding_of(message);
  return wt_cipher_open(&side->cipher, &binding, message + WT_MESSAGE_HEADER_BYTES, bytes);
}

/* One pass over a batch, as the threads share it. Rows do not overlap, and each is one thread's. */
struct pass {
  const struct wt_aead *aead;
  struct wt_batch *batch;
  _Atomic bool is_refused;
};

static void seal_rows(void *context, uint32_t worker, uint32_t from, uint32_t to) {
  struct pass *pass = context;
  struct wt_aead_side *side = &pass->aead->workers[worker].seal;
  for (uint32_t row = from; row < to; row++)
    if (is_concerned(pass->batch, row) && !seal_row(pass->aead, side, pass->batch, row)) pass->is_refused = true;
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

enum wt_aead_fault wt_aead_seal(struct wt_aead *aead, struct wt_batch *batch, uint32_t count, uint32_t *row) {
  enum wt_aead_fault fault = check(aead, batch, count, true, row);
  if (fault != WT_AEAD_OK) return fault;
  return run(aead, batch, count, seal_rows) ? WT_AEAD_OK : WT_AEAD_CIPHER;
}

enum wt_aead_fault wt_aead_open(struct wt_aead *aead, struct wt_batch *batch, uint32_t count, uint32_t *row) {
  enum wt_aead_fault fault = check(aead, batch, count, false, row);
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
