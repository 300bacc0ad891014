/*
 * limit: what this machine can carry when one plain C loop is the whole tunnel.
 *
 * This is a yardstick for the benchmarks and no tunnel: the key is fixed, there is no handshake, and only checks that
 * affect speed are made. It uses the same interfaces of the kernel as the daemon: a TUN with virtio-net header and TCP
 * segmentation offload, UDP_SEGMENT and UDP_GRO, merging of TCP segments before they are written, and one OpenSSL
 * ChaCha20-Poly1305 call per packet. Both directions share one thread.
 *
 *   cc -std=c17 -O2 -o limit limit.c -lcrypto
 *   limit TUN PORT INNER/OUTER/PORT...     an address behind each peer, and where that peer is
 *
 * With several peers the packet's destination picks one; the last peer takes all other packets.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOL_UDP_OPTION 17
#define OPTION_SEGMENT 103
#define OPTION_GRO 104

#define ROUNDS 16
#define MAX_PEERS 8
#define HEADER 16u
#define TAG 16u
/* MTU of the TUN. Padding does not go beyond it. */
#define MTU 1420u
#define VNET sizeof(struct virtio_net_hdr)
#define MAX_RUN_BYTES 65000u
#define MAX_RUN_SEGMENTS 64u
#define SOCKET_BUFFER (7 << 20)

#define TCP 6
#define FLAG_FIN 1u
#define FLAG_PSH 8u
#define FLAG_ACK 16u

struct peer {
  uint8_t inner[16];
  bool is_inner6;
  struct sockaddr_storage outer;
  socklen_t outer_size;
};

static struct peer peers[MAX_PEERS];
static int peer_count;
static int tun_fd;
static int udp_fd;
static EVP_CIPHER_CTX *sealing;
static EVP_CIPHER_CTX *opening;
static uint64_t next_counter;

static uint8_t from_tun[VNET + 65536 + 64];
static uint8_t from_udp[65536];
static uint8_t to_udp[2 * 65536];
static uint8_t to_tun[VNET + 65536];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t sum_of(const uint8_t *at, size_t bytes) {
  uint64_t sum = 0;
  for (; bytes >= 8; at += 8, bytes -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    sum += (word & 0xffffffffu) + (word >> 32);
  }
  for (; bytes >= 2; at += 2, bytes -= 2) {
    uint16_t word;
    memcpy(&word, at, 2);
    sum += word;
  }
  return bytes > 0 ? sum + *at : sum;
}

static uint16_t fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffffu) + (sum >> 16);
  return (uint16_t)sum;
}

static void store_be16(uint8_t *at, size_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static uint32_t load_be32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return ntohl(value);
}

static void store_be32(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

static void set_checksum(uint8_t *field, uint16_t value) {
  memcpy(field, &value, 2);
}

static bool is_ipv6(const uint8_t *packet) {
  return packet[0] >> 4 == 6;
}

static size_t ip_header_bytes(const uint8_t *packet) {
  return is_ipv6(packet) ? 40 : (size_t)(packet[0] & 15) * 4;
}

static size_t packet_bytes(const uint8_t *packet) {
  return is_ipv6(packet) ? 40u + (size_t)(packet[4] << 8 | packet[5]) : (size_t)(packet[2] << 8 | packet[3]);
}

static uint64_t pseudo_sum(const uint8_t *packet, size_t transport_bytes) {
  uint64_t addresses = is_ipv6(packet) ? sum_of(packet + 8, 32) : sum_of(packet + 12, 8);
  return addresses + htons(TCP) + htons((uint16_t)transport_bytes);
}

static void set_ip_length(uint8_t *packet, size_t bytes) {
  if (is_ipv6(packet)) {
    store_be16(packet + 4, bytes - 40);
    return;
  }
  store_be16(packet + 2, bytes);
  set_checksum(packet + 10, 0);
  set_checksum(packet + 10, (uint16_t)~fold(sum_of(packet, ip_header_bytes(packet))));
}

static size_t padded_bytes(size_t bytes) {
  size_t padded = (bytes + 15) & ~(size_t)15;
  return padded > MTU && bytes <= MTU ? MTU : padded;
}

/* Writes the header in front of `packet`, pads, encrypts in place. Returns the bytes of the message. */
static size_t seal(uint8_t *packet, size_t bytes) {
  size_t padded = padded_bytes(bytes);
  uint64_t counter = next_counter++;
  uint8_t nonce[12] = {0};
  int done;
  memset(packet + bytes, 0, padded - bytes);
  memcpy(packet - HEADER, "\4\0\0\0\1\0\0\0", 8);
  memcpy(packet - 8, &counter, 8);
  memcpy(nonce + 4, &counter, 8);
  EVP_EncryptInit_ex(sealing, NULL, NULL, NULL, nonce);
  EVP_EncryptUpdate(sealing, packet, &done, packet, (int)padded);
  EVP_EncryptFinal_ex(sealing, packet + padded, &done);
  EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, TAG, packet + padded);
  return HEADER + padded + TAG;
}

/* Returns whether the tag was right. */
static bool open_message(uint8_t *message, size_t bytes) {
  uint8_t nonce[12] = {0};
  int done;
  if (bytes < HEADER + TAG) return false;
  size_t sealed = bytes - HEADER - TAG;
  memcpy(nonce + 4, message + 8, 8);
  EVP_DecryptInit_ex(opening, NULL, NULL, NULL, nonce);
  EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, TAG, message + HEADER + sealed);
  EVP_DecryptUpdate(opening, message + HEADER, &done, message + HEADER, (int)sealed);
  return EVP_DecryptFinal_ex(opening, message + HEADER + sealed, &done) > 0;
}

static struct peer *peer_for(const uint8_t *packet) {
  bool is_6 = is_ipv6(packet);
  for (int i = 0; i < peer_count - 1; i++)
    if (peers[i].is_inner6 == is_6 && memcmp(peers[i].inner, packet + (is_6 ? 24 : 16), is_6 ? 16 : 4) == 0)
      return &peers[i];
  return &peers[peer_count - 1];
}

static void send_run(struct peer *peer, uint8_t *run, size_t bytes, size_t stride) {
  char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
  struct iovec vector = {run, bytes};
  struct msghdr message = {
      .msg_name = &peer->outer, .msg_namelen = peer->outer_size, .msg_iov = &vector, .msg_iovlen = 1};
  if (bytes > stride) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *segment = CMSG_FIRSTHDR(&message);
    segment->cmsg_level = SOL_UDP_OPTION;
    segment->cmsg_type = OPTION_SEGMENT;
    segment->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t size = (uint16_t)stride;
    memcpy(CMSG_DATA(segment), &size, sizeof size);
  }
  while (sendmsg(udp_fd, &message, 0) < 0) {
    if (errno != EAGAIN) return;
    struct pollfd room = {.fd = udp_fd, .events = POLLOUT};
    poll(&room, 1, 10);
  }
}

/* One message of all but the last segment of a run has `stride` bytes. */
static void send_messages(struct peer *peer, size_t bytes, size_t stride) {
  size_t limit = MAX_RUN_BYTES / stride;
  if (limit > MAX_RUN_SEGMENTS) limit = MAX_RUN_SEGMENTS;
  for (size_t at = 0; at < bytes;) {
    size_t run = bytes - at < limit * stride ? bytes - at : limit * stride;
    send_run(peer, to_udp + at, run, stride);
    at += run;
  }
}

/* Cuts a TCP super-packet into segments and seals each. */
static void send_super(const uint8_t *packet, size_t bytes, size_t segment_bytes) {
  size_t ip_bytes = ip_header_bytes(packet);
  size_t headers = ip_bytes + (size_t)(packet[ip_bytes + 12] >> 4) * 4;
  size_t payload = bytes - headers;
  uint32_t sequence = load_be32(packet + ip_bytes + 4);
  uint32_t id = (uint32_t)(packet[4] << 8 | packet[5]);
  size_t used = 0;
  for (size_t done = 0; done < payload; id++) {
    size_t part = payload - done < segment_bytes ? payload - done : segment_bytes;
    uint8_t *to = to_udp + used + HEADER;
    uint8_t *tcp = to + ip_bytes;
    memcpy(to, packet, headers);
    memcpy(to + headers, packet + headers + done, part);
    if (!is_ipv6(to)) store_be16(to + 4, id);
    set_ip_length(to, headers + part);
    store_be32(tcp + 4, sequence + (uint32_t)done);
    done += part;
    if (done < payload) tcp[13] &= (uint8_t) ~(FLAG_FIN | FLAG_PSH);
    size_t transport = headers + part - ip_bytes;
    set_checksum(tcp + 16, 0);
    set_checksum(tcp + 16, (uint16_t)~fold(pseudo_sum(to, transport) + sum_of(tcp, transport)));
    used += seal(to, headers + part);
  }
  size_t stride = HEADER + padded_bytes(headers + segment_bytes) + TAG;
  send_messages(peer_for(packet), used, stride);
}

static void send_single(uint8_t *packet, size_t bytes, const struct virtio_net_hdr *header) {
  if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
    uint8_t *from = packet + header->csum_start;
    set_checksum(from + header->csum_offset, (uint16_t)~fold(sum_of(from, bytes - header->csum_start)));
  }
  memcpy(to_udp + HEADER, packet, bytes);
  size_t message = seal(to_udp + HEADER, bytes);
  send_messages(peer_for(packet), message, message);
}

static bool read_tun(void) {
  ssize_t got = read(tun_fd, from_tun, sizeof from_tun);
  if (got <= (ssize_t)VNET) return false;
  const struct virtio_net_hdr *header = (const struct virtio_net_hdr *)from_tun;
  uint8_t *packet = from_tun + VNET;
  size_t bytes = (size_t)got - VNET;
  if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE) send_single(packet, bytes, header);
  else send_super(packet, bytes, header->gso_size);
  return true;
}

/* Merged so far and waiting to be written: a packet, or several segments of one TCP flow. */
static struct {
  size_t bytes;
  size_t headers;
  size_t segment_bytes;
  uint32_t segments;
  uint32_t next_sequence;
} merged;

static void write_merged(void) {
  uint8_t *packet = to_tun + VNET;
  struct virtio_net_hdr header = {0};
  if (merged.bytes == 0) return;
  if (merged.segments > 1) {
    size_t ip_bytes = ip_header_bytes(packet);
    set_ip_length(packet, merged.bytes);
    set_checksum(packet + ip_bytes + 16, fold(pseudo_sum(packet, merged.bytes - ip_bytes)));
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header.gso_type = is_ipv6(packet) ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    header.hdr_len = (uint16_t)merged.headers;
    header.gso_size = (uint16_t)merged.segment_bytes;
    header.csum_start = (uint16_t)ip_bytes;
    header.csum_offset = 16;
  }
  memcpy(to_tun, &header, VNET);
  if (write(tun_fd, to_tun, VNET + merged.bytes) < 0 && errno == EBADFD) exit(0);
  merged.bytes = 0;
}

/* Whether the segment goes on where the merged ones end: same flow, same acknowledgement and options, next bytes. */
static bool continues(const uint8_t *packet, size_t headers, size_t payload) {
  const uint8_t *first = to_tun + VNET;
  size_t ip_bytes = ip_header_bytes(packet);
  const uint8_t *tcp = packet + ip_bytes;
  const uint8_t *first_tcp = first + ip_bytes;
  size_t addresses = is_ipv6(packet) ? 8 : 12;
  return merged.bytes > 0 && merged.segments > 0 && first[0] == packet[0] && headers == merged.headers && payload > 0 &&
         payload <= merged.segment_bytes && merged.bytes + payload < MAX_RUN_BYTES &&
         (tcp[13] & ~FLAG_PSH) == FLAG_ACK && load_be32(tcp + 4) == merged.next_sequence &&
         memcmp(first + addresses, packet + addresses, ip_bytes - addresses + 4) == 0 &&
         memcmp(first_tcp + 8, tcp + 8, 4) == 0 && memcmp(first_tcp + 20, tcp + 20, headers - ip_bytes - 20) == 0;
}

static void start_merge(const uint8_t *packet, size_t bytes) {
  write_merged();
  memcpy(to_tun + VNET, packet, bytes);
  merged.bytes = bytes;
  merged.segments = 0;
}

static void merge_tcp(const uint8_t *packet, size_t bytes) {
  size_t ip_bytes = ip_header_bytes(packet);
  const uint8_t *tcp = packet + ip_bytes;
  size_t headers = ip_bytes + (size_t)(tcp[12] >> 4) * 4;
  size_t payload = bytes - headers;
  if (continues(packet, headers, payload)) {
    memcpy(to_tun + VNET + merged.bytes, packet + headers, payload);
    to_tun[VNET + ip_bytes + 13] |= tcp[13] & FLAG_PSH;
    merged.bytes += payload;
    merged.segments++;
    merged.next_sequence += (uint32_t)payload;
    if (payload < merged.segment_bytes) write_merged();
    return;
  }
  start_merge(packet, bytes);
  if (payload == 0 || (tcp[13] & ~FLAG_PSH) != FLAG_ACK) {
    write_merged();
    return;
  }
  merged.headers = headers;
  merged.segment_bytes = payload;
  merged.segments = 1;
  merged.next_sequence = load_be32(tcp + 4) + (uint32_t)payload;
}

static void take_message(uint8_t *message, size_t bytes) {
  if (!open_message(message, bytes)) return;
  uint8_t *packet = message + HEADER;
  size_t inside = bytes - HEADER - TAG;
  if (inside < 20 || packet_bytes(packet) > inside) return;
  if (packet[is_ipv6(packet) ? 6 : 9] == TCP) {
    merge_tcp(packet, packet_bytes(packet));
    return;
  }
  start_merge(packet, packet_bytes(packet));
  write_merged();
}

static bool read_udp(void) {
  char control[64];
  struct iovec vector = {from_udp, sizeof from_udp};
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(udp_fd, &message, 0);
  if (got <= 0) return false;
  size_t stride = (size_t)got;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_UDP_OPTION || part->cmsg_type != OPTION_GRO) continue;
    int size;
    memcpy(&size, CMSG_DATA(part), sizeof size);
    stride = (size_t)size;
  }
  for (size_t at = 0; at < (size_t)got; at += stride)
    take_message(from_udp + at, (size_t)got - at < stride ? (size_t)got - at : stride);
  write_merged();
  return true;
}

static int open_tun(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) die("/dev/net/tun");
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) < 0) die("TUNSETIFF");
  if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) die("TUNSETOFFLOAD");
  return fd;
}

static int open_udp(int family, uint16_t port) {
  struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  int on = 1;
  int buffer = SOCKET_BUFFER;
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  int bound = family == AF_INET6 ? bind(fd, (struct sockaddr *)&any6, sizeof any6)
                                 : bind(fd, (struct sockaddr *)&any4, sizeof any4);
  if (bound < 0) die("bind");
  if (setsockopt(fd, SOL_UDP_OPTION, OPTION_GRO, &on, sizeof on) < 0) die("UDP_GRO");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  return fd;
}

/* Reads INNER/OUTER/PORT. */
static void parse_peer(char *text, struct peer *peer) {
  const char *inner = strtok(text, "/");
  const char *outer = strtok(NULL, "/");
  const char *port = strtok(NULL, "/");
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)&peer->outer;
  struct sockaddr_in *four = (struct sockaddr_in *)&peer->outer;
  if (port == NULL) die("INNER/OUTER/PORT");
  peer->is_inner6 = strchr(inner, ':') != NULL;
  inet_pton(peer->is_inner6 ? AF_INET6 : AF_INET, inner, peer->inner);
  if (inet_pton(AF_INET, outer, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)atoi(port));
    peer->outer_size = sizeof *four;
  } else {
    inet_pton(AF_INET6, outer, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)atoi(port));
    peer->outer_size = sizeof *six;
  }
}

static EVP_CIPHER_CTX *make_cipher(bool is_sealing) {
  static const uint8_t key[32] = {1, 2, 3, 4};
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, key, NULL, is_sealing) != 1) die("chacha20-poly1305");
  return context;
}

int main(int argc, char **argv) {
  if (argc < 4 || argc - 3 > MAX_PEERS) {
    fputs("usage: limit TUN PORT INNER/OUTER/PORT...\n", stderr);
    return 1;
  }
  for (; peer_count < argc - 3; peer_count++) parse_peer(argv[3 + peer_count], &peers[peer_count]);
  tun_fd = open_tun(argv[1]);
  udp_fd = open_udp(peers[0].outer.ss_family, (uint16_t)atoi(argv[2]));
  sealing = make_cipher(true);
  opening = make_cipher(false);

  struct pollfd ready[2] = {{.fd = tun_fd, .events = POLLIN}, {.fd = udp_fd, .events = POLLIN}};
  while (poll(ready, 2, -1) >= 0) {
    if ((ready[0].revents & POLLERR) != 0) return 0;
    if ((ready[0].revents & POLLIN) != 0)
      for (int round = 0; round < ROUNDS && read_tun(); round++) continue;
    if ((ready[1].revents & POLLIN) != 0)
      for (int round = 0; round < ROUNDS && read_udp(); round++) continue;
  }
  return 0;
}
