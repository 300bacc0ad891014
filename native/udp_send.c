#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "system.h"
#include "udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* The bytes of one call with UDP_SEGMENT, below the limit of an IPv6 packet. */
#define RUN_BYTES 65000u
/* The size that every link carries unfragmented, with the headers of IP and UDP. */
#define ALWAYS_WHOLE_BYTES 500u
/* A limit that holds all back: a segment has at least one byte. */
#define GSO_NOTHING 0u

/* Treatment of datagrams that are too long for the link. */
enum fragments { FRAGMENTS_EITHER, FRAGMENTS_ALLOWED, FRAGMENTS_REFUSED };

struct plan {
  struct wt_udp *udp;
  struct wt_batch *batch;
  uint32_t count;
  /* Rows before this row are sent one by one. */
  uint32_t single_until;
  /* The limit of the path of those rows, once one of them has left: until then the endpoint may be to blame. */
  uint32_t suspected_limit;
  uint32_t messages;
  uint32_t parts;
  int family;
  enum fragments fragments;
};

enum next_step { STEP_SKIP, STEP_REPLAN, STEP_BLOCKED };

static uint32_t source_interface(const uint8_t *record) {
  uint32_t index;
  memcpy(&index, record + WT_ENDPOINT_SOURCE_INTERFACE_AT, 4);
  return index;
}

static socklen_t write_address(union wt_address *to, const uint8_t *record) {
  memset(to, 0, sizeof *to);
  if (record[WT_ENDPOINT_FAMILY_AT] == 4) {
    to->v4.sin_family = AF_INET;
    memcpy(&to->v4.sin_port, record + WT_ENDPOINT_PORT_AT, 2);
    memcpy(&to->v4.sin_addr, record + WT_ENDPOINT_ADDRESS_AT, 4);
    return sizeof to->v4;
  }
  to->v6.sin6_family = AF_INET6;
  memcpy(&to->v6.sin6_port, record + WT_ENDPOINT_PORT_AT, 2);
  memcpy(&to->v6.sin6_addr, record + WT_ENDPOINT_ADDRESS_AT, 16);
  if (IN6_IS_ADDR_LINKLOCAL(&to->v6.sin6_addr)) memcpy(&to->v6.sin6_scope_id, record + WT_ENDPOINT_SCOPE_AT, 4);
  return sizeof to->v6;
}

static void add_control(struct msghdr *header, int level, int type, const void *data, size_t length) {
  struct cmsghdr *control = (struct cmsghdr *)((uint8_t *)header->msg_control + header->msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(length);
  memcpy(CMSG_DATA(control), data, length);
  header->msg_controllen += CMSG_SPACE(length);
}

/* Adds the source. The routing table chooses the interface, unless the address requires a scope. */
static void add_source(struct msghdr *header, const uint8_t *record) {
  if (record[WT_ENDPOINT_FAMILY_AT] == 4) {
    struct in_pktinfo info = {0};
    memcpy(&info.ipi_spec_dst, record + WT_ENDPOINT_SOURCE_ADDRESS_AT, 4);
    add_control(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    return;
  }
  struct in6_pktinfo info = {0};
  memcpy(&info.ipi6_addr, record + WT_ENDPOINT_SOURCE_ADDRESS_AT, 16);
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = source_interface(record);
  add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

static void add_message(struct plan *plan, uint32_t first, uint32_t end, uint32_t segments, uint32_t first_part) {
  struct wt_udp_sender *sender = &plan->udp->sender;
  uint32_t index = plan->messages++;
  const uint8_t *record = wt_endpoint_record(plan->batch, first);
  struct msghdr *header = &sender->messages[index].msg_hdr;
  *header = (struct msghdr){
      .msg_name = &sender->to[index],
      .msg_namelen = write_address(&sender->to[index], record),
      .msg_iov = &sender->parts[first_part],
      .msg_iovlen = plan->parts - first_part,
      .msg_control = sender->control[index],
  };
  sender->first_row[index] = first;
  sender->end_row[index] = end;
  sender->segments[index] = segments;

  bool is_ipv4 = record[WT_ENDPOINT_FAMILY_AT] == 4;
  int traffic_class = plan->batch->traffic_class[first];
  if (source_interface(record) != 0) add_source(header, record);
  if (traffic_class != 0)
    add_control(header, is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6, is_ipv4 ? IP_TOS : IPV6_TCLASS, &traffic_class,
                sizeof traffic_class);
  if (segments > 1) {
    uint16_t segment_bytes = (uint16_t)plan->batch->length[first];
    add_control(header, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, sizeof segment_bytes);
  }
  if (header->msg_controllen == 0) header->msg_control = NULL;
}

static bool is_same_way(const struct wt_batch *batch, uint32_t a, uint32_t b) {
  if (batch->traffic_class[a] != batch->traffic_class[b]) return false;
  return batch->endpoint[a] == batch->endpoint[b] ||
         memcmp(wt_endpoint_record(batch, a), wt_endpoint_record(batch, b), WT_ENDPOINT_BYTES) == 0;
}

static struct wt_udp_path *path_of(struct plan *plan, uint32_t row) {
  return wt_path_to(plan->udp->sender.paths, wt_endpoint_record(plan->batch, row));
}

/* How many segments a run that begins with this row may have. */
static uint32_t most_segments(struct plan *plan, uint32_t row) {
  uint32_t length = plan->batch->length[row];
  if (!plan->udp->gso || row < plan->single_until || length == 0) return 1;
  return wt_path_takes_runs(path_of(plan, row), length) ? WT_MAX_SEGMENTS : 1;
}

/*
 * Tests whether the row may be fragmented. It may not where its route leads into another program's tunnel: there each
 * fragment is wrapped and grows, and where two tunnels carry each other the fragments double with each round. The core
 * detects such loops in its own tunnel.
 */
static enum fragments fragments_of(struct plan *plan, uint32_t row) {
  if (plan->batch->length[row] <= ALWAYS_WHOLE_BYTES) return FRAGMENTS_EITHER;
  const uint8_t *record = wt_endpoint_record(plan->batch, row);
  bool is_tunnel = wt_path_leads_into_other_tunnel(path_of(plan, row), &plan->udp->sender.routes, record);
  return is_tunnel ? FRAGMENTS_REFUSED : FRAGMENTS_ALLOWED;
}

static void add_part(struct plan *plan, uint32_t row) {
  plan->udp->sender.parts[plan->parts++] =
      (struct iovec){.iov_base = wt_row(plan->batch, row), .iov_len = plan->batch->length[row]};
}

/* Plans one message for the row and the rows that may be sent with it. Returns the row behind them. */
static uint32_t plan_run(struct plan *plan, uint32_t first) {
  const struct wt_batch *batch = plan->batch;
  uint32_t first_part = plan->parts;
  uint32_t segment_bytes = batch->length[first];
  uint32_t total_bytes = segment_bytes;
  uint32_t most = most_segments(plan, first);
  uint32_t segments = 1;
  uint32_t row = first + 1;
  bool is_closed = false;
  add_part(plan, first);
  for (; row < plan->count && segments < most && plan->parts < WT_SEND_PARTS && !is_closed; row++) {
    if (batch->verdict[row] != WT_VERDICT_PASS) continue;
    uint32_t length = batch->length[row];
    if (length == 0 || length > segment_bytes || total_bytes + length > RUN_BYTES) break;
    if (!is_same_way(batch, first, row)) break;
    add_part(plan, row);
    total_bytes += length;
    segments++;
    is_closed = length < segment_bytes;
  }
  add_message(plan, first, row, segments, first_part);
  return row;
}

/* The socket for the row; −1 if it has no family that there is a socket for. */
static int family_of(const struct plan *plan, uint32_t row) {
  uint8_t family = wt_endpoint_record(plan->batch, row)[WT_ENDPOINT_FAMILY_AT];
  if (family != 4 && family != 6) return -1;
  int index = family == 6;
  return plan->udp->fd[index] < 0 ? -1 : index;
}

/* Plans messages for one socket. Returns the row behind them. */
static uint32_t plan_messages(struct plan *plan, uint32_t row) {
  plan->messages = 0;
  plan->parts = 0;
  plan->family = -1;
  plan->fragments = FRAGMENTS_EITHER;
  while (row < plan->count && plan->messages < WT_SEND_MESSAGES && plan->parts < WT_SEND_PARTS) {
    if (plan->batch->verdict[row] != WT_VERDICT_PASS) {
      row++;
      continue;
    }
    int family = family_of(plan, row);
    if (family < 0 && plan->messages == 0) {
      wt_count_errors(plan->udp->errors, EAFNOSUPPORT, 1);
      row++;
      continue;
    }
    enum fragments fragments = family < 0 ? FRAGMENTS_EITHER : fragments_of(plan, row);
    if (fragments == FRAGMENTS_EITHER) fragments = plan->fragments;
    bool is_other = family != plan->family || (plan->fragments != FRAGMENTS_EITHER && fragments != plan->fragments);
    if (plan->messages > 0 && is_other) break;
    plan->family = family;
    plan->fragments = fragments;
    row = plan_run(plan, row);
  }
  return row;
}

static bool is_source_error(int error) {
  return error == EINVAL || error == ENETUNREACH || error == EADDRNOTAVAIL || error == EHOSTUNREACH;
}

static bool forget_source(struct plan *plan, uint32_t row) {
  uint8_t *record = wt_endpoint_record(plan->batch, row);
  if (source_interface(record) == 0) return false;
  memcpy(plan->udp->refused_source, record, WT_ENDPOINT_BYTES);
  memset(record + WT_ENDPOINT_SOURCE_INTERFACE_AT, 0, WT_ENDPOINT_BYTES - WT_ENDPOINT_SOURCE_INTERFACE_AT);
  return true;
}

/*
 * The path takes no runs (EIO, EOPNOTSUPP: no checksum offload, or IPsec), or none with segments of this size (EMSGSIZE,
 * EINVAL: its MTU is smaller). The source or the remote address may be to blame as well.
 */
static bool is_run_error(int error) {
  return error == EIO || error == EOPNOTSUPP || error == EINVAL || error == EMSGSIZE;
}

/* Records that a row was sent alone that could not be sent in a run: the path has a limit. */
static void confirm_limit(struct plan *plan, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) {
    uint32_t row = plan->udp->sender.first_row[i];
    if (row >= plan->single_until) return;
    if (plan->batch->length[row] <= plan->suspected_limit) continue;
    wt_path_limit_runs(path_of(plan, row), plan->suspected_limit);
    plan->suspected_limit = UINT32_MAX;
    return;
  }
}

/* Decides the next step for message `index`, which the system refused. */
static enum next_step after_error(struct plan *plan, uint32_t index, int error) {
  struct wt_udp_sender *sender = &plan->udp->sender;
  uint32_t first = sender->first_row[index];
  bool is_run = sender->segments[index] > 1;
  if (error == EAGAIN) return STEP_BLOCKED;
  if (error == EINTR) return STEP_REPLAN;
  if (is_run && is_run_error(error)) {
    bool takes_none = error == EIO || error == EOPNOTSUPP;
    plan->suspected_limit = takes_none ? GSO_NOTHING : plan->batch->length[first] - 1;
    plan->single_until = sender->end_row[index];
    return STEP_REPLAN;
  }
  if (is_source_error(error) && forget_source(plan, first)) {
    plan->single_until = 0; /* The source was to blame, not the size. */
    return STEP_REPLAN;
  }
  wt_count_errors(plan->udp->errors, error, sender->segments[index]);
  return STEP_SKIP;
}

/* Sends the planned messages. Returns how many are done; `step` is the way to go on with the next one. */
static uint32_t send_messages(struct plan *plan, enum next_step *step) {
  struct mmsghdr *messages = plan->udp->sender.messages;
  uint32_t sent = 0;
  if (plan->messages > 0 && plan->fragments != FRAGMENTS_EITHER)
    wt_udp_set_fragmenting(plan->udp, (uint32_t)plan->family, plan->fragments == FRAGMENTS_ALLOWED);
  while (sent < plan->messages) {
    int result = sendmmsg(plan->udp->fd[plan->family], messages + sent, plan->messages - sent, MSG_DONTWAIT);
    if (result > 0) {
      if (plan->suspected_limit != UINT32_MAX) confirm_limit(plan, sent, sent + (uint32_t)result);
      sent += (uint32_t)result;
      continue;
    }
    *step = after_error(plan, sent, result < 0 ? errno : EIO);
    if (*step != STEP_SKIP) return sent;
    sent++;
  }
  return sent;
}

uint32_t wt_udp_send(struct wt_udp *udp, struct wt_batch *batch, uint32_t from, uint32_t count) {
  struct plan plan = {.udp = udp, .batch = batch, .count = count, .suspected_limit = UINT32_MAX};
  uint32_t row = from;
  udp->sender.routes.now_ms = (uint32_t)wt_coarse_time_ms();
  udp->blocked_family = -1;
  while (row < count) {
    enum next_step step = STEP_SKIP;
    uint32_t end = plan_messages(&plan, row);
    uint32_t sent = send_messages(&plan, &step);
    row = sent < plan.messages ? udp->sender.first_row[sent] : end;
    if (step == STEP_BLOCKED && sent < plan.messages) {
      udp->blocked_family = plan.family;
      return row;
    }
  }
  return row;
}
