/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

enum {
  SERVER_PORT = 5683,
  CLIENT_PORT = 40000,
  REQUEST_OCTETS = 40,
  ANSWER_OCTETS = 60,
  BUFFER_OCTETS = 4 << 20,
  SLOTS = 512, /* of the wheel of answers */
  SLOT_NS = 500000,
  ROUNDS = 4096, /* requests that are remembered */
  WARM_UP_ROUNDS = 40,
  EVENTS = 64,
};

#define ROUND_PATIENCE_NS UINT64_C(300000000)
#define DRAIN_NS          UINT64_C(1000000000)
#define WARM_UP_NS        UINT64_C(250000000)

/* What every datagram begins with. */
struct head {
  uint64_t number; /* of the request */
  uint64_t sent;   /* ns, CLOCK_REALTIME: what kernels stamp by */
};

struct answer {
  uint32_t member;
  uint64_t number;
};

struct slot {
  struct answer *list;
  size_t count, capacity;
};

struct load {
  int *sockets;
  size_t count;
  int epoll;
  struct sockaddr_in group, client;
  struct slot wheel[SLOTS];
  uint64_t wheel_at; /* slot number that is next */
  uint64_t dice;
  uint32_t waiting[ROUNDS]; /* answers missing, by request */
  uint64_t begun[ROUNDS];   /* when it was sent */
  uint64_t number, done;    /* requests sent; all below |done| are complete or given up */
  uint64_t expected, arrived, last;
  double *latencies;
  size_t latency_count, latency_capacity;
};

uint32_t load_address(size_t i) {
  return htonl(0xc0000201u + (uint32_t)i);
}

static uint64_t wall_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t draw(struct load *l) {
  l->dice ^= l->dice << 13;
  l->dice ^= l->dice >> 7;
  l->dice ^= l->dice << 17;
  return l->dice;
}

/* ---- sockets ---- */

static void set_option(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof value) < 0 && name == SO_RCVBUFFORCE)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
}

/* In the host's namespace. */
static int open_socket(const struct load *l, bool member) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in own = {.sin_family = AF_INET,
                            .sin_port = htons(member ? SERVER_PORT : CLIENT_PORT)};
  struct ip_mreqn group = {.imr_multiaddr = l->group.sin_addr,
                           .imr_ifindex = (int)if_nametoindex(LOAD_INTERFACE)};
  if (fd < 0) return -1;
  set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_OCTETS);
  set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 8);
  set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  int name = member ? IP_ADD_MEMBERSHIP : IP_MULTICAST_IF;
  if (bind(fd, (const struct sockaddr *)&own, sizeof own) == 0 &&
      setsockopt(fd, IPPROTO_IP, name, &group, sizeof group) == 0)
    return fd;
  close(fd);
  return -1;
}

static bool open_sockets(struct load *l, const int *spaces) {
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  bool ok = home >= 0;
  for (size_t i = 0; ok && i < l->count; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    ok = setns(spaces[i], CLONE_NEWNET) == 0;
    l->sockets[i] = ok ? open_socket(l, i > 0) : -1;
    ok = l->sockets[i] >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->sockets[i], &event) == 0;
  }
  if (home < 0) return false;
  if (setns(home, CLONE_NEWNET) < 0) abort();
  close(home);
  return ok;
}

/* ---- the wheel of answers ---- */

static void answer_at(struct load *l, uint64_t slot, uint32_t member, uint64_t number) {
  struct slot *s = &l->wheel[slot % SLOTS];
  if (s->count == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 64;
    struct answer *grown = realloc(s->list, capacity * sizeof *grown);
    if (!grown) return; /* counts as lost */
    s->list = grown;
    s->capacity = capacity;
  }
  s->list[s->count++] = (struct answer){member, number};
}

static void answer(struct load *l, uint32_t member, uint64_t number) {
  uint8_t octets[ANSWER_OCTETS] = {0};
  const struct head head = {number, wall_clock()};
  memcpy(octets, &head, sizeof head);
  l->expected++;
  if (sendto(l->sockets[member], octets, sizeof octets, 0, (const struct sockaddr *)&l->client,
             sizeof l->client) < 0)
    return; /* lost */
}

static void turn_wheel(struct load *l, uint64_t now) {
  for (; l->wheel_at <= now / SLOT_NS; l->wheel_at++) {
    struct slot *s = &l->wheel[l->wheel_at % SLOTS];
    for (size_t i = 0; i < s->count; i++) answer(l, s->list[i].member, s->list[i].number);
    s->count = 0;
  }
}

/* ---- datagrams ---- */

static void note_latency(struct load *l, uint64_t sent, uint64_t got) {
  if (l->latency_count == l->latency_capacity) {
    size_t capacity = l->latency_capacity ? 2 * l->latency_capacity : 4096;
    double *grown = realloc(l->latencies, capacity * sizeof *grown);
    if (!grown) return;
    l->latencies = grown;
    l->latency_capacity = capacity;
  }
  l->latencies[l->latency_count++] = got > sent ? (double)(got - sent) / 1e3 : 0;
}

static uint64_t stamp_of(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    struct timespec t;
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    memcpy(&t, CMSG_DATA(c), sizeof t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
  }
  return wall_clock();
}

static void take(struct load *l, const struct load_plan *plan, uint32_t host,
                 const struct head *head) {
  l->arrived++;
  l->last = bench_now();
  if (host == 0) {
    if (l->number - head->number <= ROUNDS && l->waiting[head->number % ROUNDS])
      l->waiting[head->number % ROUNDS]--;
  } else if (plan->spread > 0) {
    uint64_t slots = (uint64_t)(plan->spread * 1e9) / SLOT_NS;
    answer_at(l, l->wheel_at + 1 + draw(l) % slots, host, head->number);
  } else {
    answer(l, host, head->number);
  }
}

static void drain(struct load *l, const struct load_plan *plan, uint32_t host) {
  union {
    struct cmsghdr align;
    uint8_t octets[128];
  } control;
  uint8_t octets[128];
  for (;;) {
    struct iovec part = {octets, sizeof octets};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.octets,
                             .msg_controllen = sizeof control.octets};
    struct head head;
    if (recvmsg(l->sockets[host], &message, 0) < (ssize_t)sizeof head) return;
    memcpy(&head, octets, sizeof head);
    note_latency(l, head.sent, stamp_of(&message));
    take(l, plan, host, &head);
  }
}

static void ask(struct load *l) {
  uint8_t octets[REQUEST_OCTETS] = {0};
  const struct head head = {l->number, wall_clock()};
  memcpy(octets, &head, sizeof head);
  l->waiting[l->number % ROUNDS] = (uint32_t)l->count - 1;
  l->begun[l->number % ROUNDS] = bench_now();
  l->number++;
  l->expected += l->count - 1;
  if (sendto(l->sockets[0], octets, sizeof octets, 0, (const struct sockaddr *)&l->group,
             sizeof l->group) < 0)
    return; /* lost */
}

/* ---- the run ---- */

/* Passes over requests that are answered, or will not be any more. */
static void count_done(struct load *l, uint64_t now) {
  while (l->done < l->number && (l->waiting[l->done % ROUNDS] == 0 ||
                                 now - l->begun[l->done % ROUNDS] > ROUND_PATIENCE_NS))
    l->done++;
}

static void wait_for_events(struct load *l, const struct load_plan *plan, uint64_t ns) {
  struct epoll_event events[EVENTS];
  const struct timespec timeout = {.tv_nsec = (long)(ns < SLOT_NS ? ns : SLOT_NS)};
  int count = epoll_pwait2(l->epoll, events, EVENTS, &timeout, NULL);
  for (int i = 0; i < count; i++) drain(l, plan, events[i].data.u32);
}

/* Sends what is due; returns ns until the next is. */
static uint64_t ask_all_due(struct load *l, const struct load_plan *plan, uint64_t start,
                            uint64_t first, uint64_t now) {
  if (plan->rate <= 0) {
    while (l->number - l->done < plan->window) ask(l);
    return SLOT_NS;
  }
  for (;;) {
    uint64_t due = start + (uint64_t)((double)(l->number - first) / plan->rate * 1e9);
    if (due > now) return due - now;
    ask(l);
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void conclude(struct load *l, uint64_t start, struct load_result *r) {
  size_t n = l->latency_count;
  qsort(l->latencies, n, sizeof *l->latencies, compare);
  *r = (struct load_result){.work = (double)l->arrived,
                            .seconds = (double)(l->last - start) / 1e9,
                            .lost = l->expected > l->arrived ? l->expected - l->arrived : 0,
                            .p50 = n ? l->latencies[n / 2] : 0,
                            .p99 = n ? l->latencies[n * 99 / 100] : 0};
}

bool load_run(struct load *l, const struct load_plan *plan, struct load_result *result) {
  uint64_t start = bench_now(), now = start, first = l->number;
  uint64_t end = start + (uint64_t)(plan->seconds * 1e9);
  l->expected = l->arrived = l->latency_count = 0;
  l->last = start;
  l->wheel_at = start / SLOT_NS;
  for (; now < end; now = bench_now()) {
    count_done(l, now);
    turn_wheel(l, now);
    wait_for_events(l, plan, ask_all_due(l, plan, start, first, now));
  }
  uint64_t answers = (uint64_t)(plan->spread * 1e9) + DRAIN_NS;
  while (now < end + answers && l->arrived < 2 * (l->number - first) * (l->count - 1)) {
    now = bench_now();
    turn_wheel(l, now);
    wait_for_events(l, plan, SLOT_NS);
  }
  conclude(l, start, result);
  return l->arrived > 0;
}

/* One request; whether all answer. */
static bool try_round(struct load *l) {
  const struct load_plan plan = {.spread = 0};
  uint64_t start = bench_now(), number = l->number;
  ask(l);
  while (bench_now() - start < WARM_UP_NS && l->waiting[number % ROUNDS])
    wait_for_events(l, &plan, SLOT_NS);
  return l->waiting[number % ROUNDS] == 0;
}

static bool warm_up(struct load *l) {
  bool all = false;
  for (int i = 0; i < WARM_UP_ROUNDS && !all; i++) all = try_round(l);
  l->done = l->number;
  return all;
}

struct load *load_new(const int *spaces, size_t count, char *why, size_t size) {
  struct load *l = calloc(1, sizeof *l);
  snprintf(why, size, "no memory");
  if (!l) return NULL;
  l->count = count;
  l->dice = UINT64_C(0x9e3779b97f4a7c15);
  l->sockets = malloc(count * sizeof *l->sockets);
  for (size_t i = 0; l->sockets && i < count; i++) l->sockets[i] = -1;
  l->epoll = epoll_create1(EPOLL_CLOEXEC);
  l->group = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(SERVER_PORT), .sin_addr.s_addr = htonl(0xefff0001u)};
  l->client = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(CLIENT_PORT), .sin_addr.s_addr = load_address(0)};
  bool open = l->sockets && l->epoll >= 0 && open_sockets(l, spaces);
  if (!open) snprintf(why, size, "sockets cannot be opened: %s", strerror(errno));
  if (open && warm_up(l)) return l;
  if (open) snprintf(why, size, "not all members ever answer one request");
  load_free(l);
  return NULL;
}

void load_free(struct load *l) {
  if (!l) return;
  for (size_t i = 0; l->sockets && i < l->count; i++)
    if (l->sockets[i] >= 0) close(l->sockets[i]);
  if (l->epoll >= 0) close(l->epoll);
  for (size_t i = 0; i < SLOTS; i++) free(l->wheel[i].list);
  free(l->latencies);
  free(l->sockets);
  free(l);
}
