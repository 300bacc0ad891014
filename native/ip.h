/* Offsets of the fields in the headers of IP, TCP and UDP. Source: RFC 791, RFC 8200, RFC 9293, RFC 768. */
#ifndef WT_IP_H
#define WT_IP_H

#include <stdbool.h>
#include <stdint.h>

#define WT_PROTOCOL_TCP 6u
#define WT_PROTOCOL_UDP 17u

/* Without options. */
#define WT_IPV4_HEADER_BYTES 20u
#define WT_IPV4_TOS_AT 1u
#define WT_IPV4_LENGTH_AT 2u
#define WT_IPV4_ID_AT 4u
#define WT_IPV4_FRAGMENT_AT 6u
#define WT_IPV4_TTL_AT 8u
#define WT_IPV4_PROTOCOL_AT 9u
#define WT_IPV4_CHECKSUM_AT 10u
/* Source, then destination. */
#define WT_IPV4_ADDRESSES_AT 12u
#define WT_IPV4_ADDRESSES_BYTES 8u
/* Bits of the byte at WT_IPV4_FRAGMENT_AT: don't fragment; more fragments, and the upper bits of the offset. */
#define WT_IPV4_DF 0x40u
#define WT_IPV4_FRAGMENT_BITS 0x3fu

#define WT_IPV6_HEADER_BYTES 40u
#define WT_IPV6_LENGTH_AT 4u
#define WT_IPV6_NEXT_HEADER_AT 6u
#define WT_IPV6_HOP_LIMIT_AT 7u
#define WT_IPV6_ADDRESSES_AT 8u
#define WT_IPV6_ADDRESSES_BYTES 32u

/* Both ports, at the start of TCP and UDP. */
#define WT_PORTS_BYTES 4u

/* Without options. */
#define WT_TCP_HEADER_BYTES 20u
#define WT_TCP_SEQUENCE_AT 4u
#define WT_TCP_ACKNOWLEDGEMENT_AT 8u
#define WT_TCP_OFFSET_AT 12u
#define WT_TCP_FLAGS_AT 13u
#define WT_TCP_WINDOW_AT 14u
#define WT_TCP_CHECKSUM_AT 16u
#define WT_TCP_URGENT_AT 18u
#define WT_TCP_FIN 0x01u
#define WT_TCP_PSH 0x08u
#define WT_TCP_ACK 0x10u
#define WT_TCP_CWR 0x80u

#define WT_UDP_HEADER_BYTES 8u
#define WT_UDP_LENGTH_AT 4u
#define WT_UDP_CHECKSUM_AT 6u

static inline uint32_t wt_ip_version(const uint8_t *packet) {
  return packet[0] >> 4;
}

/* The bytes of an IPv4 header, its options included. */
static inline uint32_t wt_ipv4_header_bytes(const uint8_t *packet) {
  return (packet[0] & 15u) * 4u;
}

/* The bytes of a TCP header, its options included. */
static inline uint32_t wt_tcp_header_bytes(const uint8_t *tcp) {
  return (tcp[WT_TCP_OFFSET_AT] >> 4) * 4u;
}

#endif
