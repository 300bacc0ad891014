#include "aead.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64
#define NONCE_BYTES 12u
#define COUNTER_AT 8u
#define COUNTER_BYTES 8u

static bool create_side(struct wt_aead_side *side, int is_seal) {
  side->slot = -1;
  side->context = EVP_CIPHER_CTX_new();
  return side->context != NULL &&
         EVP_CipherInit_ex(side->context, EVP_chacha20_poly1305(), NULL, NULL, NULL, is_seal) == 1;
}

bool wt_aead_create(struct wt_aead *aead) {
  *aead = (struct wt_aead){.first_free = -1};
  if (create_side(&aead->seal, 1) && create_side(&aead->open, 0)) return true;
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

/* The context has a copy of the key in use. */
static void forget_key(struct wt_aead_side *side, int32_t slot) {
  static const uint8_t no_key[WT_KEY_BYTES];
  if (side->slot != slot) return;
  EVP_CipherInit_ex(side->context, NULL, NULL, no_key, NULL, -1);
  side->slot = -1;
}

bool wt_aead_wipe(struct wt_aead *aead, int32_t slot) {
  if (slot < 0 || slot >= aead->capacity || !aead->slots[slot].is_used) return false;
  forget_key(&aead->seal, slot);
  forget_key(&aead->open, slot);
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

/* Sets key, if it is another one, and nonce: four zero bytes and the counter (§5.4.6). */
static bool start(const struct wt_aead *aead, struct wt_aead_side *side, bool is_seal, int32_t slot,
                  const uint8_t *message) {
  uint8_t nonce[NONCE_BYTES] = {0};
  memcpy(nonce + NONCE_BYTES - COUNTER_BYTES, message + COUNTER_AT, COUNTER_BYTES);
  const struct wt_aead_keys *keys = &aead->slots[slot];
  const uint8_t *key = side->slot == slot ? NULL : is_seal ? keys->send : keys->receive;
  side->slot = slot;
  return EVP_CipherInit_ex(side->context, NULL, NULL, key, nonce, -1) == 1;
}

static bool seal_row(struct wt_aead *aead, struct wt_batch *batch, uint32_t row) {
  uint8_t *message = wt_row(batch, row);
  uint8_t *text = message + WT_MESSAGE_HEADER_BYTES;
  int text_bytes = (int)(batch->length[row] - WT_MESSAGE_HEADER_BYTES);
  int done = 0;
  EVP_CIPHER_CTX *context = aead->seal.context;
  if (!start(aead, &aead->seal, true, batch->key_slot[row], message)) return false;
  if (text_bytes > 0 && EVP_EncryptUpdate(context, text, &done, text, text_bytes) != 1) return false;
  if (EVP_EncryptFinal_ex(context, text + text_bytes, &done) != 1) return false;
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, WT_TAG_BYTES, text + text_bytes) != 1) return false;
  batch->length[row] += WT_TAG_BYTES;
  return true;
}

enum wt_aead_fault wt_aead_seal(struct wt_aead *aead, struct wt_batch *batch, uint32_t count, uint32_t *row) {
  enum wt_aead_fault fault = check(aead, batch, count, true, row);
  if (fault != WT_AEAD_OK) return fault;
  for (*row = 0; *row < count; ++*row)
    if (is_concerned(batch, *row) && !seal_row(aead, batch, *row)) return WT_AEAD_CIPHER;
  return WT_AEAD_OK;
}

static bool is_authentic(struct wt_aead *aead, struct wt_batch *batch, uint32_t row) {
  if (batch->length[row] < WT_MESSAGE_HEADER_BYTES + WT_TAG_BYTES) return false;
  uint8_t *message = wt_row(batch, row);
  uint8_t *text = message + WT_MESSAGE_HEADER_BYTES;
  int text_bytes = (int)(batch->length[row] - WT_MESSAGE_HEADER_BYTES - WT_TAG_BYTES);
  uint8_t unused[WT_TAG_BYTES];
  int done = 0;
  EVP_CIPHER_CTX *context = aead->open.context;
  if (!start(aead, &aead->open, false, batch->key_slot[row], message)) return false;
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, WT_TAG_BYTES, text + text_bytes) != 1) return false;
  if (text_bytes > 0 && EVP_DecryptUpdate(context, text, &done, text, text_bytes) != 1) return false;
  return EVP_DecryptFinal_ex(context, unused, &done) == 1;
}

enum wt_aead_fault wt_aead_open(struct wt_aead *aead, struct wt_batch *batch, uint32_t count, uint32_t *row) {
  enum wt_aead_fault fault = check(aead, batch, count, false, row);
  if (fault != WT_AEAD_OK) return fault;
  for (*row = 0; *row < count; ++*row) {
    if (!is_concerned(batch, *row) || is_authentic(aead, batch, *row)) continue;
    batch->verdict[*row] = WT_VERDICT_BAD_TAG;
    ERR_clear_error(); /* Node would take what is left there for its own. */
  }
  return WT_AEAD_OK;
}

void wt_aead_destroy(struct wt_aead *aead) {
  EVP_CIPHER_CTX_free(aead->seal.context);
  EVP_CIPHER_CTX_free(aead->open.context);
  if (aead->slots != NULL) OPENSSL_cleanse(aead->slots, (size_t)aead->capacity * sizeof *aead->slots);
  free(aead->slots);
  *aead = (struct wt_aead){.first_free = -1};
}
