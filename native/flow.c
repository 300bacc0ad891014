#include "flow.h"

#include <string.h>

#include "checksum.h"
#include "ip.h"


static bool is_ipv4(const uint8_t *packet) {
  return wt_ip_version(packet) == 4;
}

static uint32_t hash_words(const uint8_t *at, uint32_t words) {
  uint32_t hash = 0;
  for (uint32_t i = 0; i < words; i++) hash = (hash ^ wt_load32(at + 4 * i)) * 0x9e3779b1u;
  return hash;
}

/* Tests header, length fields and header checksum of an unfragmented packet. */
static bool read_ipv4(struct wt_flow *flow) {
  const uint8_t *packet = flow->packet;
  if (flow->length < WT_IPV4_HEADER_BYTES) return false;
  flow->kind = WT_FLOW_ADDRESSES;
  flow->hash = hash_words(packet + WT_IPV4_ADDRESSES_AT, 2);
  flow->ip_bytes = wt_ipv4_header_bytes(packet);
  bool is_fragment = (packet[WT_IPV4_FRAGMENT_AT] & WT_IPV4_FRAGMENT_BITS) != 0 || packet[WT_IPV4_FRAGMENT_AT + 1] != 0;
  if (is_fragment || flow->ip_bytes < WT_IPV4_HEADER_BYTES) return false;
  if (flow->ip_bytes + WT_PORTS_BYTES > flow->length) return false;
  uint8_t protocol = packet[WT_IPV4_PROTOCOL_AT];
  if (protocol != WT_PROTOCOL_TCP && protocol != WT_PROTOCOL_UDP) return false;

  flow->kind = WT_FLOW_PORTS;
  flow->is_tcp = protocol == WT_PROTOCOL_TCP;
  return flow->ip_bytes == WT_IPV4_HEADER_BYTES && wt_load16(packet + WT_IPV4_LENGTH_AT) == flow->length &&
         (packet[WT_IPV4_FRAGMENT_AT] & ~WT_IPV4_DF) == 0 && wt_checksum(wt_sum(packet, WT_IPV4_HEADER_BYTES)) == 0;
}

static bool read_ipv6(struct wt_flow *flow) {
  const uint8_t *packet = flow->packet;
  if (flow->length < WT_IPV6_HEADER_BYTES) return false;
  flow->kind = WT_FLOW_ADDRESSES;
  flow->hash = hash_words(packet + WT_IPV6_ADDRESSES_AT, 8);
  flow->ip_bytes = WT_IPV6_HEADER_BYTES;
  uint8_t protocol = packet[WT_IPV6_NEXT_HEADER_AT];
  bool is_plain = protocol == WT_PROTOCOL_TCP || protocol == WT_PROTOCOL_UDP;
  if (!is_plain || flow->length < WT_IPV6_HEADER_BYTES + WT_PORTS_BYTES) return false;

  flow->kind = WT_FLOW_PORTS;
  flow->is_tcp = protocol == WT_PROTOCOL_TCP;
  return wt_load16(packet + WT_IPV6_LENGTH_AT) + WT_IPV6_HEADER_BYTES == flow->length;
}

static bool read_tcp(struct wt_flow *flow) {
  const uint8_t *tcp = flow->packet + flow->ip_bytes;
  if (flow->ip_bytes + WT_TCP_HEADER_BYTES > flow->length) return false;
  uint32_t header_bytes = wt_tcp_header_bytes(tcp);
  flow->header_bytes = flow->ip_bytes + header_bytes;
  if (header_bytes < WT_TCP_HEADER_BYTES || flow->header_bytes >= flow->length) return false;
  if ((tcp[WT_TCP_OFFSET_AT] & 15u) != 0 || (tcp[WT_TCP_FLAGS_AT] & ~WT_TCP_PSH) != WT_TCP_ACK) return false;
  flow->sequence = wt_load32(tcp + WT_TCP_SEQUENCE_AT);
  flow->is_push = (tcp[WT_TCP_FLAGS_AT] & WT_TCP_PSH) != 0;
  return true;
}

static bool read_udp(struct wt_flow *flow) {
  const uint8_t *udp = flow->packet + flow->ip_bytes;
  flow->header_bytes = flow->ip_bytes + WT_UDP_HEADER_BYTES;
  if (flow->header_bytes >= flow->length) return false;
  if (wt_load16(udp + WT_UDP_LENGTH_AT) != flow->length - flow->ip_bytes) return false;
  return wt_field(udp + WT_UDP_CHECKSUM_AT) != 0;
}

static bool has_right_checksum(const struct wt_flow *flow) {
  uint32_t transport_bytes = flow->length - flow->ip_bytes;
  uint64_t sum = wt_pseudo_sum(flow->packet, flow->is_tcp ? WT_PROTOCOL_TCP : WT_PROTOCOL_UDP, transport_bytes);
  return wt_checksum(sum + wt_sum(flow->packet + flow->ip_bytes, transport_bytes)) == 0;
}

void wt_flow_read(struct wt_flow *flow, const uint8_t *packet, uint32_t length, bool tcp, bool udp) {
  *flow = (struct wt_flow){.packet = packet, .length = length, .kind = WT_FLOW_UNKNOWN};
  uint32_t version = wt_ip_version(packet);
  if (version != 4 && version != 6) return;
  if (!(version == 4 ? read_ipv4(flow) : read_ipv6(flow))) return;
  if (!(flow->is_tcp ? tcp && read_tcp(flow) : udp && read_udp(flow))) return;

  flow->payload_bytes = length - flow->header_bytes;
  if (has_right_checksum(flow)) flow->kind = WT_FLOW_MERGEABLE;
}

bool wt_flow_is_same(const struct wt_flow *a, const struct wt_flow *b) {
  if (a->hash != b->hash || is_ipv4(a->packet) != is_ipv4(b->packet)) return false;
  uint32_t at = is_ipv4(a->packet) ? WT_IPV4_ADDRESSES_AT : WT_IPV6_ADDRESSES_AT;
  uint32_t bytes = is_ipv4(a->packet) ? WT_IPV4_ADDRESSES_BYTES : WT_IPV6_ADDRESSES_BYTES;
  bool is_same = memcmp(a->packet + at, b->packet + at, bytes) == 0;
  if (!is_same || a->kind < WT_FLOW_PORTS || b->kind < WT_FLOW_PORTS) return is_same;
  return a->is_tcp == b->is_tcp && memcmp(a->packet + a->ip_bytes, b->packet + b->ip_bytes, WT_PORTS_BYTES) == 0;
}

/* Compares the parts of the IP header that the packets of a super-packet share. */
static bool has_same_ip_header(const struct wt_flow *first, uint32_t count, const struct wt_flow *flow) {
  const uint8_t *a = first->packet;
  const uint8_t *b = flow->packet;
  /* Version, traffic class and flow label; hop limit. */
  if (!is_ipv4(a)) return memcmp(a, b, 4) == 0 && a[WT_IPV6_HOP_LIMIT_AT] == b[WT_IPV6_HOP_LIMIT_AT];

  if (a[WT_IPV4_TOS_AT] != b[WT_IPV4_TOS_AT] || a[WT_IPV4_TTL_AT] != b[WT_IPV4_TTL_AT]) return false;
  if (a[WT_IPV4_FRAGMENT_AT] != b[WT_IPV4_FRAGMENT_AT]) return false;
  /* Without DF the identification matters: the kernel increments it when it cuts the super-packet (RFC 6864 §4). */
  return (a[WT_IPV4_FRAGMENT_AT] & WT_IPV4_DF) != 0 ||
         (uint16_t)(wt_load16(a + WT_IPV4_ID_AT) + count) == wt_load16(b + WT_IPV4_ID_AT);
}

bool wt_flow_continues(const struct wt_flow *first, uint32_t count, uint32_t sequence, const struct wt_flow *flow) {
  if (first->header_bytes != flow->header_bytes || flow->payload_bytes > first->payload_bytes) return false;
  if (!has_same_ip_header(first, count, flow)) return false;
  if (!first->is_tcp) return true;

  const uint8_t *a = first->packet + first->ip_bytes;
  const uint8_t *b = flow->packet + flow->ip_bytes;
  /* The urgent pointer, and all options. */
  uint32_t end_bytes = first->header_bytes - first->ip_bytes - WT_TCP_URGENT_AT;
  return flow->sequence == sequence &&
         memcmp(a + WT_TCP_ACKNOWLEDGEMENT_AT, b + WT_TCP_ACKNOWLEDGEMENT_AT, 4) == 0 &&
         memcmp(a + WT_TCP_WINDOW_AT, b + WT_TCP_WINDOW_AT, 2) == 0 &&
         memcmp(a + WT_TCP_URGENT_AT, b + WT_TCP_URGENT_AT, end_bytes) == 0;
}
