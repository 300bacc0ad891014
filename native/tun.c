#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "own_tuns.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* One byte more than the greatest packet, so that longer packets are detected. */
#define BUFFER_BYTES (WT_MAX_PACKET_BYTES + 1u)
#define PAIR_BUFFER_BYTES (4 << 20)
/* The number of batches without super-packets before they are tried again, as with UDP sockets. */
#define RETRY_BATCHES 1024u

static int start(struct wt_tun *tun, int fd, uint32_t *errors) {
  *tun = (struct wt_tun){.fd = fd, .errors = errors};
  tun->buffer = malloc(BUFFER_BYTES);
  if (tun->buffer == NULL) return -ENOMEM;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
  return 0;
}

/* Enables as many bits of `offload` as the kernel supports. UDP requires Linux 6.2. */
static void take_offloads(struct wt_tun *tun, uint32_t offload) {
  const uint32_t attempts[] = {WT_TUN_OFFLOAD_TCP | WT_TUN_OFFLOAD_UDP, WT_TUN_OFFLOAD_TCP, 0};
  const unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  const unsigned long udp = TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
  for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
    uint32_t wanted = attempts[i] & offload;
    unsigned long bits = (wanted & WT_TUN_OFFLOAD_TCP ? tcp : 0) | (wanted & WT_TUN_OFFLOAD_UDP ? udp : 0);
    if (ioctl(tun->fd, TUNSETOFFLOAD, bits) < 0) continue;
    tun->features = wanted;
    return;
  }
}

static int finish(struct wt_tun *tun, uint32_t offload) {
  int header_bytes = (int)sizeof(struct virtio_net_hdr);
  if (!tun->has_virtio) return 0;
  if (ioctl(tun->fd, TUNSETVNETHDRSZ, &header_bytes) < 0) return -errno;
  take_offloads(tun, offload);
  return 0;
}

static int attach(struct wt_tun *tun, const char *name, uint32_t offload) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (offload != 0) request.ifr_flags |= IFF_VNET_HDR;
  if (ioctl(tun->fd, TUNSETIFF, &request) < 0) return -errno;
  tun->has_virtio = offload != 0;
  return finish(tun, offload);
}

int wt_tun_open(struct wt_tun *tun, const char *name, uint32_t offload, uint32_t *errors) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  int result = start(tun, fd, errors);
  if (result == 0) result = attach(tun, name, offload);
  if (result == -EINVAL && offload != 0) result = attach(tun, name, 0);
  if (result < 0) wt_tun_close(tun);
  else wt_own_tuns_add(tun->fd);
  return result;
}

int wt_tun_adopt(struct wt_tun *tun, int fd, uint32_t offload, uint32_t *errors) {
  struct ifreq request = {0};
  if (ioctl(fd, TUNGETIFF, &request) < 0) return -errno;
  if ((request.ifr_flags & IFF_TUN) == 0 || (request.ifr_flags & IFF_NO_PI) == 0) return -EINVAL;
  int result = start(tun, fd, errors);
  tun->has_virtio = (request.ifr_flags & IFF_VNET_HDR) != 0;
  if (result == 0) result = finish(tun, offload);
  if (result < 0) {
    tun->fd = -1;
    wt_tun_close(tun);
  } else {
    wt_own_tuns_add(tun->fd);
  }
  return result;
}

#ifdef WT_TEST_HOOKS
int wt_tun_pair(struct wt_tun *tun, uint32_t offload, uint32_t *errors) {
  int ends[2];
  int bytes = PAIR_BUFFER_BYTES;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
  for (int i = 0; i < 2; i++) setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  int result = start(tun, ends[0], errors);
  if (result < 0) {
    close(ends[1]);
    wt_tun_close(tun);
    return result;
  }
  tun->has_virtio = true;
  tun->features = offload;
  return ends[1];
}
#endif

int wt_tun_name(const struct wt_tun *tun, char *name) {
  struct ifreq request = {0};
  if (ioctl(tun->fd, TUNGETIFF, &request) < 0) return -errno;
  memcpy(name, request.ifr_name, IFNAMSIZ);
  return 0;
}

int wt_tun_set_mtu(const struct wt_tun *tun, int mtu) {
  struct ifreq request = {0};
  int result = wt_tun_name(tun, request.ifr_name);
  if (result < 0) return result;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  request.ifr_mtu = mtu;
  if (ioctl(fd, SIOCSIFMTU, &request) < 0) result = -errno;
  close(fd);
  return result;
}

int wt_tun_namespace(const struct wt_tun *tun) {
  int fd = ioctl(tun->fd, TUNGETDEVNETNS);
  return fd < 0 ? -errno : fd;
}

/* Returns 1 if a packet waits in `super`, 0 if there is none, or −errno. */
static int read_packet(struct wt_tun *tun) {
  struct virtio_net_hdr header = {0};
  struct iovec parts[2] = {
      {.iov_base = &header, .iov_len = sizeof header},
      {.iov_base = tun->buffer, .iov_len = BUFFER_BYTES},
  };
  size_t header_bytes = tun->has_virtio ? sizeof header : 0;
  ssize_t got = tun->has_virtio ? readv(tun->fd, parts, 2) : read(tun->fd, tun->buffer, BUFFER_BYTES);
  if (got < 0) return errno == EAGAIN ? 0 : -errno;
  if (got == 0) return 0;
  if ((size_t)got <= header_bytes ||
      !wt_split_begin(&tun->super, &header, tun->buffer, (uint32_t)((size_t)got - header_bytes))) {
    wt_count_errors(tun->errors, EPROTO, 1);
    tun->super.is_waiting = false;
  }
  return 1;
}

int wt_tun_read(struct wt_tun *tun, struct wt_batch *batch) {
  uint32_t row = 0;
  for (;;) {
    while (tun->super.is_waiting) {
      uint32_t next = wt_split_rows(&tun->super, batch, row);
      if (next == row && row == 0) { /* The packet does not fit even into an empty batch. */
        wt_count_errors(tun->errors, EMSGSIZE, 1);
        tun->super.is_waiting = false;
      } else if (tun->super.is_waiting) {
        return (int)next | WT_MORE_WAITS;
      }
      row = next;
    }
    if (row == batch->capacity) return (int)row;
    int result = read_packet(tun);
    if (result == -EINTR) continue;
    if (result < 0 && row == 0) return result;
    if (result <= 0) return (int)row;
  }
}

static int write_parts(struct wt_tun *tun, const struct wt_batch *batch, const struct wt_run *run) {
  wt_gather_run(&tun->gather, batch, run);
  int skipped = tun->has_virtio ? 0 : 1;
  ssize_t written;
  do written = writev(tun->fd, tun->gather.parts + skipped, tun->gather.part_count - skipped);
  while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

struct write_context {
  struct wt_tun *tun;
  int last_error;
};

/* Only an interface that is gone ends the batch. */
static int refused(struct write_context *context, int error, uint32_t packets) {
  context->last_error = error;
  wt_count_errors(context->tun->errors, error, packets);
  return error == EBADFD ? error : 0;
}

static int write_one(struct write_context *context, const struct wt_batch *batch, const struct wt_run *run) {
  int error = write_parts(context->tun, batch, run);
  return error == 0 ? 0 : refused(context, error, 1);
}

/* Writes the packets of a run that was refused as one. Returns an errno that ends the batch. */
static int write_each(struct write_context *context, const struct wt_batch *batch, const struct wt_run *run) {
  struct wt_run alone = {.first = run->first, .count = 1};
  for (uint32_t left = run->count; left > 0; left--) {
    int error = write_one(context, batch, &alone);
    if (error != 0) return error;
    alone.first = batch->next[alone.first];
  }
  return 0;
}

/*
 * Writes a run. Where the kernel refuses a super-packet but accepts its packets, such super-packets are suspended for a
 * while.
 */
static int write_run(void *opaque, const struct wt_batch *batch, const struct wt_run *run) {
  struct write_context *context = opaque;
  if (run->count == 1) return write_one(context, batch, run);
  int error = write_parts(context->tun, batch, run);
  if (error != EINVAL) return error == 0 ? 0 : refused(context, error, run->count);

  int error_before = context->last_error;
  context->last_error = 0;
  error = write_each(context, batch, run);
  if (context->last_error == 0) {
    context->tun->refused |= run->first_flow.is_tcp ? WT_TUN_OFFLOAD_TCP : WT_TUN_OFFLOAD_UDP;
    context->last_error = error_before;
  }
  return error;
}

static uint32_t usable_features(struct wt_tun *tun) {
  if (tun->refused != 0 && ++tun->held_back >= RETRY_BATCHES) tun->refused = tun->held_back = 0;
  return tun->features & ~tun->refused;
}

int wt_tun_write(struct wt_tun *tun, struct wt_batch *batch, uint32_t count) {
  struct write_context context = {.tun = tun};
  uint32_t usable = usable_features(tun);
  tun->coalescer.tcp = (usable & WT_TUN_OFFLOAD_TCP) != 0;
  tun->coalescer.udp = (usable & WT_TUN_OFFLOAD_UDP) != 0;
  tun->coalescer.write = write_run;
  tun->coalescer.context = &context;
  wt_coalesce(&tun->coalescer, batch, count);
  return -context.last_error;
}

void wt_tun_close(struct wt_tun *tun) {
  if (tun->fd >= 0) {
    wt_own_tuns_remove(tun->fd);
    close(tun->fd);
  }
  tun->fd = -1;
  free(tun->buffer);
  tun->buffer = NULL;
  tun->super.is_waiting = false;
}
