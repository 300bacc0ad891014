/* X25519 by OpenSSL. */
#ifndef WT_X25519_H
#define WT_X25519_H

#include <stdbool.h>
#include <stdint.h>

struct wt_x25519 {
  /* Whether OpenSSL takes a private key without computing its public key, which a test at the start has shown. */
  bool skips_public_key;
};

/* Two keys of 32 bytes each. */
struct wt_key_pair {
  const uint8_t *private_key;
  const uint8_t *public_key;
};

void wt_x25519_create(struct wt_x25519 *x25519);
/* `is_zero` is set for a shared secret of zeros, which OpenSSL refuses (RFC 7748 §6.1). Returns false if it cannot. */
bool wt_x25519(const struct wt_x25519 *x25519, uint8_t *out, const struct wt_key_pair *keys, bool *is_zero);
bool wt_x25519_public(uint8_t *out, const uint8_t *private_key);

#endif
