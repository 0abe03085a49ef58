/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holes that were found in well-known suites, tried on the judge: absent fields, slack, order
 * within one instant, options of the future. (The others have their tests where they belong:
 * docs/integrity.md.)
 */
#include "check_run.h"
#include "judge_fixture.h"

#define CLIENT "[2001:db8::c]:40000"
#define SERVER "[2001:db8::1]:5683"
#define GROUP  "[ff35::1]:5683"

static struct fx fx;
static uint32_t c, s;

static void setup(void) {
  fx_open(&fx, JDG_DIJK_03);
  c = fx_node(&fx, "c1", CLIENT);
  s = fx_node(&fx, "s1", SERVER);
}

static void teardown(void) {
  fx_free(&fx);
}

static void ask(const struct fx_message *m) {
  fx_send(&fx, c, CLIENT, GROUP, m);
  fx_receive(&fx, s, CLIENT, GROUP, m);
}

static void answer(const struct fx_message *m) {
  fx_send(&fx, s, SERVER, CLIENT, m);
  fx_receive(&fx, c, SERVER, CLIENT, m);
}

/* W3: a field that is not there satisfies nothing, and breaks nothing. */
START_TEST(w3_absent_fields_exercise_nothing) {
  ask(NON(GET, 1, "aa", .path = "/x"));
  fx_at(&fx, 500);
  answer(NON(CODE_205, 2, "aa", .payload = "on"));
  fx_close_at(&fx, 60000);
  static const char *const rules[] = {"NR-01", "GC-2.3.1-07", "OBS-2-01", "BLK-2.3-02",
                                      "GC-2.3.6-01"};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    ck_assert_msg(fx_verdict(&fx, rules[i], c) == JDG_NOT_EXERCISED, "%s", rules[i]);
    ck_assert_msg(fx_verdict(&fx, rules[i], s) == JDG_NOT_EXERCISED, "%s", rules[i]);
  }
}
END_TEST

/* W9: the bound of the text is the bound: 3 times is allowed, an octet more is not. */
START_TEST(w9_limits_have_no_slack) {
  char query[64], payload[256];
  memset(query, 'q', sizeof query);
  memset(payload, 'p', sizeof payload);
  query[45] = '\0';             /* 4 header, 1 Token, 2 path, 2 + 45 query: 54 octets */
  payload[162 - 6 + _i] = '\0'; /* 4 header, 1 Token, 1 marker: 3 times 54, and one more */
  ask(NON(GET, 1, "aa", .path = "/x", .query = query));
  fx_at(&fx, 500);
  answer(NON(CODE_205, 2, "aa", .payload = payload));
  fx_close_at(&fx, 60000);
  ck_assert_int_eq(fx_verdict(&fx, "COAP-11.3-01", s), _i ? JDG_WARN : JDG_PASS);
}
END_TEST

/* W22: what is captured in one instant keeps its order: the answer belongs to the request. */
START_TEST(w22_one_instant_keeps_its_order) {
  ask(NON(GET, 1, "aa", .path = "/x"));
  answer(NON(CODE_205, 2, "aa", .payload = "on"));
  fx_close_at(&fx, 60000);
  ck_assert_int_eq(fx_verdict(&fx, "GC-2.3.1-20", s), JDG_PASS);
  ck_assert_int_eq(fx_verdict(&fx, "COAP-5.3.1-01", s), JDG_PASS);
}
END_TEST

/* W23: an elective option that nobody knows yet is nobody's fault. */
START_TEST(w23_unknown_elective_options_are_ignored) {
  ask(NON(GET, 1, "aa", .path = "/x", .options = {{65000, "0102"}}));
  fx_at(&fx, 500);
  answer(NON(CODE_205, 2, "aa", .payload = "on", .options = {{65000, "03"}}));
  fx_close_at(&fx, 60000);
  for (size_t i = 0; i < jdg_result_count(fx.judge); i++) {
    const struct jdg_result *r = jdg_result_get(fx.judge, i);
    ck_assert_msg(r->verdict != JDG_FAIL && r->verdict != JDG_WARN, "%s", r->rule->id);
  }
  ck_assert_int_eq(fx_verdict(&fx, "COAP-5.4.1-01", s), JDG_PASS);
}
END_TEST

/* W12: what a profile does not ask is not judged by it, and the result says so by its absence. */
START_TEST(w12_applicability_is_data) {
  jdg_reset(fx.judge, &(struct jdg_config){.profile = JDG_RFC7390});
  fx.now = 0;
  c = fx_node(&fx, "c1", CLIENT);
  ask(NON(GET, 1, "aa", .path = "/x"));
  fx_close_at(&fx, 60000);
  ck_assert_ptr_null(fx_result(&fx, "GC-2.3.1-33", c));
  ck_assert_ptr_nonnull(fx_result(&fx, "COAP-8.1-01", c));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("integrity");
  TCase *tc = tcase_create("holes of others");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, w3_absent_fields_exercise_nothing);
  tcase_add_loop_test(tc, w9_limits_have_no_slack, 0, 2);
  tcase_add_test(tc, w12_applicability_is_data);
  tcase_add_test(tc, w22_one_instant_keeps_its_order);
  tcase_add_test(tc, w23_unknown_elective_options_are_ignored);
  suite_add_tcase(suite, tc);
  return check_run(suite);
}
