/* Merges packets of a batch into super-packets, per flow, before they are written to the TUN. */
#ifndef WT_COALESCE_H
#define WT_COALESCE_H

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "flow.h"

/* Flows that are open at a time; beyond this number the oldest flow is written. */
#define WT_OPEN_FLOWS 16u
/* The number of UDP segments that all kernels with USO accept. */
#define WT_MAX_UDP_SEGMENTS 64u
#define WT_MAX_TCP_SEGMENTS 256u
/* IPv6 header and the longest TCP header; longer for IPv4 only with options, which are never merged. */
#define WT_MAX_HEADER_BYTES 100u

/* Packets that are written as one: a chain of rows. */
struct wt_run {
  struct wt_flow first_flow;
  uint32_t first;
  uint32_t last;
  uint32_t count;
  uint32_t total_bytes;
  /* Sequence number of the next packet of TCP. */
  uint32_t sequence;
  /* Nothing may follow: the last packet was a short one or has PSH. */
  bool is_closed;
  bool is_push;
};

/* One packet or super-packet for writev: virtio-net header, headers, payloads. */
struct wt_gather {
  struct virtio_net_hdr virtio;
  uint8_t header[WT_MAX_HEADER_BYTES];
  struct iovec parts[2 + WT_MAX_TCP_SEGMENTS];
  int part_count;
};

/* Returns 0, or an errno that ends the whole batch. */
typedef int wt_write_run(void *context, const struct wt_batch *batch, const struct wt_run *run);

struct wt_coalescer {
  struct wt_run open[WT_OPEN_FLOWS];
  uint32_t open_count;
  bool tcp;
  bool udp;
  wt_write_run *write;
  void *context;
};

/* Hands every row of [0, count) that passes and has a length to `write`, in order within each flow. */
int wt_coalesce(struct wt_coalescer *coalescer, struct wt_batch *batch, uint32_t count);

/* Fills `gather` for a run of one or more rows. Payloads are not copied. */
void wt_gather_run(struct wt_gather *gather, const struct wt_batch *batch, const struct wt_run *run);

#endif
