/* SPDX-License-Identifier: BSD-2-Clause */
#include "impair.h"

#include "random.h"
#include "suite.h"

#define SEED 99

static struct emu_impairments set;

static void setup(void) {
  emu_impairments_init(&set, SEED);
}

/* A packet from node |s| ("s" in hash terms too) to |r|. */
static struct emu_passage passage(chorus_time now, uint32_t s, uint32_t r) {
  return (struct emu_passage){.now = now,
                              .sender = s,
                              .receiver = r,
                              .sender_hash = emu_mix(s + 1),
                              .receiver_hash = emu_mix(r + 1),
                              .length = 100};
}

static struct emu_outcome send_at(chorus_time now, uint32_t s, uint32_t r) {
  struct emu_outcome outcome;
  struct emu_passage p = passage(now, s, r);
  emu_impairments_apply(&set, &p, &outcome);
  return outcome;
}

static uint32_t add(uint32_t s, uint32_t r, struct emu_impairment what) {
  uint32_t handle = emu_impairments_add(&set, s, r, &what);
  ck_assert_uint_ne(handle, 0);
  return handle;
}

START_TEST(without_impairments_nothing_happens) {
  setup();
  struct emu_outcome o = send_at(5, 0, 1);
  ck_assert_uint_eq(o.count, 1);
  ck_assert_int_eq(o.copy[0].fate, EMU_DELIVERED);
  ck_assert_uint_eq(o.copy[0].delay, 0);
  ck_assert(!emu_impairments_touch(&set, 0, 1));
  emu_impairments_free(&set);
}
END_TEST

START_TEST(the_drop_list_counts_from_one_per_pair) {
  setup();
  const uint32_t list[] = {1, 3};
  uint32_t handle =
      add(0, EMU_ANY, (struct emu_impairment){.clause = 14, .drop = list, .drop_count = 2});
  for (uint32_t r = 1; r < 4; r++) {
    for (uint32_t n = 1; n < 6; n++) {
      struct emu_outcome o = send_at(n, 0, r);
      bool listed = n == 1 || n == 3;
      ck_assert_int_eq(o.copy[0].fate, listed ? EMU_DROPPED_LIST : EMU_DELIVERED);
      if (listed) ck_assert_uint_eq(o.copy[0].clause, 14);
    }
  }
  ck_assert_uint_eq(emu_impairments_used(&set, handle), 6);
  emu_impairments_free(&set);
}
END_TEST

/* W18: a drop list that no packet reaches. */
START_TEST(an_unused_impairment_is_visible) {
  setup();
  const uint32_t list[] = {1000};
  uint32_t beyond = add(0, 1, (struct emu_impairment){.drop = list, .drop_count = 1});
  uint32_t other = add(7, 8, (struct emu_impairment){.loss = EMU_ALWAYS});
  for (uint32_t n = 0; n < 50; n++) send_at(n, 0, 1);
  ck_assert_uint_eq(emu_impairments_used(&set, beyond), 0);
  ck_assert_uint_eq(emu_impairments_used(&set, other), 0);
  ck_assert_uint_eq(emu_impairments_used(&set, 77), 0);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(random_loss_has_its_rate) {
  setup();
  uint32_t handle = add(EMU_ANY, EMU_ANY, (struct emu_impairment){.loss = 200000});
  unsigned lost = 0;
  for (uint32_t n = 0; n < 20000; n++) lost += send_at(n, 0, 1).copy[0].fate == EMU_DROPPED_LOSS;
  ck_assert_uint_gt(lost, 3800);
  ck_assert_uint_lt(lost, 4200);
  ck_assert_uint_eq(emu_impairments_used(&set, handle), lost);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(directions_and_pairs_have_their_own_dice) {
  setup();
  add(EMU_ANY, EMU_ANY, (struct emu_impairment){.loss = 500000});
  unsigned same_back = 0, same_other = 0;
  for (uint32_t n = 0; n < 1000; n++) {
    bool forth = send_at(n, 0, 1).copy[0].fate == EMU_DELIVERED;
    same_back += forth == (send_at(n, 1, 0).copy[0].fate == EMU_DELIVERED);
    same_other += forth == (send_at(n, 0, 2).copy[0].fate == EMU_DELIVERED);
  }
  ck_assert_uint_gt(same_back, 400);
  ck_assert_uint_lt(same_back, 600);
  ck_assert_uint_gt(same_other, 400);
  ck_assert_uint_lt(same_other, 600);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(equal_rules_throw_different_dice) {
  setup();
  add(0, 1, (struct emu_impairment){.loss = 500000});
  add(0, 1, (struct emu_impairment){.loss = 500000});
  add(EMU_ANY, 1, (struct emu_impairment){.loss = 500000});
  unsigned through = 0;
  for (uint32_t n = 0; n < 4000; n++) through += send_at(n, 0, 1).copy[0].fate == EMU_DELIVERED;
  ck_assert_uint_gt(through, 400); /* one in eight */
  ck_assert_uint_lt(through, 600);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(gilbert_elliott_loses_in_bursts) {
  setup();
  add(0, 1,
      (struct emu_impairment){
          .gemodel_p = 10000, .gemodel_r = 100000, .gemodel_loss_bad = EMU_ALWAYS});
  unsigned lost = 0, bursts = 0;
  bool before = false;
  for (uint32_t n = 0; n < 100000; n++) {
    bool now = send_at(n, 0, 1).copy[0].fate == EMU_DROPPED_LOSS;
    lost += now;
    bursts += now && !before;
    before = now;
  }
  ck_assert_uint_gt(lost, 8000); /* p / (p + r) = 9.1 % */
  ck_assert_uint_lt(lost, 10200);
  ck_assert_uint_gt(lost / bursts, 8); /* mean length 1 / r = 10 */
  ck_assert_uint_lt(lost / bursts, 12);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(delay_and_jitter_add_up) {
  setup();
  add(0, 1, (struct emu_impairment){.delay = 1000});
  add(0, 1, (struct emu_impairment){.delay = 100, .jitter = 500});
  bool low = false, high = false;
  for (uint32_t n = 0; n < 2000; n++) {
    chorus_time delay = send_at(n, 0, 1).copy[0].delay;
    ck_assert_uint_ge(delay, 1000); /* the second one is never below 0 */
    ck_assert_uint_le(delay, 1600);
    low |= delay == 1000;
    high |= delay > 1590;
  }
  ck_assert(low && high);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(duplicates_come_after_the_gap) {
  setup();
  uint32_t handle =
      add(0, 1, (struct emu_impairment){.delay = 50, .duplicate = EMU_ALWAYS, .duplicate_gap = 7});
  struct emu_outcome o = send_at(0, 0, 1);
  ck_assert_uint_eq(o.count, 2);
  ck_assert_uint_eq(o.copy[0].delay, 50);
  ck_assert_uint_eq(o.copy[1].delay, 57);
  ck_assert_uint_eq(emu_impairments_used(&set, handle), 1);
  for (int i = 0; i < 6; i++) add(0, 1, (struct emu_impairment){.duplicate = EMU_ALWAYS});
  ck_assert_uint_eq(send_at(1, 0, 1).count, EMU_COPIES);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(held_back_packets_wait_for_the_gap) {
  setup();
  add(0, 1, (struct emu_impairment){.reorder = 500000, .reorder_gap = 90});
  unsigned held = 0;
  for (uint32_t n = 0; n < 1000; n++) {
    chorus_time delay = send_at(n, 0, 1).copy[0].delay;
    ck_assert(delay == 0 || delay == 90);
    held += delay == 90;
  }
  ck_assert_uint_gt(held, 400);
  ck_assert_uint_lt(held, 600);
  emu_impairments_free(&set);
}
END_TEST

/* 100 octets at 800,000 bit/s take 1 ms. */
START_TEST(a_slow_line_queues_and_drops) {
  setup();
  uint32_t handle =
      add(0, 1, (struct emu_impairment){.clause = 3, .rate = 800000, .queue_limit = 3});
  for (uint64_t n = 1; n <= 3; n++)
    ck_assert_uint_eq(send_at(0, 0, 1).copy[0].delay, n * CHORUS_MILLISECOND);
  struct emu_outcome o = send_at(0, 0, 1);
  ck_assert_int_eq(o.copy[0].fate, EMU_DROPPED_QUEUE);
  ck_assert_uint_eq(o.copy[0].clause, 3);
  o = send_at(CHORUS_MILLISECOND, 0, 1); /* the first has left */
  ck_assert_int_eq(o.copy[0].fate, EMU_DELIVERED);
  ck_assert_uint_eq(o.copy[0].delay, 3 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(send_at(CHORUS_SECOND, 0, 1).copy[0].delay, CHORUS_MILLISECOND);
  ck_assert_uint_eq(emu_impairments_used(&set, handle), 6);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(an_outage_has_its_window) {
  setup();
  add(0, 1, (struct emu_impairment){.loss = EMU_ALWAYS, .from = 100, .to = 200});
  ck_assert_int_eq(send_at(99, 0, 1).copy[0].fate, EMU_DELIVERED);
  ck_assert_int_eq(send_at(100, 0, 1).copy[0].fate, EMU_DROPPED_LOSS);
  ck_assert_int_eq(send_at(199, 0, 1).copy[0].fate, EMU_DROPPED_LOSS);
  ck_assert_int_eq(send_at(200, 0, 1).copy[0].fate, EMU_DELIVERED);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(one_way_and_kind_of_destination) {
  setup();
  add(0, 1, (struct emu_impairment){.loss = EMU_ALWAYS, .multicast_only = true});
  struct emu_outcome o;
  struct emu_passage p = passage(0, 0, 1);
  emu_impairments_apply(&set, &p, &o);
  ck_assert_int_eq(o.copy[0].fate, EMU_DELIVERED);
  p.group = true;
  emu_impairments_apply(&set, &p, &o);
  ck_assert_int_eq(o.copy[0].fate, EMU_DROPPED_LOSS);
  p = passage(0, 1, 0);
  p.group = true;
  emu_impairments_apply(&set, &p, &o);
  ck_assert_int_eq(o.copy[0].fate, EMU_DELIVERED);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(corruption_is_marked) {
  setup();
  uint32_t handle = add(0, 1, (struct emu_impairment){.clause = 9, .corrupt = EMU_ALWAYS});
  struct emu_outcome first = send_at(0, 0, 1), second = send_at(0, 0, 1);
  ck_assert(first.copy[0].corrupt && second.copy[0].corrupt);
  ck_assert_uint_eq(first.copy[0].clause, 9);
  ck_assert_uint_ne(first.copy[0].bit, second.copy[0].bit);
  ck_assert_uint_eq(emu_impairments_used(&set, handle), 2);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(a_repaired_pair_is_free) {
  setup();
  uint32_t handle = add(0, 1, (struct emu_impairment){.loss = EMU_ALWAYS});
  send_at(0, 0, 1);
  emu_impairments_end(&set, handle);
  emu_impairments_end(&set, handle);
  ck_assert(!emu_impairments_touch(&set, 0, 1));
  ck_assert_int_eq(send_at(0, 0, 1).copy[0].fate, EMU_DELIVERED);
  ck_assert_uint_eq(emu_impairments_used(&set, handle), 1);
  ck_assert_uint_eq(set.active, 0);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(loopback_is_touched_only_by_name) {
  setup();
  add(EMU_ANY, EMU_ANY, (struct emu_impairment){.loss = EMU_ALWAYS});
  ck_assert(!emu_impairments_touch(&set, 4, 4));
  ck_assert(emu_impairments_touch(&set, 4, 5));
  add(4, 4, (struct emu_impairment){.loss = EMU_ALWAYS});
  ck_assert(emu_impairments_touch(&set, 4, 4));
  emu_impairments_free(&set);
}
END_TEST

START_TEST(rules_apply_in_the_order_of_adding) {
  setup();
  const uint32_t first[] = {1};
  add(EMU_ANY, 1, (struct emu_impairment){.clause = 1, .drop = first, .drop_count = 1});
  add(0, 1, (struct emu_impairment){.clause = 2, .drop = first, .drop_count = 1});
  ck_assert_uint_eq(send_at(0, 0, 1).copy[0].clause, 1);
  ck_assert_uint_eq(send_at(0, 0, 1).copy[0].clause, 2); /* its first packet */
  ck_assert_int_eq(send_at(0, 0, 1).copy[0].fate, EMU_DELIVERED);
  emu_impairments_free(&set);
}
END_TEST

START_TEST(nonsense_is_refused) {
  setup();
  const uint32_t descending[] = {2, 1};
  struct emu_impairment bad[] = {{.loss = EMU_ALWAYS + 1},
                                 {.drop = descending, .drop_count = 2},
                                 {.jitter = UINT64_MAX},
                                 {.jitter_kind = (enum emu_jitter)9},
                                 {.multicast_only = true, .unicast_only = true}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    ck_assert_uint_eq(emu_impairments_add(&set, 0, 1, &bad[i]), 0);
  emu_impairments_free(&set);
}
END_TEST

RUN_SUITE("impair", without_impairments_nothing_happens, the_drop_list_counts_from_one_per_pair,
          an_unused_impairment_is_visible, random_loss_has_its_rate,
          directions_and_pairs_have_their_own_dice, equal_rules_throw_different_dice,
          gilbert_elliott_loses_in_bursts, delay_and_jitter_add_up, duplicates_come_after_the_gap,
          held_back_packets_wait_for_the_gap, a_slow_line_queues_and_drops,
          an_outage_has_its_window, one_way_and_kind_of_destination, corruption_is_marked,
          a_repaired_pair_is_free, loopback_is_touched_only_by_name,
          rules_apply_in_the_order_of_adding, nonsense_is_refused)
