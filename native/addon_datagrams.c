/* Datagrams by a descriptor of Node's, for JavaScript. */
#include "addon.h"

#include <netinet/in.h>
#include <string.h>

#include "addon_value.h"
#include "datagrams.h"

/* Writes the address of 4 or 16 bytes with its port. Returns false, with an error thrown, for another length. */
static bool write_address(napi_env env, const struct wt_bytes *address, uint32_t port, struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (address->length == 4 && port <= UINT16_MAX) {
    struct sockaddr_in *to4 = (struct sockaddr_in *)to;
    to4->sin_family = AF_INET;
    to4->sin_port = htons((uint16_t)port);
    memcpy(&to4->sin_addr, address->bytes, 4);
    return true;
  }
  if (address->length == 16 && port <= UINT16_MAX) {
    struct sockaddr_in6 *to6 = (struct sockaddr_in6 *)to;
    to6->sin6_family = AF_INET6;
    to6->sin6_port = htons((uint16_t)port);
    memcpy(&to6->sin6_addr, address->bytes, 16);
    return true;
  }
  wt_throw_range(env, "an address has 4 or 16 bytes, and a port is at most 65535");
  return false;
}

static bool fit(const uint16_t *lengths, size_t count, size_t bytes) {
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += lengths[i];
  return sum <= bytes;
}

static napi_value datagrams_send(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  int32_t fd;
  uint32_t count, port;
  size_t capacity;
  struct wt_bytes bytes, address;
  struct sockaddr_storage to;
  if (!wt_arguments(env, info, 6, arguments) || !wt_int32(env, arguments[0], &fd)) return NULL;
  if (!wt_uint8_array(env, arguments[1], 0, &bytes) || !wt_uint32(env, arguments[3], &count)) return NULL;
  const uint16_t *lengths = wt_typed_array(env, arguments[2], napi_uint16_array, count, &capacity);
  if (lengths == NULL || !wt_uint8_array(env, arguments[4], 4, &address)) return NULL;
  if (!wt_uint32(env, arguments[5], &port) || !write_address(env, &address, port, &to)) return NULL;
  if (!fit(lengths, count, bytes.length)) {
    wt_throw_range(env, "the lengths exceed the bytes");
    return NULL;
  }
  return wt_number(env, wt_datagrams_send(fd, bytes.bytes, lengths, count, &to));
}

bool wt_export_datagrams(napi_env env, napi_value exports) {
  return wt_export(env, exports, "datagramsSend", datagrams_send);
}
