/* SPDX-License-Identifier: BSD-2-Clause */
/* The same calls give the same octets, and a node more changes nobody else's dice (W15, W16). */
#include "random_network.h"

#define STEPS 150

/* A digest of all that an observer is told, in its order. */
struct digest {
  uint64_t value, calls;
};

static void feed(struct digest *digest, const void *octets, size_t length) {
  const uint8_t *o = octets;
  for (size_t i = 0; i < length; i++)
    digest->value = (digest->value ^ o[i]) * UINT64_C(0x100000001b3);
}

static void feed_words(struct digest *digest, uint64_t a, uint64_t b, uint64_t c, uint64_t e) {
  const uint64_t words[] = {a, b, c, e};
  for (int i = 0; i < 4; i++)
    for (int shift = 0; shift < 64; shift += 8)
      feed(digest, &(uint8_t){(uint8_t)(words[i] >> shift)}, 1);
  digest->calls++;
}

static void on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                           const uint8_t *packet, size_t length) {
  feed_words(context, now, node, id, length);
  feed(context, packet, length);
}

static void on_fate(void *context, chorus_time now, uint64_t id, uint32_t receiver,
                    enum emu_fate fate, uint32_t clause) {
  feed_words(context, now, id, receiver, (uint64_t)fate << 32 | clause);
}

static void on_membership(void *context, chorus_time now, uint32_t node,
                          const struct chorus_endpoint *group, bool joined) {
  feed_words(context, now, node, joined, group->port);
  feed(context, group->address, sizeof group->address);
}

static struct digest run(uint64_t seed) {
  struct toy_network *t = malloc(sizeof *t);
  struct dice d = {.seed = seed};
  struct digest digest = {.value = UINT64_C(0xcbf29ce484222325)};
  struct emu_observer observer = {.context = &digest,
                                  .transmitted = on_transmitted,
                                  .fate = on_fate,
                                  .arrived = on_transmitted,
                                  .membership = on_membership};
  random_network(t, &d);
  emu_observe(t->network, &observer);
  for (int i = 0; i < STEPS; i++) random_step(t, &d);
  emu_run_idle(t->network, emu_now(t->network));
  emu_network_free(t->network);
  free(t);
  return digest;
}

START_TEST(the_same_calls_give_the_same_octets) {
  uint64_t different = 0;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    struct digest first = run(seed), second = run(seed);
    ck_assert_uint_gt(first.calls, 0);
    ck_assert_uint_eq(first.value, second.value);
    ck_assert_uint_eq(first.calls, second.calls);
    different += first.value != run(seed + 1000).value;
  }
  ck_assert_uint_eq(different, 60);
}
END_TEST

/* W15: a digest that every compiler and machine must find. A change here breaks old captures. */
START_TEST(w15_the_octets_never_change) {
  struct digest total = {.value = UINT64_C(0xcbf29ce484222325)};
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct digest one = run(seed);
    feed_words(&total, seed, one.value, one.calls, 0);
  }
  ck_assert_msg(total.value == UINT64_C(0x1f41496333e1df72), "0x%llx",
                (unsigned long long)total.value);
}
END_TEST

/* Fates of the packets of "a" towards "b" and back, in a network with more nodes or fewer. */
static void drop_log(uint32_t extra, bool first, uint8_t *log, size_t count) {
  struct toy_network t;
  struct emu_config config = {.seed = 31, .latency = 1000};
  char name[16], address[40];
  toy_new(&t, &config);
  for (uint32_t i = 0; first && i < extra; i++) {
    snprintf(name, sizeof name, "x%u", i);
    snprintf(address, sizeof address, "2001:db8:9::%u", i + 1);
    toy_add(&t, name, address, NULL, 0, "[ff35::1]:5683");
  }
  uint32_t a = toy_add(&t, "a", "2001:db8::a", NULL, 0, "[ff35::1]:5683");
  uint32_t b = toy_add(&t, "b", "2001:db8::b", NULL, 0, "[ff35::1]:5683");
  for (uint32_t i = 0; !first && i < extra; i++) {
    snprintf(name, sizeof name, "x%u", i);
    snprintf(address, sizeof address, "2001:db8:9::%u", i + 1);
    toy_add(&t, name, address, NULL, 0, "[ff35::1]:5683");
  }
  emu_start(t.network);
  struct emu_impairment w = {
      .loss = 300000, .gemodel_p = 100000, .gemodel_r = 300000, .gemodel_loss_bad = EMU_ALWAYS};
  emu_impair(t.network, EMU_ANY, EMU_ANY, &w);
  for (size_t i = 0; i < count; i++) {
    for (uint32_t x = 0; x < t.count; x++)
      if (x != a && x != b) toy_send(&t, x, "[ff35::1]:5683", 9);
    emu_run_until(t.network, emu_now(t.network) + 2000);
    size_t at_b = t.nodes[b].count, at_a = t.nodes[a].count;
    toy_send(&t, a, "[ff35::1]:5683", 10);
    toy_send(&t, b, "[2001:db8::a]:5683", 10);
    emu_run_until(t.network, emu_now(t.network) + 2000);
    log[i] = (uint8_t)((t.nodes[b].count - at_b) | (t.nodes[a].count - at_a) << 1);
  }
  toy_finish(&t);
}

/* W16. */
START_TEST(w16_another_node_changes_nobodys_dice) {
  uint8_t alone[300], before[300], after[300];
  drop_log(0, false, alone, sizeof alone);
  drop_log(5, true, before, sizeof before);
  drop_log(5, false, after, sizeof after);
  ck_assert_mem_eq(alone, before, sizeof alone);
  ck_assert_mem_eq(alone, after, sizeof alone);
  unsigned kinds[4] = {0};
  for (size_t i = 0; i < sizeof alone; i++) kinds[alone[i]]++;
  for (int i = 0; i < 4; i++) ck_assert_uint_gt(kinds[i], 10); /* dice were thrown, apart */
}
END_TEST

RUN_SUITE("determinism", the_same_calls_give_the_same_octets, w15_the_octets_never_change,
          w16_another_node_changes_nobodys_dice)
