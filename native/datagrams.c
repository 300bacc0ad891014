#include "datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define MAX_MESSAGES 64u
/* Limits of one call with UDP_SEGMENT: UDP_MAX_SEGMENTS of Linux, and the bytes of one packet of IP. */
#define MAX_SEGMENTS 64u
#define MAX_RUN_BYTES 65000u

struct run {
  const uint8_t *bytes;
  uint32_t length;
  uint32_t count;
};

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(uint16_t))];
};

/* Finds the run that begins with the first of `count` datagrams: all have its length, but for the last, which is shorter. */
static struct run next_run(const uint8_t *bytes, const uint16_t *lengths, uint32_t count, bool joins) {
  struct run run = {.bytes = bytes, .length = lengths[0], .count = 1};
  while (joins && lengths[0] > 0 && run.count < count && run.count < MAX_SEGMENTS) {
    uint32_t more = lengths[run.count];
    if (more == 0 || more > lengths[0] || run.length + more > MAX_RUN_BYTES) break;
    run.length += more;
    run.count++;
    if (more < lengths[0]) break;
  }
  return run;
}

static void describe(struct msghdr *header, struct iovec *part, union control *control, const struct run *run,
                     uint16_t segment_bytes) {
  *part = (struct iovec){.iov_base = (void *)(uintptr_t)run->bytes, .iov_len = run->length};
  header->msg_iov = part;
  header->msg_iovlen = 1;
  if (run->count == 1) return;
  header->msg_control = control->bytes;
  header->msg_controllen = sizeof control->bytes;
  struct cmsghdr *segment = CMSG_FIRSTHDR(header);
  segment->cmsg_level = IPPROTO_UDP;
  segment->cmsg_type = UDP_SEGMENT;
  segment->cmsg_len = CMSG_LEN(sizeof segment_bytes);
  memcpy(CMSG_DATA(segment), &segment_bytes, sizeof segment_bytes);
}

/* Sends up to MAX_MESSAGES runs by one call. Returns how many datagrams were sent, or −errno. */
static int send_some(int fd, const uint8_t *bytes, const uint16_t *lengths, uint32_t count,
                     const struct sockaddr_storage *to, bool joins) {
  struct mmsghdr messages[MAX_MESSAGES] = {0};
  struct iovec parts[MAX_MESSAGES];
  union control controls[MAX_MESSAGES];
  uint32_t counts[MAX_MESSAGES];
  uint32_t used = 0;
  memset(controls, 0, sizeof controls);
  for (uint32_t row = 0; row < count && used < MAX_MESSAGES; used++) {
    struct run run = next_run(bytes, lengths + row, count - row, joins);
    struct msghdr *header = &messages[used].msg_hdr;
    header->msg_name = (void *)(uintptr_t)to;
    header->msg_namelen = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    describe(header, &parts[used], &controls[used], &run, lengths[row]);
    counts[used] = run.count;
    bytes += run.length;
    row += run.count;
  }
  int sent = sendmmsg(fd, messages, used, MSG_DONTWAIT);
  if (sent < 0) return -errno;
  int datagrams = 0;
  for (int i = 0; i < sent; i++) datagrams += (int)counts[i];
  return datagrams;
}

int wt_datagrams_send(int fd, const uint8_t *bytes, const uint16_t *lengths, uint32_t count,
                      const struct sockaddr_storage *to) {
  uint32_t sent = 0;
  bool joins = true;
  while (sent < count) {
    int result = send_some(fd, bytes, lengths + sent, count - sent, to, joins);
    /* Devices without checksums, and paths with a smaller MTU, refuse runs: then one by one. */
    if (joins && (result == -EIO || result == -EINVAL || result == -EMSGSIZE)) {
      joins = false;
      continue;
    }
    if (result <= 0) return sent > 0 ? (int)sent : result;
    for (int i = 0; i < result; i++) bytes += lengths[sent++];
  }
  return (int)sent;
}
