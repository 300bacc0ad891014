#include "own_tuns.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Further interfaces are not recorded, see `wt_own_tuns_have`. */
#define MAX_TUNS 64

static struct {
  pthread_mutex_t mutex;
  int fds[MAX_TUNS];
  int count;
} tuns = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void wt_own_tuns_add(int fd) {
  pthread_mutex_lock(&tuns.mutex);
  if (tuns.count < MAX_TUNS) tuns.fds[tuns.count++] = fd;
  pthread_mutex_unlock(&tuns.mutex);
}

void wt_own_tuns_remove(int fd) {
  pthread_mutex_lock(&tuns.mutex);
  for (int i = 0; i < tuns.count; i++) {
    if (tuns.fds[i] != fd) continue;
    tuns.fds[i] = tuns.fds[--tuns.count];
    break;
  }
  pthread_mutex_unlock(&tuns.mutex);
}

/* The interface may have been moved to another network namespace, where its name belongs to another interface. */
static bool is_here(int fd) {
  struct stat own, other;
  int namespace_fd = ioctl(fd, TUNGETDEVNETNS);
  if (namespace_fd < 0) return false;
  bool is_known = stat("/proc/thread-self/ns/net", &own) == 0 && fstat(namespace_fd, &other) == 0;
  close(namespace_fd);
  return is_known && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

bool wt_own_tuns_have(const char *name) {
  bool is_found = false;
  pthread_mutex_lock(&tuns.mutex);
  for (int i = 0; i < tuns.count && !is_found; i++) {
    struct ifreq request = {0};
    if (ioctl(tuns.fds[i], TUNGETIFF, &request) < 0) continue;
    is_found = strncmp(request.ifr_name, name, IFNAMSIZ) == 0 && is_here(tuns.fds[i]);
  }
  pthread_mutex_unlock(&tuns.mutex);
  return is_found;
}
