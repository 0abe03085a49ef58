/* SPDX-License-Identifier: BSD-2-Clause */
#include "jitter.h"

#include "random.h"
#include "suite.h"

#define DRAWS 200000

struct moments {
  double mean, deviation, low, high;
};

static struct moments measure(enum emu_jitter kind, chorus_time spread) {
  struct moments m = {.low = 1e18, .high = -1e18};
  double squares = 0;
  for (uint64_t i = 0; i < DRAWS; i++) {
    double x = (double)emu_jitter_draw(kind, spread, emu_random(11, i));
    m.mean += x;
    squares += x * x;
    if (x < m.low) m.low = x;
    if (x > m.high) m.high = x;
  }
  m.mean /= DRAWS;
  m.deviation = squares / DRAWS - m.mean * m.mean; /* still squared */
  return m;
}

START_TEST(uniform_fills_its_interval) {
  struct moments m = measure(EMU_JITTER_UNIFORM, 1000);
  ck_assert_double_eq(m.low, -1000);
  ck_assert_double_eq(m.high, 1000);
  ck_assert_double_lt(m.mean * m.mean, 25);
  ck_assert_double_gt(m.deviation, 0.97 * 1000 * 1000 / 3);
  ck_assert_double_lt(m.deviation, 1.03 * 1000 * 1000 / 3);
}
END_TEST

START_TEST(normal_has_its_deviation) {
  struct moments m = measure(EMU_JITTER_NORMAL, 100000);
  ck_assert_double_lt(m.mean * m.mean, 1e6);
  ck_assert_double_gt(m.deviation, 0.95e10);
  ck_assert_double_lt(m.deviation, 1.05e10);
  ck_assert_double_ge(m.low, -400000);
  ck_assert_double_le(m.high, 400000);
}
END_TEST

START_TEST(normal_has_its_tails) {
  unsigned inside = 0;
  for (uint64_t i = 0; i < DRAWS; i++) {
    int64_t x = emu_jitter_draw(EMU_JITTER_NORMAL, 100000, emu_random(12, i));
    inside += x > -100000 && x < 100000;
  }
  ck_assert_uint_gt(inside, DRAWS / 1000 * 676); /* 68.27 % lie within one deviation */
  ck_assert_uint_lt(inside, DRAWS / 1000 * 689);
}
END_TEST

START_TEST(pareto_is_lopsided) {
  struct moments m = measure(EMU_JITTER_PARETO, 100000);
  ck_assert_double_lt(m.mean * m.mean, 1e6);
  ck_assert_double_ge(m.low, -59000);
  ck_assert_double_gt(m.high, 500000);
  ck_assert_double_gt(m.deviation, 0.5e10); /* the longest part of the tail is cut */
  ck_assert_double_lt(m.deviation, 1.1e10);
}
END_TEST

START_TEST(the_widest_spread_does_not_overflow) {
  const chorus_time widest = UINT64_C(1) << 46;
  for (uint64_t i = 0; i < 10000; i++) {
    int64_t x = emu_jitter_draw(EMU_JITTER_PARETO, widest, emu_random(13, i));
    ck_assert_int_ge(x, -(int64_t)widest);
    ck_assert_int_lt(x, 11 * (int64_t)widest);
    x = emu_jitter_draw(EMU_JITTER_UNIFORM, widest, emu_random(14, i));
    ck_assert_int_le(x, (int64_t)widest);
  }
}
END_TEST

RUN_SUITE("jitter", uniform_fills_its_interval, normal_has_its_deviation, normal_has_its_tails,
          pareto_is_lopsided, the_widest_spread_does_not_overflow)
