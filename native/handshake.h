/* Primitives of the handshake over OpenSSL: BLAKE2s, X25519 and ChaCha20-Poly1305. */
#ifndef WT_HANDSHAKE_H
#define WT_HANDSHAKE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cipher.h"
#include "x25519.h"

#define WT_HASH_BYTES 32u
#define WT_MAC_BYTES 16u
#define WT_MAX_PARTS 8u

struct wt_bytes {
  const uint8_t *bytes;
  size_t length;
};

/* Contexts that are used again and again, by one thread. */
struct wt_handshake {
  EVP_MD *blake2s;
  EVP_MD_CTX *hash;
  EVP_MAC *mac_algorithm;
  EVP_MAC_CTX *mac;
  struct wt_cipher cipher;
  struct wt_x25519 x25519;
};

/* How a text is sealed. The nonce has WT_NONCE_BYTES. */
struct wt_sealing {
  const uint8_t *key;
  const uint8_t *nonce;
  struct wt_bytes associated;
};

/* All functions return false where OpenSSL refuses. */
bool wt_handshake_create(struct wt_handshake *handshake);
void wt_handshake_destroy(struct wt_handshake *handshake);
bool wt_blake2s(struct wt_handshake *handshake, uint8_t *out, const struct wt_bytes *parts, size_t count);
/* `out_bytes` is 16 or 32; the key has 1 to 32 bytes. */
bool wt_blake2s_mac(struct wt_handshake *handshake, uint8_t *out, size_t out_bytes, struct wt_bytes key,
                    struct wt_bytes data);
bool wt_blake2s_hmac(struct wt_handshake *handshake, uint8_t *out, struct wt_bytes key, const struct wt_bytes *parts,
                     size_t count);
/* Seals `bytes` in place and puts the tag behind them. */
bool wt_seal(struct wt_handshake *handshake, const struct wt_sealing *sealing, uint8_t *text, size_t bytes);
/* Opens in place a text that its tag follows. Returns false, with nothing changed, if the tag is wrong. */
bool wt_open(struct wt_handshake *handshake, const struct wt_sealing *sealing, uint8_t *text, size_t bytes);

#endif
