#include "flow.h"

#include <string.h>

#include "checksum.h"

#define IPV4_HEADER_BYTES 20u
#define IPV6_HEADER_BYTES 40u
#define TCP_HEADER_BYTES 20u
#define UDP_HEADER_BYTES 8u
#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define IPV4_DONT_FRAGMENT 0x40u

static bool is_ipv4(const uint8_t *packet) {
  return packet[0] >> 4 == 4;
}

static uint32_t hash_words(const uint8_t *at, uint32_t words) {
  uint32_t hash = 0;
  for (uint32_t i = 0; i < words; i++) hash = (hash ^ wt_load32(at + 4 * i)) * 0x9e3779b1u;
  return hash;
}

/* Whether header, length fields and header checksum are as they should be, for a packet in one piece. */
static bool read_ipv4(struct wt_flow *flow) {
  const uint8_t *packet = flow->packet;
  if (flow->length < IPV4_HEADER_BYTES) return false;
  flow->kind = WT_FLOW_ADDRESSES;
  flow->hash = hash_words(packet + 12, 2);
  flow->ip_bytes = (packet[0] & 15u) * 4u;
  bool is_fragment = (packet[6] & 0x3fu) != 0 || packet[7] != 0;
  if (is_fragment || flow->ip_bytes < IPV4_HEADER_BYTES || flow->ip_bytes + 4 > flow->length) return false;
  if (packet[9] != PROTOCOL_TCP && packet[9] != PROTOCOL_UDP) return false;

  flow->kind = WT_FLOW_PORTS;
  flow->is_tcp = packet[9] == PROTOCOL_TCP;
  return flow->ip_bytes == IPV4_HEADER_BYTES && wt_load16(packet + 2) == flow->length &&
         (packet[6] & ~IPV4_DONT_FRAGMENT) == 0 && wt_checksum(wt_sum(packet, IPV4_HEADER_BYTES)) == 0;
}

static bool read_ipv6(struct wt_flow *flow) {
  const uint8_t *packet = flow->packet;
  if (flow->length < IPV6_HEADER_BYTES) return false;
  flow->kind = WT_FLOW_ADDRESSES;
  flow->hash = hash_words(packet + 8, 8);
  flow->ip_bytes = IPV6_HEADER_BYTES;
  bool is_plain = packet[6] == PROTOCOL_TCP || packet[6] == PROTOCOL_UDP;
  if (!is_plain || flow->length < IPV6_HEADER_BYTES + 4) return false;

  flow->kind = WT_FLOW_PORTS;
  flow->is_tcp = packet[6] == PROTOCOL_TCP;
  return wt_load16(packet + 4) + IPV6_HEADER_BYTES == flow->length;
}

static bool read_tcp(struct wt_flow *flow) {
  const uint8_t *tcp = flow->packet + flow->ip_bytes;
  if (flow->ip_bytes + TCP_HEADER_BYTES > flow->length) return false;
  uint32_t header_bytes = (tcp[12] >> 4) * 4u;
  flow->header_bytes = flow->ip_bytes + header_bytes;
  if (header_bytes < TCP_HEADER_BYTES || flow->header_bytes >= flow->length) return false;
  if ((tcp[12] & 15u) != 0 || (tcp[13] & ~TCP_PSH) != TCP_ACK) return false;
  flow->sequence = wt_load32(tcp + 4);
  flow->is_push = (tcp[13] & TCP_PSH) != 0;
  return true;
}

static bool read_udp(struct wt_flow *flow) {
  const uint8_t *udp = flow->packet + flow->ip_bytes;
  flow->header_bytes = flow->ip_bytes + UDP_HEADER_BYTES;
  if (flow->header_bytes >= flow->length || wt_load16(udp + 4) != flow->length - flow->ip_bytes) return false;
  return wt_field(udp + 6) != 0;
}

static bool has_right_checksum(const struct wt_flow *flow) {
  uint32_t transport_bytes = flow->length - flow->ip_bytes;
  uint64_t sum = wt_pseudo_sum(flow->packet, flow->is_tcp ? PROTOCOL_TCP : PROTOCOL_UDP, transport_bytes);
  return wt_checksum(sum + wt_sum(flow->packet + flow->ip_bytes, transport_bytes)) == 0;
}

void wt_flow_read(struct wt_flow *flow, const uint8_t *packet, uint32_t length, bool tcp, bool udp) {
  *flow = (struct wt_flow){.packet = packet, .length = length, .kind = WT_FLOW_UNKNOWN};
  uint32_t version = packet[0] >> 4;
  if (version != 4 && version != 6) return;
  if (!(version == 4 ? read_ipv4(flow) : read_ipv6(flow))) return;
  if (!(flow->is_tcp ? tcp && read_tcp(flow) : udp && read_udp(flow))) return;

  flow->payload_bytes = length - flow->header_bytes;
  if (has_right_checksum(flow)) flow->kind = WT_FLOW_MERGEABLE;
}

bool wt_flow_is_same(const struct wt_flow *a, const struct wt_flow *b) {
  if (a->hash != b->hash || is_ipv4(a->packet) != is_ipv4(b->packet)) return false;
  bool is_same = is_ipv4(a->packet) ? memcmp(a->packet + 12, b->packet + 12, 8) == 0
                                    : memcmp(a->packet + 8, b->packet + 8, 32) == 0;
  if (!is_same || a->kind < WT_FLOW_PORTS || b->kind < WT_FLOW_PORTS) return is_same;
  return a->is_tcp == b->is_tcp && memcmp(a->packet + a->ip_bytes, b->packet + b->ip_bytes, 4) == 0;
}

/* Everything of the IP header that the packets of a super-packet share. */
static bool has_same_ip_header(const struct wt_flow *first, uint32_t count, const struct wt_flow *flow) {
  const uint8_t *a = first->packet;
  const uint8_t *b = flow->packet;
  if (!is_ipv4(a)) return memcmp(a, b, 4) == 0 && a[7] == b[7];

  if (a[1] != b[1] || a[6] != b[6] || a[8] != b[8]) return false;
  /* Without DF the identification matters: the kernel counts it up when it cuts the super-packet (RFC 6864 §4). */
  return (a[6] & IPV4_DONT_FRAGMENT) != 0 || (uint16_t)(wt_load16(a + 4) + count) == wt_load16(b + 4);
}

bool wt_flow_continues(const struct wt_flow *first, uint32_t count, uint32_t sequence, const struct wt_flow *flow) {
  if (first->header_bytes != flow->header_bytes || flow->payload_bytes > first->payload_bytes) return false;
  if (!has_same_ip_header(first, count, flow)) return false;
  if (!first->is_tcp) return true;

  const uint8_t *a = first->packet + first->ip_bytes;
  const uint8_t *b = flow->packet + flow->ip_bytes;
  /* Acknowledgement; window; urgent pointer and options. */
  return flow->sequence == sequence && memcmp(a + 8, b + 8, 4) == 0 && memcmp(a + 14, b + 14, 2) == 0 &&
         memcmp(a + 18, b + 18, first->header_bytes - first->ip_bytes - 18) == 0;
}
