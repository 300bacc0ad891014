#include "coalesce.h"

#include <string.h>

#include "checksum.h"
#include "ip.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif


static int write_open(struct wt_coalescer *coalescer, const struct wt_batch *batch, uint32_t index) {
  struct wt_run run = coalescer->open[index];
  coalescer->open_count--;
  memmove(&coalescer->open[index], &coalescer->open[index + 1],
          (coalescer->open_count - index) * sizeof coalescer->open[0]);
  return coalescer->write(coalescer->context, batch, &run);
}

/* Writes the packets that a packet of this flow must not overtake. */
static int write_same_flow(struct wt_coalescer *coalescer, const struct wt_batch *batch, const struct wt_flow *flow) {
  if (flow->kind == WT_FLOW_UNKNOWN) return 0;
  for (uint32_t i = 0; i < coalescer->open_count;) {
    if (!wt_flow_is_same(&coalescer->open[i].first_flow, flow)) {
      i++;
      continue;
    }
    int error = write_open(coalescer, batch, i);
    if (error != 0) return error;
  }
  return 0;
}

static struct wt_run run_of(uint32_t row, const struct wt_flow *flow) {
  return (struct wt_run){
      .first_flow = *flow,
      .first = row,
      .last = row,
      .count = 1,
      .total_bytes = flow->length,
      .sequence = flow->sequence + flow->payload_bytes,
      .is_closed = flow->is_push,
      .is_push = flow->is_push,
  };
}

static bool append(struct wt_run *run, struct wt_batch *batch, uint32_t row, const struct wt_flow *flow) {
  uint32_t most = flow->is_tcp ? WT_MAX_TCP_SEGMENTS : WT_MAX_UDP_SEGMENTS;
  if (run->is_closed || run->count >= most) return false;
  if (run->total_bytes + flow->payload_bytes > WT_MAX_PACKET_BYTES) return false;
  if (!wt_flow_continues(&run->first_flow, run->count, run->sequence, flow)) return false;

  batch->next[run->last] = row;
  run->last = row;
  run->count++;
  run->total_bytes += flow->payload_bytes;
  run->sequence += flow->payload_bytes;
  run->is_push = flow->is_push;
  run->is_closed = flow->is_push || flow->payload_bytes < run->first_flow.payload_bytes;
  return true;
}

static int add_mergeable(struct wt_coalescer *coalescer, struct wt_batch *batch, uint32_t row,
                         const struct wt_flow *flow) {
  for (uint32_t i = 0; i < coalescer->open_count; i++) {
    if (!wt_flow_is_same(&coalescer->open[i].first_flow, flow)) continue;
    if (append(&coalescer->open[i], batch, row, flow)) return 0;
    int error = write_open(coalescer, batch, i);
    if (error != 0) return error;
    break;
  }
  if (coalescer->open_count == WT_OPEN_FLOWS) {
    int error = write_open(coalescer, batch, 0);
    if (error != 0) return error;
  }
  coalescer->open[coalescer->open_count++] = run_of(row, flow);
  return 0;
}

static int add_row(struct wt_coalescer *coalescer, struct wt_batch *batch, uint32_t row) {
  struct wt_flow flow;
  wt_flow_read(&flow, wt_row(batch, row), batch->length[row], coalescer->tcp, coalescer->udp);
  if (flow.kind == WT_FLOW_MERGEABLE) return add_mergeable(coalescer, batch, row, &flow);

  int error = write_same_flow(coalescer, batch, &flow);
  if (error != 0) return error;
  struct wt_run alone = run_of(row, &flow);
  return coalescer->write(coalescer->context, batch, &alone);
}

int wt_coalesce(struct wt_coalescer *coalescer, struct wt_batch *batch, uint32_t count) {
  int error = 0;
  coalescer->open_count = 0;
  for (uint32_t row = 0; row < count && error == 0; row++)
    if (batch->verdict[row] == WT_VERDICT_PASS && batch->length[row] > 0) error = add_row(coalescer, batch, row);
  while (coalescer->open_count > 0 && error == 0) error = write_open(coalescer, batch, 0);
  return error;
}

static void write_ip_header(uint8_t *header, uint32_t total_bytes) {
  if (wt_ip_version(header) == 6) {
    wt_store16(header + WT_IPV6_LENGTH_AT, total_bytes - WT_IPV6_HEADER_BYTES);
    return;
  }
  wt_store16(header + WT_IPV4_LENGTH_AT, total_bytes);
  wt_set_field(header + WT_IPV4_CHECKSUM_AT, 0);
  wt_set_field(header + WT_IPV4_CHECKSUM_AT, wt_checksum(wt_sum(header, WT_IPV4_HEADER_BYTES)));
}

/*
 * Writes the header. Its checksum field gets the sum of the pseudo-header; the kernel or the network card adds the
 * rest.
 */
static void write_super_header(struct wt_gather *gather, const struct wt_run *run) {
  const struct wt_flow *flow = &run->first_flow;
  uint8_t *transport = gather->header + flow->ip_bytes;
  uint32_t transport_bytes = run->total_bytes - flow->ip_bytes;
  uint32_t field_at = flow->is_tcp ? WT_TCP_CHECKSUM_AT : WT_UDP_CHECKSUM_AT;

  memcpy(gather->header, flow->packet, flow->header_bytes);
  write_ip_header(gather->header, run->total_bytes);
  if (!flow->is_tcp) wt_store16(transport + WT_UDP_LENGTH_AT, transport_bytes);
  else if (run->is_push) transport[WT_TCP_FLAGS_AT] |= WT_TCP_PSH;
  uint64_t sum = wt_pseudo_sum(gather->header, flow->is_tcp ? WT_PROTOCOL_TCP : WT_PROTOCOL_UDP, transport_bytes);
  wt_set_field(transport + field_at, wt_fold(sum));

  uint8_t tcp_type = wt_ip_version(gather->header) == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
  gather->virtio = (struct virtio_net_hdr){
      .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
      .gso_type = flow->is_tcp ? tcp_type : VIRTIO_NET_HDR_GSO_UDP_L4,
      .hdr_len = (uint16_t)flow->header_bytes,
      .gso_size = (uint16_t)flow->payload_bytes,
      .csum_start = (uint16_t)flow->ip_bytes,
      .csum_offset = (uint16_t)field_at,
  };
}

void wt_gather_run(struct wt_gather *gather, const struct wt_batch *batch, const struct wt_run *run) {
  gather->parts[0] = (struct iovec){.iov_base = &gather->virtio, .iov_len = sizeof gather->virtio};
  if (run->count == 1) {
    gather->virtio = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    gather->parts[1] = (struct iovec){.iov_base = wt_row(batch, run->first), .iov_len = batch->length[run->first]};
    gather->part_count = 2;
    return;
  }
  uint32_t header_bytes = run->first_flow.header_bytes;
  write_super_header(gather, run);
  gather->parts[1] = (struct iovec){.iov_base = gather->header, .iov_len = header_bytes};
  gather->part_count = 2;
  for (uint32_t row = run->first, left = run->count; left > 0; row = batch->next[row], left--)
    gather->parts[gather->part_count++] =
        (struct iovec){.iov_base = wt_row(batch, row) + header_bytes, .iov_len = batch->length[row] - header_bytes};
}
