/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `chorus bench kernel` compares the switch with: the same hosts, joined by a plain Linux
 * bridge, or by ns-3 in real time. All of it goes with the process.
 */
#ifndef CHORUS_BENCH_RIVAL_H
#define CHORUS_BENCH_RIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bench/bench.h"

struct rival {
  int *spaces; /* namespaces of the hosts */
  size_t count;
  int middle;   /* namespace of the bridge, or -1 */
  int *devices; /* the switch's side of TAP devices, or NULL */
  pid_t child;  /* ns-3, or 0 */
};

/* |count| hosts joined by a bridge. False with a sentence in |why|; free it in any case. */
bool rival_bridge(struct rival *rival, size_t count, char *why, size_t size);
/* The same by ns-3: |peer| of bench_ns3_real_time(). */
bool rival_ns3(struct rival *rival, const struct bench_peer *peer, size_t count, char *why,
               size_t size);
void rival_free(struct rival *rival);

#endif
