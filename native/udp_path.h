/* Findings about long datagrams on the paths to remote endpoints. */
#ifndef WT_UDP_PATH_H
#define WT_UDP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "rtnetlink.h"

/* Paths in memory at a time. A path whose place another path has taken is learnt again. */
#define WT_UDP_PATHS 1024u

struct wt_udp_path {
  /* Hash of the remote address. */
  uint32_t hash;
  bool is_used;
  /* Segments longer than this leave one by one: the path has refused them (its MTU is smaller, or it takes no runs). */
  uint32_t gso_limit;
  /* Runs that were held back by the limit, so that they are tried again now and then. */
  uint32_t held_back;
  /* The time of the last request for the route. */
  uint32_t checked_ms;
  bool is_checked;
  bool leads_into_other_tunnel;
};

/* The path to the remote address of an endpoint record. Source addresses make no difference. */
struct wt_udp_path *wt_path_to(struct wt_udp_path *paths, const uint8_t *record);
/* Whether a run of segments of this length may be tried. */
bool wt_path_takes_runs(struct wt_udp_path *path, uint32_t segment_bytes);
/* Runs with segments longer than `limit` are held back from now on. */
void wt_path_limit_runs(struct wt_udp_path *path, uint32_t limit);

/* The means to request routes. */
struct wt_routes {
  struct wt_rtnetlink netlink;
  uint32_t mark;
  uint32_t now_ms;
};

/* Tests whether the route leads into another program's tunnel, as of the last seconds. */
bool wt_path_leads_into_other_tunnel(struct wt_udp_path *path, struct wt_routes *routes, const uint8_t *record);

#endif
