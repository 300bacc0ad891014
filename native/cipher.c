/*
 * The AEAD of RFC 8439 §2.8, built from OpenSSL's ChaCha20 and Poly1305.
 *
 * OpenSSL's own AEAD spends a separate call of ChaCha20 on the key of Poly1305, and searches lists of parameters for
 * every tag: a quarter of the time of a full packet, and nearly half of the time of a small packet.
 */
#include "cipher.h"

#include <openssl/crypto.h>
#include <string.h>

#define BLOCK_BYTES 64u
#define IV_BYTES 16u
/* The IV of ChaCha20 is a block counter of 4 bytes, which starts at 0, then the nonce. */
#define IV_NONCE_AT 4u
#define MAC_BLOCK_BYTES 16u
#define LENGTHS_BYTES 16u

static EVP_MAC_CTX *create_mac(void) {
  EVP_MAC *poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
  EVP_MAC_CTX *context = poly1305 == NULL ? NULL : EVP_MAC_CTX_new(poly1305);
  EVP_MAC_free(poly1305);
  return context;
}

bool wt_cipher_create(struct wt_cipher *cipher) {
  cipher->stream = EVP_CIPHER_CTX_new();
  cipher->mac = create_mac();
  return cipher->stream != NULL && cipher->mac != NULL &&
         EVP_EncryptInit_ex(cipher->stream, EVP_chacha20(), NULL, NULL, NULL) == 1;
}

bool wt_cipher_set_key(struct wt_cipher *cipher, const uint8_t *key) {
  return EVP_EncryptInit_ex(cipher->stream, NULL, NULL, key, NULL) == 1;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Generates the next bytes of keystream: whole blocks for `bytes`, as far as there is room. */
static bool next_keystream(struct wt_cipher *cipher, size_t bytes) {
  static const uint8_t zeros[WT_KEYSTREAM_BYTES];
  size_t whole = (bytes + BLOCK_BYTES - 1) & ~(size_t)(BLOCK_BYTES - 1);
  int done = 0;
  return EVP_EncryptUpdate(cipher->stream, cipher->keystream, &done, zeros, (int)smaller(whole, sizeof zeros)) == 1;
}

/* Makes the first block, whose beginning is the key of Poly1305, and the keystream of the text that fits behind it. */
static bool start(struct wt_cipher *cipher, const uint8_t *nonce, size_t bytes) {
  uint8_t iv[IV_BYTES] = {0};
  memcpy(iv + IV_NONCE_AT, nonce, WT_NONCE_BYTES);
  return EVP_EncryptInit_ex(cipher->stream, NULL, NULL, NULL, iv) == 1 && next_keystream(cipher, BLOCK_BYTES + bytes);
}

static void add_keystream(uint8_t *restrict text, const uint8_t *restrict keystream, size_t bytes) {
  for (; bytes >= BLOCK_BYTES; text += BLOCK_BYTES, keystream += BLOCK_BYTES, bytes -= BLOCK_BYTES) {
    uint64_t words[2][BLOCK_BYTES / sizeof(uint64_t)];
    memcpy(words[0], text, BLOCK_BYTES);
    memcpy(words[1], keystream, BLOCK_BYTES);
    for (size_t i = 0; i < BLOCK_BYTES / sizeof(uint64_t); i++) words[0][i] ^= words[1][i];
    memcpy(text, words[0], BLOCK_BYTES);
  }
  for (size_t i = 0; i < bytes; i++) text[i] ^= keystream[i];
}

/* Encrypts or decrypts the whole text. The keystream of its first bytes already exists. */
static bool crypt(struct wt_cipher *cipher, uint8_t *text, size_t bytes) {
  size_t done = smaller(bytes, sizeof cipher->keystream - BLOCK_BYTES);
  add_keystream(text, cipher->keystream + BLOCK_BYTES, done);
  while (done < bytes) {
    if (!next_keystream(cipher, bytes - done)) return false;
    size_t part = smaller(bytes - done, sizeof cipher->keystream);
    add_keystream(text + done, cipher->keystream, part);
    done += part;
  }
  return true;
}

/* Adds the bytes, and zeros up to a whole block. */
static bool add_padded(EVP_MAC_CTX *mac, const uint8_t *bytes, size_t count) {
  static const uint8_t zeros[MAC_BLOCK_BYTES];
  size_t rest = count % MAC_BLOCK_BYTES;
  if (count > 0 && EVP_MAC_update(mac, bytes, count) != 1) return false;
  return rest == 0 || EVP_MAC_update(mac, zeros, MAC_BLOCK_BYTES - rest) == 1;
}

static void store_length(uint8_t *at, uint64_t length) {
  for (size_t i = 0; i < sizeof length; i++) at[i] = (uint8_t)(length >> (8 * i));
}

/*
 * Computes the tag over the associated data, the text and both lengths. The last block of the text and the lengths are
 * added together.
 */
static bool make_tag(EVP_MAC_CTX *mac, const uint8_t *key, const struct wt_binding *binding, const uint8_t *text,
                     size_t bytes, uint8_t *tag) {
  uint8_t end[MAC_BLOCK_BYTES + LENGTHS_BYTES] = {0};
  size_t rest = bytes % MAC_BLOCK_BYTES;
  size_t padded = rest == 0 ? 0 : MAC_BLOCK_BYTES;
  size_t written = 0;
  memcpy(end, text + bytes - rest, rest);
  store_length(end + padded, binding->associated_bytes);
  store_length(end + padded + LENGTHS_BYTES / 2, bytes);
  return EVP_MAC_init(mac, key, WT_KEY_BYTES, NULL) == 1 &&
         add_padded(mac, binding->associated, binding->associated_bytes) &&
         EVP_MAC_update(mac, text, bytes - rest) == 1 && EVP_MAC_update(mac, end, padded + LENGTHS_BYTES) == 1 &&
         EVP_MAC_final(mac, tag, &written, WT_TAG_BYTES) == 1 && written == WT_TAG_BYTES;
}

bool wt_cipher_seal(struct wt_cipher *cipher, const struct wt_binding *binding, uint8_t *text, size_t bytes) {
  uint8_t mac_key[WT_KEY_BYTES];
  if (!start(cipher, binding->nonce, bytes)) return false;
  memcpy(mac_key, cipher->keystream, sizeof mac_key);
  bool is_done = crypt(cipher, text, bytes) && make_tag(cipher->mac, mac_key, binding, text, bytes, text + bytes);
  OPENSSL_cleanse(mac_key, sizeof mac_key);
  return is_done;
}

bool wt_cipher_open(struct wt_cipher *cipher, const struct wt_binding *binding, uint8_t *text, size_t bytes) {
  uint8_t tag[WT_TAG_BYTES];
  return start(cipher, binding->nonce, bytes) &&
         make_tag(cipher->mac, cipher->keystream, binding, text, bytes, tag) &&
         CRYPTO_memcmp(tag, text + bytes, sizeof tag) == 0 && crypt(cipher, text, bytes);
}

void wt_cipher_forget(struct wt_cipher *cipher) {
  static const uint8_t no_key[WT_KEY_BYTES];
  wt_cipher_set_key(cipher, no_key);
  EVP_MAC_init(cipher->mac, no_key, sizeof no_key, NULL);
  OPENSSL_cleanse(cipher->keystream, sizeof cipher->keystream);
}

void wt_cipher_destroy(struct wt_cipher *cipher) {
  EVP_CIPHER_CTX_free(cipher->stream);
  EVP_MAC_CTX_free(cipher->mac);
  OPENSSL_cleanse(cipher, sizeof *cipher);
}
