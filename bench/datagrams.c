/*
 * datagrams: sends UDP datagrams at a given rate, or counts those that arrive.
 *
 *   cc -O2 -o datagrams datagrams.c
 *   datagrams count PORT                                     until SIGTERM; prints how many and for how many seconds
 *   datagrams send ADDRESS PORT BYTES RATE SECONDS [FILE]    RATE a second, 0: as many as possible; prints how many
 *
 * With FILE the payloads come from it in turn, BYTES each, from as many ports as fit into PORTS.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define PORTS 64
#define MAX_BYTES 2048
#define RECEIVE_BUFFER (16 << 20)
#define PAUSE_NS 50000

static volatile sig_atomic_t is_over;

static void end(int signal) {
  (void)signal;
  is_over = 1;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int open_any(uint16_t port) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  int off = 0;
  int size = RECEIVE_BUFFER;
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0) die("socket");
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0) die("bind");
  return fd;
}

static int count(uint16_t port) {
  static char room[BATCH][MAX_BYTES];
  struct iovec vectors[BATCH];
  struct mmsghdr messages[BATCH] = {0};
  struct sigaction action = {.sa_handler = end};
  uint64_t datagrams = 0;
  double first = 0;
  double last = 0;
  int fd = open_any(port);
  sigaction(SIGTERM, &action, NULL);
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){room[i], MAX_BYTES};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  puts("counting");
  fflush(stdout);
  while (!is_over) {
    int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (got <= 0) continue;
    last = now_seconds();
    if (datagrams == 0) first = last;
    datagrams += (uint64_t)got;
  }
  printf("%llu %.6f\n", (unsigned long long)datagrams, last - first);
  return 0;
}

static socklen_t parse_address(const char *text, uint16_t port, struct sockaddr_storage *address) {
  struct sockaddr_in *four = (struct sockaddr_in *)address;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
  if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    return sizeof *four;
  }
  if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1) die("address");
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(port);
  return sizeof *six;
}

/* Returns the whole file, and in `payloads` how many of `bytes` it has. */
static uint8_t *read_payloads(const char *path, size_t bytes, size_t *payloads) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) die(path);
  size_t size = (size_t)ftell(file);
  uint8_t *all = malloc(size);
  rewind(file);
  if (size < bytes || all == NULL || fread(all, 1, size, file) != size) die(path);
  fclose(file);
  *payloads = size / bytes;
  return all;
}

struct plan {
  int sockets[PORTS];
  size_t socket_count;
  uint8_t *payload;
  size_t payload_count;
  size_t bytes;
  double rate;
  double seconds;
};

/* Returns how many are due; sleeps briefly and returns 0 when the rate is ahead of the clock. */
static size_t due(const struct plan *plan, double elapsed, uint64_t sent) {
  if (plan->rate <= 0) return BATCH;
  double ahead = plan->rate * elapsed - (double)sent;
  if (ahead >= BATCH) return BATCH;
  if (ahead >= 1) return (size_t)ahead;
  nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
  return 0;
}

static uint64_t send_all(const struct plan *plan) {
  struct iovec vectors[BATCH];
  struct mmsghdr messages[BATCH] = {0};
  uint64_t sent = 0;
  uint64_t turn = 0;
  double start = now_seconds();
  for (double elapsed = 0; elapsed < plan->seconds; elapsed = now_seconds() - start) {
    size_t wanted = due(plan, elapsed, sent);
    if (wanted == 0) continue;
    for (size_t i = 0; i < wanted; i++) {
      vectors[i] = (struct iovec){plan->payload + (sent + i) % plan->payload_count * plan->bytes, plan->bytes};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int done = sendmmsg(plan->sockets[turn++ % plan->socket_count], messages, (unsigned)wanted, 0);
    if (done > 0) sent += (uint64_t)done;
    else if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED && errno != EINTR) die("sendmmsg");
  }
  return sent;
}

static int send_datagrams(char **arguments, const char *path) {
  static uint8_t zeros[MAX_BYTES];
  struct sockaddr_storage to = {0};
  socklen_t size = parse_address(arguments[0], (uint16_t)atoi(arguments[1]), &to);
  struct plan plan = {.socket_count = path == NULL ? 1 : PORTS,
                      .payload = zeros,
                      .payload_count = 1,
                      .bytes = (size_t)atoi(arguments[2]),
                      .rate = atof(arguments[3]),
                      .seconds = atof(arguments[4])};
  if (plan.bytes == 0 || plan.bytes > MAX_BYTES) die("BYTES");
  if (path != NULL) plan.payload = read_payloads(path, plan.bytes, &plan.payload_count);
  for (size_t i = 0; i < plan.socket_count; i++) {
    plan.sockets[i] = socket(to.ss_family, SOCK_DGRAM, 0);
    if (plan.sockets[i] < 0 || connect(plan.sockets[i], (struct sockaddr *)&to, size) < 0) die("connect");
  }
  printf("%llu\n", (unsigned long long)send_all(&plan));
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "count") == 0) return count((uint16_t)atoi(argv[2]));
  if ((argc == 7 || argc == 8) && strcmp(argv[1], "send") == 0) return send_datagrams(argv + 2, argv[7]);
  fputs("usage: datagrams count PORT | send ADDRESS PORT BYTES RATE SECONDS [FILE]\n", stderr);
  return 1;
}
