/* SPDX-License-Identifier: BSD-2-Clause */
/* Random networks with random traffic, all from one number. */
#ifndef EMU_TEST_RANDOM_NETWORK_H
#define EMU_TEST_RANDOM_NETWORK_H

#include "random.h"
#include "toy.h"

struct dice {
  uint64_t seed, count;
};

static inline uint32_t roll(struct dice *d, uint32_t bound) {
  return emu_below(emu_random(d->seed, d->count++), bound);
}

static inline emu_ppm ratio(struct dice *d) {
  return roll(d, 3) ? 0 : roll(d, EMU_ALWAYS / 2);
}

static const char *const random_groups[] = {"[ff35::1]:5683", "[ff05::fd]:5683", "[ff02::fd]:5683",
                                            "[ff35::1]:7000", "224.0.1.187:5683"};

/* One throw per statement: C does not say in which order an initializer or arguments are evaluated.
 */
static inline struct emu_impairment random_impairment(struct dice *d, const uint32_t *list) {
  struct emu_impairment w = {0};
  w.clause = 1 + roll(d, 50);
  w.loss = ratio(d);
  w.gemodel_p = ratio(d);
  w.gemodel_r = ratio(d);
  w.gemodel_loss_bad = ratio(d);
  w.delay = roll(d, 5000000);
  w.jitter = roll(d, 2000000);
  w.jitter_kind = (enum emu_jitter)roll(d, 3);
  w.duplicate = ratio(d);
  w.duplicate_gap = roll(d, 1000);
  w.reorder = ratio(d);
  w.reorder_gap = roll(d, 100000);
  w.corrupt = ratio(d);
  w.queue_limit = roll(d, 20);
  w.multicast_only = roll(d, 6) == 0;
  if (roll(d, 3) == 0) w.rate = 10000 + roll(d, 1000000);
  if (roll(d, 3) == 0) {
    w.drop = list;
    w.drop_count = 3;
  }
  if (roll(d, 4) == 0) w.to = 1 + roll(d, 1000000000);
  return w;
}

static inline uint32_t random_node(struct dice *d, const struct toy_network *t) {
  return roll(d, 3) ? roll(d, t->count) : EMU_ANY;
}

static inline void random_impairments(struct toy_network *t, struct dice *d) {
  static const uint32_t list[] = {1, 4, 9};
  for (uint32_t i = roll(d, 5); i > 0; i--) {
    struct emu_impairment w = random_impairment(d, list);
    uint32_t sender = random_node(d, t);
    uint32_t receiver = random_node(d, t);
    ck_assert_uint_ne(emu_impair(t->network, sender, receiver, &w), 0);
  }
}

static inline void random_nodes(struct toy_network *t, struct dice *d) {
  uint32_t links = 1 + roll(d, 3);
  for (uint32_t i = 1; i < links; i++) {
    struct emu_link_config link = {0};
    link.realm = roll(d, 2);
    link.admin = roll(d, 2);
    link.site = roll(d, 2);
    link.organization = roll(d, 2);
    emu_add_link(t->network, &link);
  }
  uint32_t count = 2 + roll(d, TOY_NODES - 1);
  for (uint32_t i = 0; i < count; i++) {
    char name[16], v6[40], other[40];
    snprintf(name, sizeof name, "n%u", i);
    snprintf(v6, sizeof v6, "2001:db8::%x", i + 1);
    snprintf(other, sizeof other, roll(d, 2) ? "192.0.2.%u" : "fe80::%u", i + 1);
    uint32_t link = roll(d, links);
    toy_add(t, name, v6, other, link, random_groups[roll(d, 5)]);
    t->nodes[i].answers = roll(d, 30);
  }
}

static inline void random_destination(struct dice *d, char *to, size_t size) {
  uint32_t kind = roll(d, 6), host = 1 + roll(d, 9);
  const char *group = random_groups[roll(d, 5)];
  switch (kind) {
    case 0: snprintf(to, size, "[2001:db8::%x]:%u", host, roll(d, 3) ? 5683u : 9u); break;
    case 1: snprintf(to, size, "[fe80::%u]:5683", host); break;
    case 2: snprintf(to, size, "192.0.2.%u:5683", host); break;
    case 3: snprintf(to, size, "%s", host % 2 ? "255.255.255.255:5683" : "[ff02::1]:5683"); break;
    default: snprintf(to, size, "%s", group);
  }
}

/* One thing happens: a datagram, a change of membership, an impairment, time. */
static inline void random_step(struct toy_network *t, struct dice *d) {
  char to[40];
  uint32_t node = roll(d, t->count);
  const struct chorus_host *host = t->nodes[node].host;
  struct chorus_endpoint group = at(random_groups[roll(d, 5)]);
  switch (roll(d, 8)) {
    case 0: host->ops->join(host->context, &group); break;
    case 1: host->ops->leave(host->context, &group); break;
    case 2: emu_run_until(t->network, emu_now(t->network) + roll(d, 20000000)); break;
    case 3: emu_repair(t->network, 1 + roll(d, 4)); break;
    default:
      random_destination(d, to, sizeof to);
      toy_send(t, node, to, roll(d, 4) ? roll(d, 100) : roll(d, 6000));
  }
}

static inline void random_network(struct toy_network *t, struct dice *d) {
  struct emu_config config = {.seed = d->seed};
  if (roll(d, 3)) config.latency = roll(d, 3000000);
  if (roll(d, 2)) config.mtu = 1280 + roll(d, 200);
  config.reassembly_limit = roll(d, 4);
  toy_new(t, &config);
  random_nodes(t, d);
  ck_assert_int_eq(emu_start(t->network), CHORUS_OK);
  random_impairments(t, d);
}

#endif
