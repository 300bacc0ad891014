/*
 * A cipher that fails to set a key: the row keeps its length and gets a verdict, and no other row is sealed under the
 * key of another peer. Exits with 0 if that holds.
 *
 * scripts/sanitize.mjs compiles it together with native/{aead,burn,cipher,pool}.c, with EVP_EncryptInit_ex wrapped.
 */
#include <stdio.h>
#include <string.h>

#include "aead.h"

#define ROWS 4u
#define ROW_BYTES 256u
#define TEXT_BYTES 100u
#define MESSAGE_BYTES (WT_MESSAGE_HEADER_BYTES + TEXT_BYTES)

int __real_EVP_EncryptInit_ex(EVP_CIPHER_CTX *context, const EVP_CIPHER *type, ENGINE *engine, const unsigned char *key,
                              const unsigned char *iv);
int __wrap_EVP_EncryptInit_ex(EVP_CIPHER_CTX *context, const EVP_CIPHER *type, ENGINE *engine, const unsigned char *key,
                              const unsigned char *iv);

/* The number of keys to take before one is refused; −1: all are taken. */
static int keys_before_failure = -1;

int __wrap_EVP_EncryptInit_ex(EVP_CIPHER_CTX *context, const EVP_CIPHER *type, ENGINE *engine, const unsigned char *key,
                              const unsigned char *iv) {
  if (key != NULL && keys_before_failure >= 0 && keys_before_failure-- == 0) return 0;
  return __real_EVP_EncryptInit_ex(context, type, engine, key, iv);
}

#include "test-batch.h"

static uint8_t sealed[ROWS * ROW_BYTES];

/* Row 0 belongs to the first peer, the others to the second. */
static void fill(const int32_t *slots) {
  for (uint32_t row = 0; row < ROWS; row++) {
    offset[row] = row * ROW_BYTES;
    length[row] = MESSAGE_BYTES;
    verdict[row] = WT_VERDICT_PASS;
    key_slot[row] = slots[row == 0 ? 0 : 1];
    memset(wt_row(&batch, row), (int)row, ROW_BYTES);
  }
}

/* Seals rows 0 to 3, of which the key for row 1 is refused once. */
static bool fails_once(struct wt_aead *aead, const int32_t *slots) {
  fill(slots);
  keys_before_failure = 1;
  if (wt_aead_seal(aead, &batch, ROWS) != WT_AEAD_CIPHER) return false;
  if (verdict[1] == WT_VERDICT_PASS || length[1] != MESSAGE_BYTES) return false;
  for (uint32_t row = 0; row < ROWS; row++) {
    if (row == 1) continue;
    if (verdict[row] != WT_VERDICT_PASS || length[row] != MESSAGE_BYTES + WT_TAG_BYTES) return false;
    if (memcmp(wt_row(&batch, row), sealed + row * ROW_BYTES, length[row]) != 0) return false;
  }
  return true;
}

int main(void) {
  struct wt_aead aead;
  int32_t slots[2];
  if (!wt_aead_create(&aead, 0)) return 1;
  for (int i = 0; i < 2; i++) {
    uint8_t key[WT_KEY_BYTES] = {(uint8_t)(i + 1)};
    slots[i] = wt_aead_install(&aead, key, key);
  }
  fill(slots);
  bool is_right = wt_aead_seal(&aead, &batch, ROWS) == WT_AEAD_OK;
  memcpy(sealed, bytes, sizeof bytes);
  is_right = is_right && fails_once(&aead, slots);
  wt_aead_destroy(&aead);
  printf("a refused key: %s\n", is_right ? "right" : "WRONG");
  return is_right ? 0 : 1;
}
