#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "udp.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Room for the greatest datagram, or for a merged one. */
#define DATAGRAM_BYTES 65536u
/* Room for most datagrams that were not merged. A batch of 256 of them takes half a megabyte. */
#define SLOT_BYTES 2048u
#define OVERFLOW_BYTES (DATAGRAM_BYTES - SLOT_BYTES)
/* A socket that was quiet is read in small portions: preparing a message touches memory that has left the caches. */
#define LEAST_MESSAGES 8u
#define ALIGN_MASK 15u

struct arrival {
  const uint8_t *bytes;
  /* The rest that did not fit behind `bytes`: all after the first `head_bytes`. */
  const uint8_t *rest;
  uint32_t head_bytes;
  uint32_t length;
  uint32_t segment_bytes;
  uint8_t traffic_class;
  uint8_t record[WT_ENDPOINT_BYTES];
};

/* How far a batch is filled. */
struct fill {
  struct wt_batch *batch;
  uint32_t rows;
  uint32_t records;
  size_t at;
};

static void read_address(struct arrival *arrival, const union wt_address *from) {
  uint8_t *record = arrival->record;
  if (from->any.sa_family == AF_INET) {
    record[WT_ENDPOINT_FAMILY_AT] = 4;
    memcpy(record + WT_ENDPOINT_PORT_AT, &from->v4.sin_port, 2);
    memcpy(record + WT_ENDPOINT_ADDRESS_AT, &from->v4.sin_addr, 4);
    return;
  }
  record[WT_ENDPOINT_FAMILY_AT] = 6;
  memcpy(record + WT_ENDPOINT_PORT_AT, &from->v6.sin6_port, 2);
  memcpy(record + WT_ENDPOINT_SCOPE_AT, &from->v6.sin6_scope_id, 4);
  memcpy(record + WT_ENDPOINT_ADDRESS_AT, &from->v6.sin6_addr, 16);
}

/* The address that the datagram was sent to is the source for answers, unless it is a multicast address. */
static void read_control(struct arrival *arrival, const struct cmsghdr *control) {
  const uint8_t *data = CMSG_DATA(control);
  if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
    int segment_bytes;
    memcpy(&segment_bytes, data, sizeof segment_bytes);
    if (segment_bytes > 0) arrival->segment_bytes = (uint32_t)segment_bytes;
  } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TOS) {
    arrival->traffic_class = data[0];
  } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_TCLASS) {
    int traffic_class;
    memcpy(&traffic_class, data, sizeof traffic_class);
    arrival->traffic_class = (uint8_t)traffic_class;
  } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
    struct in_pktinfo info;
    memcpy(&info, data, sizeof info);
    memcpy(arrival->record + WT_ENDPOINT_SOURCE_INTERFACE_AT, &info.ipi_ifindex, 4);
    memcpy(arrival->record + WT_ENDPOINT_SOURCE_ADDRESS_AT, &info.ipi_spec_dst, 4);
  } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
    struct in6_pktinfo info;
    memcpy(&info, data, sizeof info);
    if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return;
    memcpy(arrival->record + WT_ENDPOINT_SOURCE_INTERFACE_AT, &info.ipi6_ifindex, 4);
    memcpy(arrival->record + WT_ENDPOINT_SOURCE_ADDRESS_AT, &info.ipi6_addr, 16);
  }
}

static void read_message(struct arrival *arrival, struct mmsghdr *message, const union wt_address *from) {
  struct msghdr *header = &message->msg_hdr;
  const struct iovec *parts = header->msg_iov;
  *arrival = (struct arrival){.bytes = parts[0].iov_base, .length = message->msg_len, .head_bytes = message->msg_len};
  if (message->msg_len > parts[0].iov_len) {
    arrival->head_bytes = (uint32_t)parts[0].iov_len;
    arrival->rest = parts[1].iov_base;
  }
  arrival->segment_bytes = message->msg_len;
  read_address(arrival, from);
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control))
    read_control(arrival, control);
}

/* Returns the record of a row. Consecutive rows mostly come from one peer and share its record. */
static int32_t record_of(struct fill *fill, const uint8_t *record) {
  uint8_t *next = fill->batch->endpoint_bytes + (size_t)fill->records * WT_ENDPOINT_BYTES;
  if (fill->records == 0 || memcmp(next - WT_ENDPOINT_BYTES, record, WT_ENDPOINT_BYTES) != 0) {
    memcpy(next, record, WT_ENDPOINT_BYTES);
    fill->records++;
  }
  return (int32_t)fill->records - 1;
}

/* Makes rows of [done, length) where the bytes lie, as many as there are rows left. Returns where it stopped. */
static uint32_t add_rows(struct fill *fill, const struct arrival *arrival, const uint8_t *bytes, uint32_t done) {
  struct wt_batch *batch = fill->batch;
  if (fill->rows == batch->capacity) return done;
  int32_t record = record_of(fill, arrival->record);
  do {
    uint32_t length = arrival->length - done;
    if (length > arrival->segment_bytes) length = arrival->segment_bytes;
    uint32_t row = fill->rows++;
    batch->offset[row] = (uint32_t)(bytes - batch->bytes) + done;
    batch->length[row] = length;
    batch->verdict[row] = WT_VERDICT_PASS;
    batch->key_slot[row] = WT_NO_KEY;
    batch->traffic_class[row] = arrival->traffic_class;
    batch->endpoint[row] = record;
    done += length;
  } while (done < arrival->length && fill->rows < batch->capacity);
  return done;
}

/* Copies all from byte `from` on. */
static void copy_arrival(uint8_t *to, const struct arrival *arrival, uint32_t from) {
  uint32_t head_bytes = from < arrival->head_bytes ? arrival->head_bytes - from : 0;
  uint32_t rest_from = from < arrival->head_bytes ? 0 : from - arrival->head_bytes;
  uint32_t rest_bytes = arrival->length - arrival->head_bytes - rest_from;
  if (head_bytes > 0) memcpy(to, arrival->bytes + from, head_bytes);
  if (rest_bytes > 0) memcpy(to + head_bytes, arrival->rest + rest_from, rest_bytes);
}

static void spill(struct wt_udp *udp, const struct arrival *arrival, uint32_t done) {
  uint32_t length = arrival->length - done;
  struct wt_spill *spill = malloc(sizeof *spill + length);
  if (spill == NULL) {
    wt_count_errors(udp->errors + WT_ERROR_COUNTERS, ENOMEM, 1);
    return;
  }
  *spill = (struct wt_spill){
      .length = length, .segment_bytes = arrival->segment_bytes, .traffic_class = arrival->traffic_class};
  memcpy(spill->record, arrival->record, WT_ENDPOINT_BYTES);
  copy_arrival(spill->bytes, arrival, done);
  *udp->receiver.spill_end = spill;
  udp->receiver.spill_end = &spill->following;
}

static void drop_first_spill(struct wt_udp *udp) {
  struct wt_spill *spill = udp->receiver.spill_first;
  udp->receiver.spill_first = spill->following;
  if (udp->receiver.spill_first == NULL) udp->receiver.spill_end = &udp->receiver.spill_first;
  free(spill);
}

void wt_udp_free_receiver(struct wt_udp *udp) {
  while (udp->receiver.spill_first != NULL) drop_first_spill(udp);
  free(udp->receiver.overflow);
  udp->receiver.overflow = NULL;
}

/* Copies as many segments of the first spilled datagram as fit. Returns whether all of it is done. */
static bool take_spill(struct wt_udp *udp, struct fill *fill) {
  struct wt_spill *spill = udp->receiver.spill_first;
  struct wt_batch *batch = fill->batch;
  uint32_t segment = spill->segment_bytes > 0 ? spill->segment_bytes : 1;
  uint32_t left = spill->length - spill->done;
  size_t room = batch->arena_bytes - fill->at;
  if (left > room) left = (uint32_t)(room / segment) * segment;
  if (left == 0 && spill->length > 0) {
    if (fill->rows > 0) return false;
    wt_count_errors(udp->errors + WT_ERROR_COUNTERS, EMSGSIZE, 1); /* One datagram alone is more than the arena. */
    return true;
  }
  struct arrival arrival = {
      .length = left, .segment_bytes = spill->segment_bytes, .traffic_class = spill->traffic_class};
  memcpy(arrival.record, spill->record, WT_ENDPOINT_BYTES);
  if (fill->rows == batch->capacity) return false;
  memcpy(batch->bytes + fill->at, spill->bytes + spill->done, left);
  uint32_t done = add_rows(fill, &arrival, batch->bytes + fill->at, 0);
  spill->done += done;
  fill->at = (fill->at + done + ALIGN_MASK) & ~(size_t)ALIGN_MASK;
  if (fill->at > batch->arena_bytes) fill->at = batch->arena_bytes;
  return spill->done == spill->length;
}

/* Points message `i` to its part of the arena and, if that is small, to its part of the overflow. */
static void prepare(struct wt_udp_receiver *receiver, uint8_t *bytes, uint32_t part_bytes, uint32_t messages) {
  bool has_overflow = part_bytes < DATAGRAM_BYTES;
  for (uint32_t i = 0; i < messages; i++) {
    struct iovec *parts = receiver->parts[i];
    parts[0] = (struct iovec){.iov_base = bytes + (size_t)i * part_bytes, .iov_len = part_bytes};
    if (has_overflow)
      parts[1] = (struct iovec){.iov_base = receiver->overflow + (size_t)i * OVERFLOW_BYTES, .iov_len = OVERFLOW_BYTES};
    receiver->messages[i].msg_hdr = (struct msghdr){
        .msg_name = &receiver->from[i],
        .msg_namelen = sizeof receiver->from[i],
        .msg_iov = parts,
        .msg_iovlen = has_overflow ? 2 : 1,
        .msg_control = receiver->control[i],
        .msg_controllen = WT_CONTROL_BYTES,
    };
  }
}

/*
 * Bytes of the arena for each message. After a merged or long message all may be of that kind, and get large slots
 * that need no copy; else many small messages fit side by side.
 */
static uint32_t choose_part_bytes(struct wt_udp_receiver *receiver) {
  if (receiver->expected_bytes > SLOT_BYTES) return DATAGRAM_BYTES;
  if (receiver->overflow == NULL) receiver->overflow = malloc((size_t)WT_RECEIVE_MESSAGES * OVERFLOW_BYTES);
  return receiver->overflow == NULL ? DATAGRAM_BYTES : SLOT_BYTES;
}

static void take_message(struct wt_udp *udp, struct fill *fill, uint32_t index) {
  struct wt_udp_receiver *receiver = &udp->receiver;
  struct arrival arrival;
  if (receiver->messages[index].msg_hdr.msg_flags & MSG_TRUNC) {
    wt_count_errors(udp->errors + WT_ERROR_COUNTERS, EMSGSIZE, 1);
    return;
  }
  read_message(&arrival, &receiver->messages[index], &receiver->from[index]);
  if (arrival.length > 0 && arrival.length / arrival.segment_bytes > receiver->expected_segments)
    receiver->expected_segments = arrival.length / arrival.segment_bytes;
  if (arrival.length > receiver->expected_bytes) receiver->expected_bytes = arrival.length;

  bool is_whole = arrival.head_bytes == arrival.length;
  bool is_behind_others = receiver->spill_first != NULL;
  uint32_t done = is_whole && !is_behind_others ? add_rows(fill, &arrival, arrival.bytes, 0) : 0;
  if (done < arrival.length || (done == 0 && is_behind_others)) spill(udp, &arrival, done);
  fill->at = (size_t)(arrival.bytes - fill->batch->bytes) + arrival.head_bytes;
}

/* Expects twice as many messages as came: the number doubles while every portion is full. */
static void expect_messages(struct wt_udp_receiver *receiver, uint32_t got) {
  receiver->expected_messages = 2 * got;
  if (receiver->expected_messages < LEAST_MESSAGES) receiver->expected_messages = LEAST_MESSAGES;
  if (receiver->expected_messages > WT_RECEIVE_MESSAGES) receiver->expected_messages = WT_RECEIVE_MESSAGES;
}

/* Receives once, directly into the arena. Returns whether more datagrams may wait. */
static bool receive_some(struct wt_udp *udp, struct fill *fill, int fd) {
  struct wt_udp_receiver *receiver = &udp->receiver;
  uint32_t part_bytes = choose_part_bytes(receiver);
  size_t room = (fill->batch->arena_bytes - fill->at) / part_bytes;
  uint32_t messages = (fill->batch->capacity - fill->rows) / receiver->expected_segments;
  if (messages == 0 && fill->rows == 0) messages = 1;
  if (messages > room) messages = (uint32_t)room;
  if (messages > receiver->expected_messages) messages = receiver->expected_messages;
  if (messages == 0) return false;

  prepare(receiver, fill->batch->bytes + fill->at, part_bytes, messages);
  int got = recvmmsg(fd, receiver->messages, messages, MSG_DONTWAIT, NULL);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) wt_count_errors(udp->errors + WT_ERROR_COUNTERS, errno, 1);
    return errno == EINTR;
  }
  expect_messages(receiver, (uint32_t)got);
  receiver->expected_segments = (receiver->expected_segments + 1) / 2;
  receiver->expected_bytes -= receiver->expected_bytes / 4;
  for (uint32_t i = 0; i < (uint32_t)got; i++) take_message(udp, fill, i);
  fill->at = (fill->at + ALIGN_MASK) & ~(size_t)ALIGN_MASK;
  return (uint32_t)got == messages && receiver->spill_first == NULL;
}

/* Receives one datagram into separate memory, for an arena without room for the greatest datagram. */
static void receive_into_spill(struct wt_udp *udp, int fd) {
  uint8_t *bytes = malloc(DATAGRAM_BYTES);
  if (bytes == NULL) return;
  prepare(&udp->receiver, bytes, DATAGRAM_BYTES, 1);
  struct arrival arrival;
  if (recvmmsg(fd, udp->receiver.messages, 1, MSG_DONTWAIT, NULL) == 1 &&
      (udp->receiver.messages[0].msg_hdr.msg_flags & MSG_TRUNC) == 0) {
    read_message(&arrival, &udp->receiver.messages[0], &udp->receiver.from[0]);
    spill(udp, &arrival, 0);
  }
  free(bytes);
}

int wt_udp_receive(struct wt_udp *udp, struct wt_batch *batch) {
  struct wt_udp_receiver *receiver = &udp->receiver;
  struct fill fill = {.batch = batch};
  bool is_small = batch->arena_bytes < DATAGRAM_BYTES;
  uint32_t first = receiver->next_family;
  receiver->next_family = 1 - first;
  for (uint32_t i = 0; i < WT_UDP_FAMILIES; i++) {
    int fd = udp->fd[first ^ i];
    if (fd < 0) continue;
    if (is_small && receiver->spill_first == NULL) receive_into_spill(udp, fd);
    while (receiver->spill_first != NULL) {
      if (!take_spill(udp, &fill)) return (int)fill.rows | WT_MORE_WAITS;
      drop_first_spill(udp);
    }
    while (!is_small && receive_some(udp, &fill, fd)) continue;
  }
  return (int)fill.rows | (receiver->spill_first != NULL ? WT_MORE_WAITS : 0);
}
