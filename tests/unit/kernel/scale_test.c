/* SPDX-License-Identifier: BSD-2-Clause */
/* Many nodes: how fast they come up, and that all of them hear. */
#include <time.h>

#include "lab.h"

#define GROUP "[ff35::1]:5683"
#define LIMIT 500

/* A node that counts. */
struct counter {
  const struct chorus_host *host;
  bool member;
  size_t count;
};

static int counter_start(void *state, chorus_time now, const struct chorus_host *host) {
  struct counter *counter = state;
  struct chorus_endpoint group = at(GROUP);
  (void)now;
  counter->host = host;
  if (host->ops->open(host->context, 5683) != CHORUS_OK) return CHORUS_NO_MEMORY;
  return counter->member ? host->ops->join(host->context, &group) : CHORUS_OK;
}

static void counter_datagram(void *state, chorus_time now, const struct chorus_datagram *d) {
  struct counter *counter = state;
  (void)now;
  counter->count++;
  if (!counter->member) return;
  struct chorus_datagram reply = {
      .destination = d->source, .payload = d->payload, .length = d->length};
  reply.source.port = 5683;
  ck_assert_int_eq(counter->host->ops->send(counter->host->context, &reply), CHORUS_OK);
}

static const struct chorus_node_ops counter_ops = {.start = counter_start,
                                                   .datagram = counter_datagram};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(struct krn_network *network, struct counter *counter, int i) {
  char name[16], v6[40], v4[20];
  snprintf(name, sizeof name, "n%d", i);
  snprintf(v6, sizeof v6, "[2001:db8::%x]", i + 1);
  snprintf(v4, sizeof v4, "10.9.%d.%d", (i + 1) / 256, (i + 1) % 256);
  struct chorus_endpoint addresses[] = {at(v6), at(v4)};
  counter->member = i > 0;
  struct emu_node_config config = {.name = name,
                                   .node = {.ops = &counter_ops, .state = counter},
                                   .addresses = addresses,
                                   .address_count = 2};
  ck_assert_msg(krn_add_node(network, &config, KRN_SOCKETS) == (uint32_t)i, "%s",
                krn_error(network));
}

/* One multicast after the other, each answered by all. */
static void ask_all(struct krn_network *network, struct counter *counters, int nodes, int rounds) {
  struct chorus_datagram d = {
      .destination = at(GROUP), .payload = (const uint8_t *)"ask", .length = 3};
  const struct chorus_host *host = counters[0].host;
  for (int i = 0; i < rounds; i++) {
    ck_assert_int_eq(host->ops->send(host->context, &d), CHORUS_OK);
    krn_run_until(network, krn_now(network) + 100 * CHORUS_MILLISECOND);
  }
  size_t expected = (size_t)(nodes - 1) * (size_t)rounds;
  for (int i = 0; i < 400 && counters[0].count < expected; i++)
    krn_run_until(network, krn_now(network) + 10 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(counters[0].count, expected);
  for (int i = 1; i < nodes; i++) ck_assert_uint_eq(counters[i].count, (size_t)rounds);
}

START_TEST(many_nodes_come_up_and_answer) {
  static struct counter counters[LIMIT];
  const int nodes = _i == 0 ? 200 : LIMIT;
  char why[256];
  struct krn_config config = {.network = {.seed = 1, .latency = CHORUS_MILLISECOND},
                              .attachment = lab_attachment()};
  double start = seconds();
  struct krn_network *network = krn_network_new(&config, why, sizeof why);
  ck_assert_msg(network != NULL, "%s", why);
  for (int i = 0; i < nodes; i++) add(network, &counters[i], i);
  int status = krn_start(network, NULL, NULL, 20 * CHORUS_SECOND);
  ck_assert_msg(status == CHORUS_OK, "%s", krn_error(network));
  double up = seconds() - start;
  ask_all(network, counters, nodes, 10);
  struct krn_lag lag = krn_lag(network);
  double end = seconds();
  krn_stop(network);
  krn_network_free(network);
  printf("%d nodes on %s: up in %.2f s, freed in %.2f s; lateness median %.3f ms, 99th %.3f ms\n",
         nodes, krn_attachment_name(config.attachment), up, seconds() - end,
         (double)lag.median / 1e6, (double)lag.p99 / 1e6);
  fflush(stdout);
  if (nodes == 200) ck_assert(up < 5.0);
}
END_TEST

#define SENDERS 300
#define GROUPS  6 /* with them the neighbour table of the kernel, 1024 entries, would overflow */

START_TEST(many_nodes_send_to_many_groups) {
  static struct counter counters[SENDERS];
  char why[256];
  struct krn_config config = {.network = {.seed = 1}, .attachment = lab_attachment()};
  struct krn_network *network = krn_network_new(&config, why, sizeof why);
  ck_assert_msg(network != NULL, "%s", why);
  for (int i = 0; i < SENDERS; i++) add(network, &counters[i], i);
  ck_assert_int_eq(krn_start(network, NULL, NULL, 20 * CHORUS_SECOND), CHORUS_OK);
  for (int j = 0; j < GROUPS; j++) {
    char group[32];
    snprintf(group, sizeof group, "[ff35::9:%x]:5683", j);
    struct chorus_datagram d = {.destination = at(group)};
    for (int i = 0; i < SENDERS; i++) {
      const struct chorus_host *host = counters[i].host;
      int status = host->ops->send(host->context, &d);
      ck_assert_msg(status == CHORUS_OK, "node %d, group %d: %d", i, j, status);
    }
  }
  krn_run_until(network, krn_now(network) + 100 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(krn_counters(network).transmissions, SENDERS * GROUPS);
  krn_network_free(network);
}
END_TEST

LAB_SUITE("scale", {many_nodes_come_up_and_answer, 2}, {many_nodes_send_to_many_groups, 1})
