/* ChaCha20-Poly1305 over one text in place. */
#ifndef WT_CIPHER_H
#define WT_CIPHER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT_KEY_BYTES 32u
#define WT_TAG_BYTES 16u
#define WT_NONCE_BYTES 12u
/* A multiple of the block of ChaCha20 that holds the keystream of most packets at once. */
#define WT_KEYSTREAM_BYTES 4096u

/* One direction of one thread. */
struct wt_cipher {
  EVP_CIPHER_CTX *stream;
  EVP_MAC_CTX *mac;
  uint8_t keystream[WT_KEYSTREAM_BYTES];
};

/* The data that a text is bound to, besides the key. */
struct wt_binding {
  uint8_t nonce[WT_NONCE_BYTES];
  const uint8_t *associated;
  size_t associated_bytes;
};

bool wt_cipher_create(struct wt_cipher *cipher);
/* Sets the key of the following texts. */
bool wt_cipher_set_key(struct wt_cipher *cipher, const uint8_t *key);
/* Encrypts and appends the tag. Returns false if OpenSSL refuses. */
bool wt_cipher_seal(struct wt_cipher *cipher, const struct wt_binding *binding, uint8_t *text, size_t bytes);
/* Decrypts `bytes`, which the tag follows. Returns false, with nothing changed, if the tag is wrong. */
bool wt_cipher_open(struct wt_cipher *cipher, const struct wt_binding *binding, uint8_t *text, size_t bytes);
/* Clears the key, the keystream and the state of the tag, as far as the cipher has them. */
void wt_cipher_forget(struct wt_cipher *cipher);
void wt_cipher_destroy(struct wt_cipher *cipher);

#endif
