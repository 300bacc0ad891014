/*
 * The Internet checksum. Source: RFC 1071.
 *
 * Sums are of 16-bit words in the machine's byte order, which does not affect the checksum (RFC 1071 §2).
 */
#ifndef WT_CHECKSUM_H
#define WT_CHECKSUM_H

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ip.h"

static inline uint16_t wt_load16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void wt_store16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline uint32_t wt_load32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void wt_store32(uint8_t *at, uint32_t value) {
  wt_store16(at, value >> 16);
  wt_store16(at + 2, value);
}

/* The sum of `count` bytes; an odd last byte counts as if a zero followed. Not folded. */
static inline uint64_t wt_sum(const uint8_t *bytes, size_t count) {
  uint64_t low[2] = {0, 0};
  uint64_t high[2] = {0, 0};
  for (; count >= 16; bytes += 16, count -= 16) {
    uint64_t words[2];
    memcpy(words, bytes, 16);
    low[0] += words[0] & 0xffffffffu;
    high[0] += words[0] >> 32;
    low[1] += words[1] & 0xffffffffu;
    high[1] += words[1] >> 32;
  }
  uint64_t sum = low[0] + low[1] + high[0] + high[1];
  for (; count >= 2; bytes += 2, count -= 2) {
    uint16_t word;
    memcpy(&word, bytes, 2);
    sum += word;
  }
  if (count > 0) {
    uint16_t word = 0;
    memcpy(&word, bytes, 1);
    sum += word;
  }
  return sum;
}

static inline uint16_t wt_fold(uint64_t sum) {
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffffu) + (sum >> 16);
  sum = (sum & 0xffffu) + (sum >> 16);
  return (uint16_t)sum;
}

/* Returns the value for a checksum field, for all protocols but UDP, where 0 means "none". */
static inline uint16_t wt_checksum(uint64_t sum) {
  return (uint16_t)~wt_fold(sum);
}

static inline uint16_t wt_field(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, 2);
  return value;
}

static inline void wt_set_field(uint8_t *at, uint16_t value) {
  memcpy(at, &value, 2);
}

/* The sum of the pseudo-header of an IPv4 or IPv6 packet without extension headers. Source: RFC 9293 §3.1. */
static inline uint64_t wt_pseudo_sum(const uint8_t *packet, uint8_t protocol, uint32_t length) {
  uint64_t sum = wt_ip_version(packet) == 4 ? wt_sum(packet + WT_IPV4_ADDRESSES_AT, WT_IPV4_ADDRESSES_BYTES)
                                            : wt_sum(packet + WT_IPV6_ADDRESSES_AT, WT_IPV6_ADDRESSES_BYTES);
  return sum + htons(protocol) + htonl(length);
}

#endif
