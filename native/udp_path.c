#include "udp_path.h"

#include <string.h>

#include "batch.h"

/* The number of runs that the limit held back before the path is tried again. */
#define RETRY_RUNS 1024u
/* The lifetime of a known route. A request takes some tens of microseconds. */
#define ROUTE_LIFETIME_MS 2000u

/* Hash of family, port, scope and address: everything in front of the source. */
static uint32_t hash_remote(const uint8_t *record) {
  uint32_t hash = 0;
  for (uint32_t at = 0; at < WT_ENDPOINT_SOURCE_INTERFACE_AT; at += 4) {
    uint32_t word;
    memcpy(&word, record + at, 4);
    hash = (hash ^ word) * 0x9e3779b1u;
    hash ^= hash >> 15;
  }
  return hash;
}

struct wt_udp_path *wt_path_to(struct wt_udp_path *paths, const uint8_t *record) {
  uint32_t hash = hash_remote(record);
  struct wt_udp_path *path = &paths[hash % WT_UDP_PATHS];
  if (path->is_used && path->hash == hash) return path;
  *path = (struct wt_udp_path){.hash = hash, .is_used = true, .gso_limit = UINT32_MAX};
  return path;
}

bool wt_path_takes_runs(struct wt_udp_path *path, uint32_t segment_bytes) {
  if (segment_bytes <= path->gso_limit) return true;
  if (++path->held_back < RETRY_RUNS) return false;
  path->gso_limit = UINT32_MAX;
  return true;
}

void wt_path_limit_runs(struct wt_udp_path *path, uint32_t limit) {
  path->gso_limit = limit;
  path->held_back = 0;
}

bool wt_path_leads_into_other_tunnel(struct wt_udp_path *path, struct wt_routes *routes, const uint8_t *record) {
  if (path->is_checked && routes->now_ms - path->checked_ms < ROUTE_LIFETIME_MS) return path->leads_into_other_tunnel;
  path->leads_into_other_tunnel = wt_route_leads_into_other_tunnel(&routes->netlink, record, routes->mark);
  path->checked_ms = routes->now_ms;
  path->is_checked = true;
  return path->leads_into_other_tunnel;
}
