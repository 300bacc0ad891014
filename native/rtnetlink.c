#include "rtnetlink.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "batch.h"
#include "own_tuns.h"

int wt_rtnetlink_socket(uint32_t groups) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

int wt_rtnetlink_open(struct wt_rtnetlink *netlink) {
  *netlink = (struct wt_rtnetlink){.fd = wt_rtnetlink_socket(0)};
  return netlink->fd < 0 ? netlink->fd : 0;
}

void wt_rtnetlink_close(struct wt_rtnetlink *netlink) {
  if (netlink->fd >= 0) close(netlink->fd);
  netlink->fd = -1;
}

void wt_add_attribute(struct wt_request *request, uint16_t type, const void *data, uint16_t length) {
  struct rtattr *attribute = (struct rtattr *)((uint8_t *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), data, length);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_SPACE(length);
}

int wt_ask(struct wt_rtnetlink *netlink, struct wt_request *request, uint8_t *buffer) {
  request->header.nlmsg_flags |= NLM_F_REQUEST;
  request->header.nlmsg_seq = ++netlink->sequence;
  if (send(netlink->fd, request, request->header.nlmsg_len, 0) < 0) return -errno;
  for (;;) {
    ssize_t got = recv(netlink->fd, buffer, WT_NETLINK_BYTES, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    const struct nlmsghdr *answer = (void *)buffer;
    if (!NLMSG_OK(answer, (unsigned int)got) || answer->nlmsg_seq != netlink->sequence) continue;
    if (answer->nlmsg_type != NLMSG_ERROR) return (int)got;
    const struct nlmsgerr *error = NLMSG_DATA(answer);
    if (answer->nlmsg_len < NLMSG_LENGTH(sizeof *error)) return -EPROTO;
    if (error->error == 0 && !(request->header.nlmsg_flags & NLM_F_ACK)) return -EPROTO;
    return error->error;
  }
}

/* The attribute behind a fixed part of `fixed_bytes`, or NULL. */
static const struct rtattr *find_attribute(const struct nlmsghdr *message, size_t fixed_bytes, uint16_t type) {
  const struct rtattr *attribute = (const void *)((const uint8_t *)NLMSG_DATA(message) + NLMSG_ALIGN(fixed_bytes));
  if (message->nlmsg_len < NLMSG_SPACE(fixed_bytes)) return NULL;
  unsigned int left = message->nlmsg_len - (unsigned int)NLMSG_SPACE(fixed_bytes);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
    if (attribute->rta_type == type) return attribute;
  return NULL;
}

uint32_t wt_attribute_of(const struct nlmsghdr *message, size_t fixed_bytes, uint16_t type, uint32_t otherwise) {
  const struct rtattr *attribute = find_attribute(message, fixed_bytes, type);
  if (attribute == NULL || RTA_PAYLOAD(attribute) < 4) return otherwise;
  uint32_t value;
  memcpy(&value, RTA_DATA(attribute), 4);
  return value;
}

/* Whether an IPv6 address is one of this system's, which RTM_GETROUTE does not check. */
static int check_own_ipv6(const uint8_t *address, uint32_t index) {
  struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_scope_id = index};
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  memcpy(&own.sin6_addr, address, 16);
  int result = bind(fd, (struct sockaddr *)&own, sizeof own) < 0 ? -errno : 0;
  close(fd);
  return result;
}

int wt_route_interface(struct wt_rtnetlink *netlink, const uint8_t *record, uint32_t mark) {
  _Alignas(struct nlmsghdr) uint8_t buffer[WT_NETLINK_BYTES];
  bool is_ipv4 = record[WT_ENDPOINT_FAMILY_AT] == 4;
  uint16_t address_bytes = is_ipv4 ? 4 : 16;
  const uint8_t *source = record + WT_ENDPOINT_SOURCE_ADDRESS_AT;
  uint32_t scope, source_index;
  memcpy(&scope, record + WT_ENDPOINT_SCOPE_AT, 4);
  memcpy(&source_index, record + WT_ENDPOINT_SOURCE_INTERFACE_AT, 4);
  if (source_index != 0 && !is_ipv4) {
    int result = check_own_ipv6(source, source_index);
    if (result < 0) return result;
  }

  struct wt_request request = {.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))}};
  struct rtmsg *route = NLMSG_DATA(&request.header);
  route->rtm_family = is_ipv4 ? AF_INET : AF_INET6;
  route->rtm_dst_len = (unsigned char)(8 * address_bytes);
  wt_add_attribute(&request, RTA_DST, record + WT_ENDPOINT_ADDRESS_AT, address_bytes);
  if (source_index != 0) {
    route->rtm_src_len = (unsigned char)(8 * address_bytes);
    wt_add_attribute(&request, RTA_SRC, source, address_bytes);
  }
  if (mark != 0) wt_add_attribute(&request, RTA_MARK, &mark, 4);
  if (scope != 0) wt_add_attribute(&request, RTA_OIF, &scope, 4);
  int result = wt_ask(netlink, &request, buffer);
  if (result < 0) return result;
  return (int)wt_attribute_of((void *)buffer, sizeof(struct rtmsg), RTA_OIF, 0);
}

/* Links that carry IP packets inside of other packets have a kind, unlike cards without link-layer addresses. */
static bool is_tunnel(const struct nlmsghdr *message) {
  const struct ifinfomsg *info = NLMSG_DATA(message);
  if (find_attribute(message, sizeof *info, IFLA_LINKINFO) == NULL) return false;
  switch (info->ifi_type) {
    case ARPHRD_NONE: /* TUN, WireGuard, VTI */
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_IP6GRE:
      return true;
    default:
      return false;
  }
}

static bool is_own_tun(const struct nlmsghdr *message) {
  const struct rtattr *name = find_attribute(message, sizeof(struct ifinfomsg), IFLA_IFNAME);
  return name != NULL && wt_own_tuns_have(RTA_DATA(name));
}

bool wt_route_leads_into_other_tunnel(struct wt_rtnetlink *netlink, const uint8_t *record, uint32_t mark) {
  _Alignas(struct nlmsghdr) uint8_t buffer[WT_NETLINK_BYTES];
  int index = wt_route_interface(netlink, record, mark);
  if (index <= 0) return false;
  struct wt_request request = {
      .header = {.nlmsg_type = RTM_GETLINK, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))}};
  ((struct ifinfomsg *)NLMSG_DATA(&request.header))->ifi_index = index;
  if (wt_ask(netlink, &request, buffer) < 0) return false;
  const struct nlmsghdr *message = (void *)buffer;
  return message->nlmsg_type == RTM_NEWLINK && message->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)) &&
         is_tunnel(message) && !is_own_tun(message);
}
