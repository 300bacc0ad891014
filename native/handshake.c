#include "handshake.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#define BLOCK_BYTES 64u
#define KEY_BYTES 32u
#define INNER_PAD 0x36u
#define OUTER_PAD 0x5cu

bool wt_handshake_create(struct wt_handshake *handshake) {
  handshake->blake2s = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
  handshake->hash = EVP_MD_CTX_new();
  handshake->mac_algorithm = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
  handshake->mac = handshake->mac_algorithm == NULL ? NULL : EVP_MAC_CTX_new(handshake->mac_algorithm);
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
  return is_done;
}

static bool begin(struct wt_cipher *cipher, const struct wt_sealing *sealing, struct wt_binding *binding) {
  *binding = (struct wt_binding){.associated = sealing->associated.bytes, .associated_bytes = sealing->associated.length};
  memcpy(binding->nonce, sealing->nonce, WT_NONCE_BYTES);
  return wt_cipher_set_key(cipher, sealing->key);
}

bool wt_seal(struct wt_handshake *handshake, const struct wt_sealing *sealing, uint8_t *text, size_t bytes) {
  struct wt_binding binding;
  return begin(&handshake->cipher, sealing, &binding) && wt_cipher_seal(&handshake->cipher, &binding, text, bytes);
}

bool wt_open(struct wt_handshake *handshake, const struct wt_sealing *sealing, uint8_t *text, size_t bytes) {
  struct wt_binding binding;
  return begin(&handshake->cipher, sealing, &binding) && wt_cipher_open(&handshake->cipher, &binding, text, bytes);
}

/*
 * A private key together with a public key that is not its own: OpenSSL would compute the right one, which
 * takes as long as the multiplication that is wanted, and never looks at it.
 */
static EVP_PKEY *read_private_key(const uint8_t *private_key) {
  uint8_t no_public_key[KEY_BYTES] = {0};
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)(uintptr_t)private_key, KEY_BYTES),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, no_public_key, KEY_BYTES),
      OSSL_PARAM_construct_end(),
  };
  EVP_PKEY *key = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
  bool is_read = context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
                 EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1;
  EVP_PKEY_CTX_free(context);
  return is_read ? key : NULL;
}

bool wt_x25519(uint8_t *out, const uint8_t *private_key, const uint8_t *public_key, bool *is_zero) {
  EVP_PKEY *own = read_private_key(private_key);
  EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, KEY_BYTES);
  EVP_PKEY_CTX *context = own == NULL ? NULL : EVP_PKEY_CTX_new(own, NULL);
  size_t length = KEY_BYTES;
  bool is_ready = context != NULL && other != NULL && EVP_PKEY_derive_init(context) == 1 &&
                  EVP_PKEY_derive_set_peer_ex(context, other, 0) == 1;
  *is_zero = is_ready && EVP_PKEY_derive(context, out, &length) != 1;
  if (*is_zero) ERR_clear_error();
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(other);
  EVP_PKEY_free(own);
  return is_ready;
}

bool wt_x25519_public(uint8_t *out, const uint8_t *private_key) {
  EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, KEY_BYTES);
  size_t length = KEY_BYTES;
  bool is_done = own != NULL && EVP_PKEY_get_raw_public_key(own, out, &length) == 1;
  EVP_PKEY_free(own);
  return is_done;
}
