/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on Leisure (harness/rules/leisure.c). */
#include "server_fixture.h"

#define SPACING 20000u /* ms between requests: longer than any period */

/* A stream of numbers, the same on every machine. */
static uint64_t next(uint64_t *state) {
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static const char *token_of(unsigned i, char token[9]) {
  snprintf(token, 9, "%08x", i);
  return token;
}

/* Delay of response |i|, ms. */
typedef uint64_t delay_function(unsigned i, uint64_t *random);

static uint64_t uniform(unsigned i, uint64_t *random) {
  (void)i;
  return next(random) % 5000;
}
static uint64_t uniform_20s(unsigned i, uint64_t *random) {
  (void)i;
  return next(random) % 15000;
}
static uint64_t immediate(unsigned i, uint64_t *random) {
  (void)i;
  return next(random) % 3;
}
static uint64_t short_leisure(unsigned i, uint64_t *random) {
  (void)i;
  return next(random) % 300;
}
static uint64_t tiny_leisure(unsigned i, uint64_t *random) {
  (void)i;
  return next(random) % 40;
}
static uint64_t constant(unsigned i, uint64_t *random) {
  (void)i;
  return 2500 + next(random) % 5;
}
static uint64_t at_the_end(unsigned i, uint64_t *random) {
  (void)i;
  (void)random;
  return 5000;
}
static uint64_t triangular(unsigned i, uint64_t *random) {
  (void)i;
  return (next(random) % 5000 + next(random) % 5000) / 2;
}
static uint64_t sometimes_late(unsigned i, uint64_t *random) {
  return i % 20 == 7 ? 7100 : uniform(i, random);
}

static void sample(unsigned n, delay_function *delay, bool outside) {
  uint64_t random = 1;
  char token[9];
  serve(JDG_DIJK_03);
  for (unsigned i = 0; i < n; i++) {
    uint64_t at = 1000 + (uint64_t)SPACING * i;
    const char *k = token_of(i, token);
    uint64_t d = delay(i, &random);
    if (!outside) {
      ask(at, NON(GET, (int)i, k, .path = "/open"));
      answer(at + d, NON(CODE_205, (int)i, k));
      continue;
    }
    fx_at(&fx, at);
    fx_see(&fx, "[2001:db8::77]:50000", GROUP, NON(GET, (int)i, k, .path = "/open"));
    fx_at(&fx, at + d);
    fx_see(&fx, "[2001:db8::88]:5683", "[2001:db8::77]:50000", NON(CODE_205, (int)i, k));
  }
  end(1000 + (uint64_t)SPACING * (n + 1));
  if (outside) s = fx_node_named(&fx, "2001:db8::88");
}

static void expect_both(enum jdg_verdict not_immediate, enum jdg_verdict random) {
  expect("GC-2.3.4-06", not_immediate);
  expect("COAP-8.2-03", not_immediate);
  expect("GC-2.3.4-07", random);
  expect("COAP-8.2-04", random);
}

START_TEST(uniform_delays_pass) {
  sample(200, uniform, false);
  expect_both(JDG_PASS, JDG_PASS);
  expect("COAP-8.2-07", JDG_PASS);
  ck_assert_uint_eq(fx_result(&fx, "GC-2.3.4-07", s)->finding_count, 0);
}
END_TEST

START_TEST(many_seeds_of_uniform_delays_pass) {
  for (unsigned seed = 0; seed < 20; seed++) {
    uint64_t random = seed;
    char token[9];
    if (seed) fx_free(&fx);
    serve(JDG_DIJK_03);
    for (unsigned i = 0; i < 80; i++) {
      uint64_t at = 1000 + (uint64_t)SPACING * i;
      ask(at, NON(GET, (int)i, token_of(i, token), .path = "/open"));
      answer(at + next(&random) % 5000, NON(CODE_205, (int)i, token));
    }
    end(1000 + SPACING * 81);
    expect_both(JDG_PASS, JDG_PASS);
  }
}
END_TEST

START_TEST(few_delays_decide_nothing) {
  sample(79, uniform, false);
  expect_both(JDG_NOT_EXERCISED, JDG_NOT_EXERCISED);
  expect("COAP-8.2-07", JDG_NOT_EXERCISED);
  fx_free(&fx);
  sample(19, immediate, false);
  expect_both(JDG_NOT_EXERCISED, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(what_is_plain_needs_no_large_sample) {
  for (int outside = 0; outside < 2; outside++) {
    if (outside) fx_free(&fx);
    sample(20, immediate, outside);
    expect_both(JDG_WARN, JDG_WARN);
    fx_free(&fx);
    sample(20, constant, outside);
    expect_both(JDG_NOT_EXERCISED, JDG_WARN);
  }
}
END_TEST

START_TEST(one_later_response_and_it_is_not_plain) {
  uint64_t random = 1;
  char token[9];
  serve(JDG_DIJK_03);
  for (unsigned i = 0; i < 30; i++) {
    uint64_t at = 1000 + (uint64_t)SPACING * i;
    ask(at, NON(GET, (int)i, token_of(i, token), .path = "/open"));
    answer(at + (i == 7 ? 2000 : immediate(i, &random)), NON(CODE_205, (int)i, token));
  }
  end(1000 + SPACING * 31);
  expect_both(JDG_NOT_EXERCISED, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(immediate_delays_warn) {
  sample(80, immediate, false);
  expect_both(JDG_WARN, JDG_WARN);
  expect("COAP-8.2-07", JDG_WARN);
}
END_TEST

START_TEST(constant_delays_warn) {
  sample(80, constant, false);
  expect_both(JDG_PASS, JDG_WARN);
}
END_TEST

START_TEST(always_at_the_end_warns) {
  sample(80, at_the_end, false);
  expect_both(JDG_PASS, JDG_WARN);
}
END_TEST

START_TEST(another_shape_is_a_remark) {
  sample(400, triangular, false);
  expect_both(JDG_PASS, JDG_PASS);
  ck_assert_uint_eq(fx_result(&fx, "GC-2.3.4-07", s)->finding_count, 1);
}
END_TEST

START_TEST(late_responses_warn_whatever_the_number) {
  sample(20, sometimes_late, false);
  expect_both(JDG_NOT_EXERCISED, JDG_WARN);
}
END_TEST

START_TEST(the_limit_is_leisure_and_processing_and_delta) {
  const uint64_t delays[] = {7050, 7051};
  const enum jdg_verdict verdicts[] = {JDG_NOT_EXERCISED, JDG_WARN};
  for (int i = 0; i < 2; i++) {
    if (i) fx_free(&fx);
    serve(JDG_DIJK_03);
    ask(1000, NON(GET, 1, "aa", .path = "/open"));
    answer(1000 + delays[i], NON(CODE_205, 1, "aa"));
    end(20000);
    expect("GC-2.3.4-07", verdicts[i]);
  }
}
END_TEST

START_TEST(an_undeclared_leisure_may_be_any) {
  ics.leisure_declared = JDG_UNKNOWN;
  sample(100, uniform_20s, false);
  expect_both(JDG_PASS, JDG_PASS);
  fx_free(&fx);
  sample(100, short_leisure, false);
  expect_both(JDG_PASS, JDG_PASS);
  expect("COAP-8.2-07", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_short_leisure_is_not_the_declared_one) {
  sample(100, short_leisure, false);
  expect_both(JDG_WARN, JDG_WARN);
  expect("COAP-8.2-07", JDG_WARN);
}
END_TEST

START_TEST(a_declared_leisure_may_be_tiny) {
  ics.leisure = 40 * CHORUS_MILLISECOND;
  sample(100, tiny_leisure, false);
  expect_both(JDG_PASS, JDG_PASS);
}
END_TEST

START_TEST(from_outside_immediate_and_constant_tell) {
  sample(80, immediate, true);
  expect_both(JDG_WARN, JDG_WARN);
  fx_free(&fx);
  sample(80, constant, true);
  expect("COAP-8.2-03", JDG_PASS);
  expect("COAP-8.2-04", JDG_WARN);
  fx_free(&fx);
  sample(80, uniform_20s, true);
  expect_both(JDG_PASS, JDG_PASS);
}
END_TEST

START_TEST(overlapping_requests_are_no_sample) {
  char token[9];
  serve(JDG_DIJK_03);
  for (unsigned i = 0; i < 200; i++) {
    ask(1000 + 2000u * i, NON(GET, (int)i, token_of(i, token), .path = "/open"));
    answer(1000 + 2000u * i + 1, NON(CODE_205, (int)i, token));
  }
  end(500000);
  expect_both(JDG_NOT_EXERCISED, JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-8.2-05 ---- */

static void pairs(unsigned n, uint64_t first, uint64_t second) {
  char token[9];
  serve(JDG_DIJK_03);
  for (unsigned i = 0; i < n; i++) {
    uint64_t at = 1000 + (uint64_t)SPACING * i;
    ask(at, NON(GET, (int)(2 * i), token_of(2 * i, token), .path = "/open"));
    ask(at + 100, NON(GET, (int)(2 * i + 1), token_of(2 * i + 1, token), .path = "/open"));
    bool in_order = first <= second;
    uint64_t times[] = {in_order ? first : second, in_order ? second : first};
    unsigned order[] = {in_order ? 0 : 1, in_order ? 1 : 0};
    for (unsigned k = 0; k < 2; k++)
      answer(at + times[k],
             NON(CODE_205, (int)(2 * i + order[k]), token_of(2 * i + order[k], token)));
  }
  end(1000 + (uint64_t)SPACING * (n + 1));
}

START_TEST(the_second_period_after_the_first) {
  pairs(40, 3000, 4950);
  expect("COAP-8.2-05", JDG_PASS);
}
END_TEST

START_TEST(one_period_for_all_deviates) {
  pairs(40, 3000, 3000);
  expect("COAP-8.2-05", JDG_WARN);
}
END_TEST

START_TEST(a_second_response_before_the_first_deviates) {
  pairs(40, 4000, 1000);
  expect("COAP-8.2-05", JDG_WARN);
}
END_TEST

START_TEST(few_pairs_decide_nothing) {
  pairs(39, 3000, 3000);
  expect("COAP-8.2-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(pairs_without_a_declared_leisure_are_inconclusive) {
  ics.leisure_declared = JDG_UNKNOWN;
  pairs(40, 3000, 3000);
  expect("COAP-8.2-05", JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(lone_requests_are_no_pairs) {
  sample(80, uniform, false);
  expect("COAP-8.2-05", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-8.2-06 ---- */

static void bound(unsigned size, unsigned members, uint64_t rate, chorus_time leisure) {
  ics.response_size = size;
  ics.group_size = members;
  ics.group_rate = rate;
  ics.leisure = leisure;
  serve(JDG_DIJK_03);
  end(1000);
}

START_TEST(leisure_at_the_lower_bound) {
  bound(100, 100, 1000, 10 * CHORUS_SECOND);
  expect("COAP-8.2-06", JDG_PASS);
}
END_TEST

START_TEST(leisure_below_the_lower_bound) {
  bound(100, 100, 1000, 10 * CHORUS_SECOND - 1);
  expect("COAP-8.2-06", JDG_WARN);
}
END_TEST

START_TEST(leisure_without_estimates) {
  bound(100, 100, 0, CHORUS_SECOND);
  expect("COAP-8.2-06", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- GC-A.2.1-01 ---- */

/* A request to |to| that is executed |delay| ms after it arrived at 1 s. */
static void executed_after(const char *to, int code, uint64_t delay) {
  serve(JDG_DIJK_03);
  ask_to(1000, to, NON(code, 1, "aa", .path = "/open"));
  executes(1000 + delay, 1, "aa");
  end(30000);
}

START_TEST(an_execution_waits_for_nothing) {
  executed_after(GROUP, PUT, 1);
  expect("GC-A.2.1-01", JDG_PASS);
}
END_TEST

START_TEST(an_execution_takes_its_processing) {
  executed_after(GROUP, PUT, 2050);
  expect("GC-A.2.1-01", JDG_PASS);
}
END_TEST

START_TEST(an_execution_that_waits_for_the_leisure) {
  executed_after(GROUP, POST, 3100);
  expect("GC-A.2.1-01", JDG_WARN);
  const struct jdg_result *r = fx_result(&fx, "GC-A.2.1-01", s);
  ck_assert_str_eq(r->findings[0].actual, "executed 3.100 s after it, mid=0x0001");
}
END_TEST

START_TEST(to_read_late_is_out_of_no_step) {
  executed_after(GROUP, GET, 3100);
  expect("GC-A.2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_unicast_request_is_in_step_with_nobody) {
  executed_after(SERVER, PUT, 3100);
  expect("GC-A.2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

/* The first may have been lost above the capture. */
START_TEST(which_copy_was_executed_is_not_known) {
  serve(JDG_DIJK_03);
  ask(1000, NON(PUT, 1, "aa", .path = "/open"));
  ask(5000, NON(PUT, 1, "aa", .path = "/open"));
  executes(5001, 1, "aa");
  end(30000);
  expect("GC-A.2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      uniform_delays_pass,
      many_seeds_of_uniform_delays_pass,
      few_delays_decide_nothing,
      what_is_plain_needs_no_large_sample,
      one_later_response_and_it_is_not_plain,
      immediate_delays_warn,
      constant_delays_warn,
      always_at_the_end_warns,
      another_shape_is_a_remark,
      late_responses_warn_whatever_the_number,
      the_limit_is_leisure_and_processing_and_delta,
      an_undeclared_leisure_may_be_any,
      a_short_leisure_is_not_the_declared_one,
      a_declared_leisure_may_be_tiny,
      from_outside_immediate_and_constant_tell,
      overlapping_requests_are_no_sample,
      the_second_period_after_the_first,
      one_period_for_all_deviates,
      a_second_response_before_the_first_deviates,
      few_pairs_decide_nothing,
      pairs_without_a_declared_leisure_are_inconclusive,
      lone_requests_are_no_pairs,
      leisure_at_the_lower_bound,
      leisure_below_the_lower_bound,
      leisure_without_estimates,
      an_execution_waits_for_nothing,
      an_execution_takes_its_processing,
      an_execution_that_waits_for_the_leisure,
      to_read_late_is_out_of_no_step,
      a_unicast_request_is_in_step_with_nobody,
      which_copy_was_executed_is_not_known,
      NULL,
  };
  return run_tests("Leisure rules", tests);
}
