#include "split.h"

#include <string.h>

#include "checksum.h"
#include "ip.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* A length field counts modulo this. The length of a super-packet is written to no row. */
#define LENGTH_FIELD_MASK 0xffffu

/* Replaces a checksum of 0 by 0xffff, as the kernel's skb_checksum_help does. Only UDP distinguishes the two. */
static uint16_t not_zero(uint16_t checksum) {
  return checksum == 0 ? 0xffff : checksum;
}

static bool complete_checksum(const struct virtio_net_hdr *header, uint8_t *packet, uint32_t length) {
  uint32_t field_at = (uint32_t)header->csum_start + header->csum_offset;
  if (field_at + 2 > length) return false;
  uint64_t sum = wt_sum(packet + header->csum_start, length - header->csum_start);
  wt_set_field(packet + field_at, not_zero(wt_checksum(sum)));
  return true;
}

/* Finds the headers of a super-packet. */
static bool measure(struct wt_super *super, const struct virtio_net_hdr *header) {
  const uint8_t *packet = super->packet;
  uint32_t ip_bytes = wt_ip_version(packet) == 4 ? wt_ipv4_header_bytes(packet) : WT_IPV6_HEADER_BYTES;
  if (super->length < WT_IPV4_HEADER_BYTES || ip_bytes < WT_IPV4_HEADER_BYTES) return false;
  super->transport_at = header->csum_start;
  if (super->transport_at < ip_bytes) return false;

  uint32_t transport_bytes = WT_UDP_HEADER_BYTES;
  if (!super->is_udp) {
    if (super->transport_at + WT_TCP_HEADER_BYTES > super->length) return false;
    transport_bytes = wt_tcp_header_bytes(packet + super->transport_at);
    if (transport_bytes < WT_TCP_HEADER_BYTES) return false;
  }
  super->header_bytes = super->transport_at + transport_bytes;
  super->segment_bytes = header->gso_size;
  return super->segment_bytes > 0 && super->header_bytes < super->length;
}

bool wt_split_begin(struct wt_super *super, const struct virtio_net_hdr *header, uint8_t *packet, uint32_t length) {
  *super = (struct wt_super){.packet = packet, .length = length, .is_waiting = true};
  uint8_t type = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
  if (length > WT_MAX_PACKET_BYTES) return false;
  if (type == VIRTIO_NET_HDR_GSO_NONE)
    return (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0 || complete_checksum(header, packet, length);

  super->is_udp = type == VIRTIO_NET_HDR_GSO_UDP_L4;
  if (!super->is_udp && type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6) return false;
  return (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 && measure(super, header);
}

bool wt_split_begin_blocks(struct wt_super *super, uint8_t *packet, uint32_t header_bytes, uint32_t segment_bytes,
                           uint32_t payload_bytes, struct wt_blocks blocks) {
  if (header_bytes < WT_IPV4_HEADER_BYTES + WT_TCP_HEADER_BYTES) return false;
  uint32_t ip_bytes = wt_ip_version(packet) == 4 ? WT_IPV4_HEADER_BYTES : WT_IPV6_HEADER_BYTES;
  uint8_t *tcp = packet + ip_bytes;
  if (ip_bytes + WT_TCP_HEADER_BYTES > header_bytes || wt_tcp_header_bytes(tcp) != header_bytes - ip_bytes) return false;
  if (segment_bytes == 0 || segment_bytes > WT_MAX_PACKET_BYTES - header_bytes) return false;
  if (payload_bytes == 0 || payload_bytes > INT32_MAX) return false;
  *super = (struct wt_super){
      .packet = packet,
      .length = header_bytes + payload_bytes,
      .blocks = blocks,
      .transport_at = ip_bytes,
      .header_bytes = header_bytes,
      .segment_bytes = segment_bytes,
      .is_waiting = true,
  };
  uint32_t transport_bytes = (super->length - ip_bytes) & LENGTH_FIELD_MASK;
  wt_set_field(tcp + WT_TCP_CHECKSUM_AT, wt_fold(wt_pseudo_sum(packet, WT_PROTOCOL_TCP, transport_bytes)));
  return true;
}

/* IPv4: total length, incremented identification, header checksum. IPv6: payload length. */
static void write_ip_header(uint8_t *row, uint32_t length, uint32_t index) {
  if (wt_ip_version(row) == 6) {
    wt_store16(row + WT_IPV6_LENGTH_AT, length - WT_IPV6_HEADER_BYTES);
    return;
  }
  wt_store16(row + WT_IPV4_LENGTH_AT, length);
  wt_store16(row + WT_IPV4_ID_AT, wt_load16(row + WT_IPV4_ID_AT) + index);
  wt_set_field(row + WT_IPV4_CHECKSUM_AT, 0);
  wt_set_field(row + WT_IPV4_CHECKSUM_AT, wt_checksum(wt_sum(row, wt_ipv4_header_bytes(row))));
}

/*
 * The super-packet's checksum field has the sum of its pseudo-header. Replacing only the
 * length keeps the invisible part: the final destination of a packet with a routing header.
 */
static uint64_t pseudo_sum(const struct wt_super *super, uint32_t field_at, uint32_t transport_bytes) {
  const uint8_t *transport = super->packet + super->transport_at;
  uint32_t old_bytes = super->is_udp ? wt_load16(transport + WT_UDP_LENGTH_AT) : super->length - super->transport_at;
  return (uint64_t)wt_field(transport + field_at) + (uint16_t)~htons((uint16_t)old_bytes) +
         htons((uint16_t)transport_bytes);
}

static void write_transport_header(const struct wt_super *super, uint8_t *row, uint32_t length, bool is_last) {
  uint8_t *transport = row + super->transport_at;
  uint32_t transport_bytes = length - super->transport_at;
  uint32_t field_at = super->is_udp ? WT_UDP_CHECKSUM_AT : WT_TCP_CHECKSUM_AT;
  if (super->is_udp) {
    wt_store16(transport + WT_UDP_LENGTH_AT, transport_bytes);
  } else {
    wt_store32(transport + WT_TCP_SEQUENCE_AT, wt_load32(transport + WT_TCP_SEQUENCE_AT) + super->done);
    if (!is_last) transport[WT_TCP_FLAGS_AT] &= (uint8_t) ~(WT_TCP_FIN | WT_TCP_PSH);
    if (super->index > 0) transport[WT_TCP_FLAGS_AT] &= (uint8_t)~WT_TCP_CWR;
  }
  wt_set_field(transport + field_at, 0);
  uint64_t sum = pseudo_sum(super, field_at, transport_bytes) + wt_sum(transport, transport_bytes);
  wt_set_field(transport + field_at, not_zero(wt_checksum(sum)));
}

/* Copies the next `count` bytes of the payload. Returns false if they are not in the blocks. */
static bool copy_payload(const struct wt_super *super, uint8_t *to, uint32_t count) {
  const struct wt_blocks *from = &super->blocks;
  if (from->blocks == NULL) {
    memcpy(to, super->packet + super->header_bytes + super->done, count);
    return true;
  }
  uint64_t at = (uint64_t)from->at + super->done;
  if (at + count > (uint64_t)from->count * from->block_bytes) return false;
  while (count > 0) {
    uint32_t in_block = (uint32_t)(at % from->block_bytes);
    uint32_t part = from->block_bytes - in_block < count ? from->block_bytes - in_block : count;
    memcpy(to, from->blocks[at / from->block_bytes] + in_block, part);
    to += part;
    at += part;
    count -= part;
  }
  return true;
}

/* Returns false if the batch is full, or the blocks are at their end. */
static bool split_one(struct wt_super *super, struct wt_batch *batch, uint32_t row) {
  uint32_t payload = super->length - super->header_bytes - super->done;
  bool is_last = payload <= super->segment_bytes;
  if (!is_last) payload = super->segment_bytes;

  uint32_t length = super->header_bytes + payload;
  uint8_t *to = wt_append_row(batch, row, length);
  if (to == NULL || !copy_payload(super, to + super->header_bytes, payload)) return false;
  memcpy(to, super->packet, super->header_bytes);
  write_ip_header(to, length, super->index);
  write_transport_header(super, to, length, is_last);

  super->done += payload;
  super->index++;
  super->is_waiting = !is_last;
  return true;
}

uint32_t wt_split_rows(struct wt_super *super, struct wt_batch *batch, uint32_t row) {
  if (super->segment_bytes == 0) {
    uint8_t *to = wt_append_row(batch, row, super->length);
    if (to == NULL) return row;
    memcpy(to, super->packet, super->length);
    super->is_waiting = false;
    return row + 1;
  }
  while (super->is_waiting && split_one(super, batch, row)) row++;
  return row;
}
