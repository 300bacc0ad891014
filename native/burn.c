#include "burn.h"

#include <openssl/crypto.h>
#include <stdint.h>

/* A bound on the stack of the deepest chain of calls into OpenSSL. */
#define BURNT_BYTES 16384

__attribute__((noinline)) void wt_burn_stack(void) {
  uint8_t area[BURNT_BYTES];
  OPENSSL_cleanse(area, sizeof area);
}
