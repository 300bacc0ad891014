/*
 * Stands between a program and the C library (LD_PRELOAD), and has sends with UDP_SEGMENT fail with EIO, as the kernel
 * does where the path can take none: IPsec, or an interface without checksum offload on older kernels.
 *
 * REFUSE_SEGMENTS=N: every Nth such send. REFUSE_SEGMENTS_COUNTS=FILE: gets a byte for each, "r" if it was refused, or
 * "s".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDP_SEGMENT_OPTION 103

typedef int send_many(int, struct mmsghdr *, unsigned int, int);

static bool has_segments(struct msghdr *header) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control))
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_SEGMENT_OPTION) return true;
  return false;
}

static void note(char what) {
  static int file = -1;
  const char *path = getenv("REFUSE_SEGMENTS_COUNTS");
  if (file < 0 && path != NULL) file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0 && write(file, &what, 1) < 0) return;
}

static bool is_refused(void) {
  static unsigned long count;
  const char *every = getenv("REFUSE_SEGMENTS");
  bool result = every != NULL && count++ % strtoul(every, NULL, 10) == 0;
  note(result ? 'r' : 's');
  return result;
}

/*
 * Replaces sendmmsg. As in the kernel, the messages before the first refusal are sent, and the next call returns the
 * error.
 */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
  static send_many *next;
  if (next == NULL) next = (send_many *)dlsym(RTLD_NEXT, "sendmmsg");
  unsigned int taken = 0;
  while (taken < count && !has_segments(&messages[taken].msg_hdr)) taken++;
  if (taken > 0) return next(fd, messages, taken, flags);
  if (!is_refused()) return next(fd, messages, 1, flags);
  errno = EIO;
  return -1;
}
