#include "x25519.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "burn.h"

#define KEY_BYTES 32u

/* Reads a private key. OpenSSL computes the public key as well, which costs one multiplication. */
static EVP_PKEY *read_whole_key(const uint8_t *private_key) {
  return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, KEY_BYTES);
}

/*
 * Reads a private key together with a public key that is not its own. OpenSSL would compute the right public
 * key, which costs as much as the wanted multiplication, and never use it. */
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

/* Multiplies with a key that has been read, and frees it. NULL stands for no key. */
static bool multiply(uint8_t *out, EVP_PKEY *own, const uint8_t *public_key, bool *is_zero) {
  EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, KEY_BYTES);
  EVP_PKEY_CTX *context = own == NULL ? NULL : EVP_PKEY_CTX_new(own, NULL);
  size_t length = KEY_BYTES;
  bool is_ready = context != NULL && other != NULL && EVP_PKEY_derive_init(context) == 1 &&
                  EVP_PKEY_derive_set_peer_ex(context, other, 0) == 1;
  *is_zero = is_ready && EVP_PKEY_derive(context, out, &length) != 1;
  ERR_clear_error();
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(other);
  EVP_PKEY_free(own);
  wt_burn_stack();
  return is_ready;
}

/* Whether keys without their public key give the same secret as whole ones, which later releases may refuse. */
static bool can_skip_public_key(void) {
  uint8_t private_key[KEY_BYTES] = {8, [KEY_BYTES - 1] = 64};
  uint8_t base[KEY_BYTES] = {9};
  uint8_t expected[KEY_BYTES], actual[KEY_BYTES];
  bool is_zero = false;
  return multiply(expected, read_whole_key(private_key), base, &is_zero) && !is_zero &&
         multiply(actual, read_private_key(private_key), base, &is_zero) && !is_zero &&
         memcmp(expected, actual, KEY_BYTES) == 0;
}

void wt_x25519_create(struct wt_x25519 *x25519) {
  x25519->skips_public_key = can_skip_public_key();
}

bool wt_x25519(const struct wt_x25519 *x25519, uint8_t *out, const struct wt_key_pair *keys, bool *is_zero) {
  EVP_PKEY *own = x25519->skips_public_key ? read_private_key(keys->private_key) : read_whole_key(keys->private_key);
  return multiply(out, own, keys->public_key, is_zero);
}

bool wt_x25519_public(uint8_t *out, const uint8_t *private_key) {
  EVP_PKEY *own = read_whole_key(private_key);
  size_t length = KEY_BYTES;
  bool is_done = own != NULL && EVP_PKEY_get_raw_public_key(own, out, &length) == 1;
  EVP_PKEY_free(own);
  wt_burn_stack();
  return is_done;
}
