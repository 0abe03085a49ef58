/* SPDX-License-Identifier: BSD-2-Clause */
#include "random.h"

#include "suite.h"

/* Golden values: the same on every compiler and machine (W15). */
START_TEST(values_never_change) {
  ck_assert_uint_eq(emu_mix(1), UINT64_C(0x5692161d100b05e5));
  ck_assert_uint_eq(emu_name_hash("client"), emu_name_hash("client"));
  ck_assert_uint_eq(emu_random(emu_key(7, 9), 3), UINT64_C(0x22c4dd3c744a03c6));
  ck_assert_uint_eq(emu_name_hash("s1"), UINT64_C(0x4c594168be82e9fe));
}
END_TEST

START_TEST(keys_depend_on_every_word_and_the_order) {
  ck_assert_uint_ne(emu_key(1, 2), emu_key(2, 1));
  ck_assert_uint_ne(emu_key(emu_key(5, 1), 2), emu_key(emu_key(5, 2), 1));
  ck_assert_uint_ne(emu_name_hash("s1"), emu_name_hash("s2"));
  ck_assert_uint_ne(emu_name_hash("ab"), emu_name_hash("ba"));
}
END_TEST

START_TEST(below_covers_its_range_evenly) {
  uint32_t seen[10] = {0};
  for (uint64_t i = 0; i < 100000; i++) seen[emu_below(emu_random(42, i), 10)]++;
  for (int i = 0; i < 10; i++) {
    ck_assert_uint_gt(seen[i], 9600);
    ck_assert_uint_lt(seen[i], 10400);
  }
}
END_TEST

START_TEST(chance_is_exact_at_its_ends) {
  unsigned hits = 0;
  for (uint64_t i = 0; i < 100000; i++) {
    uint64_t r = emu_random(1, i);
    ck_assert(!emu_chance(r, 0));
    ck_assert(emu_chance(r, EMU_ALWAYS));
    hits += emu_chance(r, 100000);
  }
  ck_assert_uint_gt(hits, 9600);
  ck_assert_uint_lt(hits, 10400);
}
END_TEST

/* Every output bit is set half of the time, whatever the counter does. */
START_TEST(bits_are_balanced) {
  unsigned set[64] = {0};
  for (uint64_t i = 0; i < 20000; i++) {
    uint64_t r = emu_random(emu_key(3, i & 7), i);
    for (int b = 0; b < 64; b++) set[b] += (unsigned)(r >> b & 1);
  }
  for (int b = 0; b < 64; b++) {
    ck_assert_uint_gt(set[b], 9600);
    ck_assert_uint_lt(set[b], 10400);
  }
}
END_TEST

RUN_SUITE("random", values_never_change, keys_depend_on_every_word_and_the_order,
          below_covers_its_range_evenly, chance_is_exact_at_its_ends, bits_are_balanced)
