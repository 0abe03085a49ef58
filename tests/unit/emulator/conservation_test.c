/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conservation law: every packet is accounted for once per receiver, as delivered, dropped with
 * a cause, or under way; at all times, in random networks. The observer is told the same story.
 */
#include "random_network.h"

#define RUNS  150
#define STEPS 120

/* What the observer has seen. */
struct ledger {
  uint64_t fates[EMU_FATE_COUNT];
  uint64_t transmitted, arrived, last_id;
};

static void on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                           const uint8_t *packet, size_t length) {
  struct ledger *l = context;
  (void)now, (void)node, (void)packet, (void)length;
  ck_assert_uint_eq(id, l->last_id + 1);
  l->last_id = id;
  l->transmitted++;
}

static void on_fate(void *context, chorus_time now, uint64_t id, uint32_t receiver,
                    enum emu_fate fate, uint32_t clause) {
  struct ledger *l = context;
  (void)now, (void)receiver, (void)clause;
  ck_assert_uint_le(id, l->last_id);
  l->fates[fate]++;
}

static void on_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                       const uint8_t *packet, size_t length) {
  struct ledger *l = context;
  (void)now, (void)node, (void)packet;
  ck_assert_uint_le(id, l->last_id);
  ck_assert_uint_gt(length, 0);
  l->arrived++;
}

static void check(const struct toy_network *t, const struct ledger *l, bool watched) {
  struct emu_counters c = emu_counters(t->network);
  uint64_t sum = c.in_flight;
  for (int i = 0; i < EMU_FATE_COUNT; i++) {
    sum += c.fate[i];
    if (watched) ck_assert_uint_eq(c.fate[i], l->fates[i]);
  }
  ck_assert_uint_eq(c.receptions, sum);
  if (!watched) return;
  ck_assert_uint_eq(c.transmissions, l->transmitted);
  uint64_t seen = c.fate[EMU_DELIVERED] + c.fate[EMU_DROPPED_CLOSED] + c.fate[EMU_DROPPED_CORRUPT];
  ck_assert_uint_ge(l->arrived, seen);
}

static void run(uint64_t seed, bool watched) {
  struct toy_network *t = malloc(sizeof *t);
  struct dice d = {.seed = seed};
  struct ledger ledger = {0};
  struct emu_observer observer = {
      .context = &ledger, .transmitted = on_transmitted, .fate = on_fate, .arrived = on_arrived};
  random_network(t, &d);
  if (watched) emu_observe(t->network, &observer);
  for (int i = 0; i < STEPS; i++) {
    random_step(t, &d);
    check(t, &ledger, watched);
  }
  if (roll(&d, 4) == 0) emu_stop(t->network);
  emu_run_idle(t->network, emu_now(t->network));
  check(t, &ledger, watched);
  ck_assert_uint_eq(emu_counters(t->network).in_flight, 0);
  emu_network_free(t->network);
  free(t);
}

START_TEST(holds_when_watched) {
  for (uint64_t seed = 1; seed <= RUNS; seed++) run(seed, true);
}
END_TEST

START_TEST(holds_when_nobody_looks) {
  for (uint64_t seed = 1; seed <= RUNS; seed++) run(seed, false);
}
END_TEST

RUN_SUITE("conservation", holds_when_watched, holds_when_nobody_looks)
