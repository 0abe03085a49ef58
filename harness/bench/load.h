/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load for networks in real time: hosts are network namespaces, each with one interface; the
 * first is the client, which sends requests to a group, the others are members, which answer.
 * A delivery is a datagram that reached a socket; its latency runs from the call that sent it to
 * the moment in which the receiver's kernel got it from its interface.
 */
#ifndef CHORUS_BENCH_LOAD_H
#define CHORUS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_INTERFACE "lan0"

struct load;

/*
 * Opens the sockets, |spaces| are descriptors of |count| namespaces; and sends requests until one
 * is answered by all (neighbours and memberships are known then). The calling thread returns to
 * where it was. NULL with a sentence in |why|.
 */
struct load *load_new(const int *spaces, size_t count, char *why, size_t size);
void load_free(struct load *load);

struct load_plan {
  double rate;     /* requests a second; 0: as many as go through */
  unsigned window; /* with rate 0: requests that are under way at the same time */
  double spread;   /* seconds within which members answer, at random; 0: at once */
  double seconds;  /* for so long requests are sent */
};

struct load_result {
  double work, seconds; /* deliveries, and how long they took */
  uint64_t lost;        /* datagrams that were sent and did not arrive */
  double p50, p99;      /* latency, us */
};

bool load_run(struct load *load, const struct load_plan *plan, struct load_result *result);

/* The IPv4 address of host |i| (192.0.2.0/24; the client is host 0), in network byte order. */
uint32_t load_address(size_t i);

#endif
