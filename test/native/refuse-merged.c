/*
 * Stands between a program and the C library (LD_PRELOAD), and has the first super-packet that is written to a TUN fail
 * with EINVAL, as the kernel does with one that it cannot take.
 *
 * REFUSE_MERGED_LOG=FILE: gets a byte for each super-packet, "r" if it was refused, or "w".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t write_vector(int, const struct iovec *, int);

/* A packet goes to a TUN behind a header of its own, which names the kind of its segments. */
static bool is_merged(const struct iovec *parts, int count) {
  if (count < 2 || parts[0].iov_len != sizeof(struct virtio_net_hdr)) return false;
  return ((const struct virtio_net_hdr *)parts[0].iov_base)->gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

static void note(char what) {
  static int file = -1;
  const char *path = getenv("REFUSE_MERGED_LOG");
  if (file < 0 && path != NULL) file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0 && write(file, &what, 1) < 0) return;
}

/* Replaces writev. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
  static write_vector *next;
  static bool has_refused;
  if (next == NULL) next = (write_vector *)dlsym(RTLD_NEXT, "writev");
  if (!is_merged(parts, count)) return next(fd, parts, count);
  note(has_refused ? 'w' : 'r');
  if (has_refused) return next(fd, parts, count);
  has_refused = true;
  errno = EINVAL;
  return -1;
}
