/* A TUN interface: opening, offloads, batched reads and writes. */
#ifndef WT_TUN_H
#define WT_TUN_H

#include "coalesce.h"
#include "split.h"

#define WT_TUN_OFFLOAD_TCP 1u
#define WT_TUN_OFFLOAD_UDP 2u

struct wt_tun {
  int fd;
  /* Packets carry a virtio-net header. */
  bool has_virtio;
  /* WT_TUN_OFFLOAD_… bits that the kernel accepted. */
  uint32_t features;
  /* Offloads that the kernel has refused since on writing, and batches written without them. */
  uint32_t refused;
  uint32_t held_back;
  uint32_t *errors;
  struct wt_super super;
  struct wt_coalescer coalescer;
  struct wt_gather gather;
  uint8_t *buffer;
};

/* All functions return 0 or more, or −errno. `errors` has WT_ERROR_COUNTERS places and is kept. */
int wt_tun_open(struct wt_tun *tun, const char *name, uint32_t offload, uint32_t *errors);
/* The tun owns the descriptor from then on, unless this fails. */
int wt_tun_adopt(struct wt_tun *tun, int fd, uint32_t offload, uint32_t *errors);
#ifdef WT_TEST_HOOKS
/* A tun whose other end is a socket, for tests: returns the socket. Every write and read carries a virtio-net header.
 */
int wt_tun_pair(struct wt_tun *tun, uint32_t offload, uint32_t *errors);
#endif

/* `name` has IFNAMSIZ bytes. */
int wt_tun_name(const struct wt_tun *tun, char *name);
int wt_tun_set_mtu(const struct wt_tun *tun, int mtu);
int wt_tun_namespace(const struct wt_tun *tun);
/* Returns rows, with WT_MORE_WAITS where it applies. */
int wt_tun_read(struct wt_tun *tun, struct wt_batch *batch);
/* Returns 0, or −errno of the last packet that was refused. */
int wt_tun_write(struct wt_tun *tun, struct wt_batch *batch, uint32_t count);
void wt_tun_close(struct wt_tun *tun);

#endif
