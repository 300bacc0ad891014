/* The primitives of the handshake for JavaScript. */
#include <string.h>

#include "addon.h"
#include "addon_environment.h"
#include "addon_value.h"

static struct wt_handshake *handshake_of(napi_env env) {
  return &wt_environment_of(env)->handshake;
}

/* Fetches `fixed` arguments and byte strings behind them. */
static bool variadic(napi_env env, napi_callback_info info, size_t fixed, napi_value *arguments, struct wt_bytes *parts,
                     size_t *count) {
  size_t given = fixed + WT_MAX_PARTS;
  if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok || given < fixed ||
      given > fixed + WT_MAX_PARTS) {
    wt_throw_type(env, "too few or too many arguments");
    return false;
  }
  *count = given - fixed;
  for (size_t i = 0; i < *count; i++)
    if (!wt_uint8_array(env, arguments[fixed + i], 0, &parts[i])) return false;
  return true;
}

static napi_value done(napi_env env, bool is_done) {
  if (!is_done) napi_throw_error(env, NULL, "OpenSSL refused");
  return wt_undefined(env);
}

static napi_value blake2s(napi_env env, napi_callback_info info) {
  napi_value arguments[1 + WT_MAX_PARTS];
  struct wt_bytes parts[WT_MAX_PARTS];
  size_t count;
  uint8_t *out;
  if (!variadic(env, info, 1, arguments, parts, &count) || !wt_output(env, arguments[0], WT_HASH_BYTES, &out))
    return NULL;
  return done(env, wt_blake2s(handshake_of(env), out, parts, count));
}

static napi_value blake2s_hmac(napi_env env, napi_callback_info info) {
  napi_value arguments[2 + WT_MAX_PARTS];
  struct wt_bytes parts[WT_MAX_PARTS];
  struct wt_bytes key;
  size_t count;
  uint8_t *out;
  if (!variadic(env, info, 2, arguments, parts, &count) || !wt_output(env, arguments[0], WT_HASH_BYTES, &out))
    return NULL;
  if (!wt_uint8_array(env, arguments[1], 0, &key)) return NULL;
  return done(env, wt_blake2s_hmac(handshake_of(env), out, key, parts, count));
}

static napi_value blake2s_mac(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct wt_bytes key, data;
  size_t out_bytes;
  if (!wt_arguments(env, info, 3, arguments)) return NULL;
  uint8_t *out = wt_typed_array(env, arguments[0], napi_uint8_array, WT_MAC_BYTES, &out_bytes);
  if (out == NULL || !wt_uint8_array(env, arguments[1], 1, &key) || !wt_uint8_array(env, arguments[2], 0, &data))
    return NULL;
  if ((out_bytes != WT_MAC_BYTES && out_bytes != WT_HASH_BYTES) || key.length > WT_KEY_BYTES) {
    wt_throw_range(env, "a MAC has 16 or 32 bytes, its key 1 to 32");
    return NULL;
  }
  return done(env, wt_blake2s_mac(handshake_of(env), out, out_bytes, key, data));
}

/* Fetches (out, key, nonce, text, associated data). The text is copied to `out`, which has `extra` bytes more at least. */
static uint8_t *sealing_arguments(napi_env env, napi_callback_info info, size_t extra, struct wt_sealing *sealing,
                                  struct wt_bytes *text) {
  napi_value arguments[5];
  struct wt_bytes key, nonce;
  uint8_t *out;
  if (!wt_arguments(env, info, 5, arguments) || !wt_uint8_array(env, arguments[1], WT_KEY_BYTES, &key)) return NULL;
  if (!wt_uint8_array(env, arguments[2], WT_NONCE_BYTES, &nonce)) return NULL;
  if (!wt_uint8_array(env, arguments[3], 0, text) || !wt_uint8_array(env, arguments[4], 0, &sealing->associated))
    return NULL;
  if (!wt_output(env, arguments[0], text->length + extra, &out)) return NULL;
  sealing->key = key.bytes;
  sealing->nonce = nonce.bytes;
  if (text->length > 0) memmove(out, text->bytes, text->length);
  return out;
}

static napi_value seal_text(napi_env env, napi_callback_info info) {
  struct wt_sealing sealing;
  struct wt_bytes text;
  uint8_t *out = sealing_arguments(env, info, WT_TAG_BYTES, &sealing, &text);
  if (out == NULL) return NULL;
  return done(env, wt_seal(handshake_of(env), &sealing, out, text.length));
}

static napi_value open_text(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  struct wt_sealing sealing;
  struct wt_bytes text;
  uint8_t *out = sealing_arguments(env, info, 0, &sealing, &text);
  if (out == NULL) return NULL;
  bool is_open = text.length >= WT_TAG_BYTES &&
                 wt_open(handshake_of(env), &sealing, out, text.length - WT_TAG_BYTES);
  napi_get_boolean(env, is_open, &result);
  return result;
}

static napi_value x25519(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result = NULL;
  struct wt_bytes private_key, public_key;
  uint8_t *out;
  bool is_zero = false;
  if (!wt_arguments(env, info, 3, arguments) || !wt_output(env, arguments[0], WT_KEY_BYTES, &out)) return NULL;
  if (!wt_uint8_array(env, arguments[1], WT_KEY_BYTES, &private_key)) return NULL;
  if (!wt_uint8_array(env, arguments[2], WT_KEY_BYTES, &public_key)) return NULL;
  const struct wt_key_pair keys = {.private_key = private_key.bytes, .public_key = public_key.bytes};
  if (!wt_x25519(&handshake_of(env)->x25519, out, &keys, &is_zero)) return done(env, false);
  napi_get_boolean(env, !is_zero, &result);
  return result;
}

static napi_value x25519_public_key(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct wt_bytes private_key;
  uint8_t *out;
  if (!wt_arguments(env, info, 2, arguments) || !wt_output(env, arguments[0], WT_KEY_BYTES, &out)) return NULL;
  if (!wt_uint8_array(env, arguments[1], WT_KEY_BYTES, &private_key)) return NULL;
  return done(env, wt_x25519_public(out, private_key.bytes));
}

bool wt_export_crypto(napi_env env, napi_value exports) {
  return wt_export(env, exports, "blake2s", blake2s) && wt_export(env, exports, "blake2sMac", blake2s_mac) &&
         wt_export(env, exports, "blake2sHmac", blake2s_hmac) && wt_export(env, exports, "seal", seal_text) &&
         wt_export(env, exports, "open", open_text) && wt_export(env, exports, "x25519", x25519) &&
         wt_export(env, exports, "x25519PublicKey", x25519_public_key);
}
