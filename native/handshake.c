#include "handshake.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

#include "burn.h"

#define BLOCK_BYTES 64u
#define INNER_PAD 0x36u
#define OUTER_PAD 0x5cu

bool wt_handshake_create(struct wt_handshake *handshake) {
  handshake->blake2s = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
  handshake->hash = EVP_MD_CTX_new();
  handshake->mac_algorithm = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
  handshake->mac = handshake->mac_algorithm == NULL ? NULL : EVP_MAC_CTX_new(handshake->mac_algorithm);
  wt_x25519_create(&handshake->x25519);
  bool has_cipher = wt_cipher_create(&handshake->cipher);
  if (has_cipher && handshake->blake2s != NULL && handshake->hash != NULL && handshake->mac != NULL) return true;
  wt_handshake_destroy(handshake);
  return false;
}

void wt_handshake_destroy(struct wt_handshake *handshake) {
  wt_cipher_destroy(&handshake->cipher);
  EVP_MAC_CTX_free(handshake->mac);
  EVP_MAC_free(handshake->mac_algorithm);
  EVP_MD_CTX_free(handshake->hash);
  EVP_MD_free(handshake->blake2s);
  *handshake = (struct wt_handshake){0};
}

static bool hash_after(struct wt_handshake *handshake, uint8_t *out, struct wt_bytes first,
                       const struct wt_bytes *parts, size_t count) {
  if (EVP_DigestInit_ex2(handshake->hash, handshake->blake2s, NULL) != 1) return false;
  if (EVP_DigestUpdate(handshake->hash, first.bytes, first.length) != 1) return false;
  for (size_t i = 0; i < count; i++)
    if (EVP_DigestUpdate(handshake->hash, parts[i].bytes, parts[i].length) != 1) return false;
  return EVP_DigestFinal_ex(handshake->hash, out, NULL) == 1;
}

bool wt_blake2s(struct wt_handshake *handshake, uint8_t *out, const struct wt_bytes *parts, size_t count) {
  return hash_after(handshake, out, (struct wt_bytes){.bytes = out, .length = 0}, parts, count);
}

bool wt_blake2s_mac(struct wt_handshake *handshake, uint8_t *out, size_t out_bytes, struct wt_bytes key,
                    struct wt_bytes data) {
  OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_bytes), OSSL_PARAM_construct_end()};
  size_t written = 0;
  return EVP_MAC_init(handshake->mac, key.bytes, key.length, params) == 1 &&
         EVP_MAC_update(handshake->mac, data.bytes, data.length) == 1 &&
         EVP_MAC_final(handshake->mac, out, &written, out_bytes) == 1 && written == out_bytes;
}

static void pad_key(uint8_t *block, struct wt_bytes key, uint8_t pad) {
  memset(block, 0, BLOCK_BYTES);
  memcpy(block, key.bytes, key.length);
  for (uint32_t i = 0; i < BLOCK_BYTES; i++) block[i] ^= pad;
}

/* Source: RFC 2104 §2. */
bool wt_blake2s_hmac(struct wt_handshake *handshake, uint8_t *out, struct wt_bytes key, const struct wt_bytes *parts,
                     size_t count) {
  uint8_t block[BLOCK_BYTES];
  uint8_t digest[WT_HASH_BYTES];
  struct wt_bytes padded = {.bytes = block, .length = BLOCK_BYTES};
  struct wt_bytes inner = {.bytes = digest, .length = WT_HASH_BYTES};
  if (key.length > BLOCK_BYTES) return false;

  pad_key(block, key, INNER_PAD);
  bool is_done = hash_after(handshake, digest, padded, parts, count);
  pad_key(block, key, OUTER_PAD);
  is_done = is_done && hash_after(handshake, out, padded, &inner, 1);
  OPENSSL_cleanse(block, sizeof block);
  OPENSSL_cleanse(digest, sizeof digest);
  wt_burn_stack();
  return is_done;
}

static bool begin(struct wt_cipher *cipher, const struct wt_sealing *sealing, struct wt_binding *binding) {
  *binding = (struct wt_binding){.associated = sealing->associated.bytes, .associated_bytes = sealing->associated.length};
  memcpy(binding->nonce, sealing->nonce, WT_NONCE_BYTES);
  return wt_cipher_set_key(cipher, sealing->key);
}

static bool end(struct wt_cipher *cipher, bool is_done) {
  wt_cipher_forget(cipher);
  wt_burn_stack();
  return is_done;
}

bool wt_seal(struct wt_handshake *handshake, const struct wt_sealing *sealing, uint8_t *text, size_t bytes) {
  struct wt_binding binding;
  struct wt_cipher *cipher = &handshake->cipher;
  return end(cipher, begin(cipher, sealing, &binding) && wt_cipher_seal(cipher, &binding, text, bytes));
}

bool wt_open(struct wt_handshake *handshake, const struct wt_sealing *sealing, uint8_t *text, size_t bytes) {
  struct wt_binding binding;
  struct wt_cipher *cipher = &handshake->cipher;
  return end(cipher, begin(cipher, sealing, &binding) && wt_cipher_open(cipher, &binding, text, bytes));
}
