/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on many responses to one request: one per server, and one from each. */
#include "rules_client_fixture.h"

static struct cfx t;
#define Q(mid, token) NON(GET, mid, token, .path = "/x")
#define R(mid, token) NON(CODE_205, mid, token, .payload = "on")

static void open_and_ask(void) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, Q(1, "aa"), 20);
}

static void answer(uint64_t ms, const char *from, const struct fx_message *m, bool delivered) {
  cfx_answer(&t, ms, from, m);
  if (delivered) cfx_deliver(&t, from, m);
}

START_TEST(success_and_failure_side_by_side) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    answer(500, S1, NON(CODE_404, 9, "aa"), true);
    answer(600, S2, R(10, "aa"), delivered);
    ck_verdict(&t, 30000, "GC-2.3.1-06", delivered ? JDG_PASS : JDG_WARN);
  }
  open_and_ask();
  answer(500, S1, NON(CODE_404, 9, "aa"), true);
  answer(600, S2, NON(CODE_500, 10, "aa"), false);
  ck_verdict(&t, 30000, "GC-2.3.1-06", JDG_NOT_EXERCISED);
}
END_TEST

/* RFC 7252, section 5.2: 4.27 is as good as 4.00 to who does not know it, but no other class is. */
START_TEST(unknown_codes_are_handed_over_as_generic) {
  static const struct {
    int told;
    enum jdg_verdict verdict;
  } handed[] = {{0x9b, JDG_PASS}, {0x80, JDG_PASS}, {0xa0, JDG_WARN}, {CODE_404, JDG_WARN}};
  for (size_t i = 0; i < sizeof handed / sizeof *handed; i++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    answer(600, S2, NON(0x9b, 10, "aa"), false);
    cfx_deliver(&t, S2, NON(handed[i].told, 10, "aa"));
    ck_verdict(&t, 30000, "GC-2.3.1-06", handed[i].verdict);
  }
}
END_TEST

START_TEST(the_first_response_is_not_the_last) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    answer(4900, S2, R(9, "aa"), delivered);
    ck_verdict(&t, 30000, "GC-2.3.1-22", delivered ? JDG_PASS : JDG_WARN);
  }
  open_and_ask();
  answer(500, S1, R(9, "aa"), true);
  ck_verdict(&t, 30000, "GC-2.3.1-22", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_first_response_does_not_end_the_request) {
  static const struct {
    const char *detail;
    uint64_t at;
    enum jdg_verdict verdict;
  } ends[] = {{"answered", 600, JDG_WARN},
              {"cancelled", 600, JDG_NOT_EXERCISED},
              {"timeout", 20000, JDG_NOT_EXERCISED},
              {"answered", 20000, JDG_NOT_EXERCISED}};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    cfx_done(&t, ends[i].at, GROUP, Q(1, "aa"), ends[i].detail);
    ck_verdict(&t, 30000, "GC-2.3.1-22", ends[i].verdict);
  }
}
END_TEST

START_TEST(disclaimed_classes_are_not_owed) {
  const struct fx_message *q =
      NON(PUT, 1, "aa", .path = "/x", .payload = "1", .options = {{DIS_NO_RESPONSE, "02"}});
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, q, 20);
  answer(500, S1, NON(CODE_404, 9, "aa"), true);
  answer(600, S2, NON(CODE_204, 9, "aa"), false);
  ck_verdict(&t, 30000, "GC-2.3.1-22", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_second_response_is_dropped) {
  static const struct {
    const char *rule;
    enum jdg_verdict broken;
  } rules[] = {{"GC-2.3.1-32", JDG_FAIL}, {"GC-2.3.1-33", JDG_FAIL}, {"GC-2.3.1-38", JDG_WARN}};
  static const uint64_t times[] = {600, 3500, 19000};
  for (size_t i = 0; i < 3; i++) {
    for (int delivered = 0; delivered <= 1; delivered++) {
      open_and_ask();
      answer(500, S1, R(9, "aa"), true);
      answer(times[i], S1, NON(CODE_205, 10, "aa", .payload = "off"), delivered);
      ck_verdict(&t, 30000, rules[i].rule, delivered ? rules[i].broken : JDG_PASS);
    }
    cfx_open(&t, JDG_BIS_18); /* left to the application there */
    cfx_ask(&t, 0, GROUP, Q(1, "aa"), 20);
    answer(500, S1, R(9, "aa"), true);
    answer(600, S1, R(10, "aa"), true);
    ck_verdict(&t, 30000, rules[i].rule, JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(one_answer_alone_exercises_nothing) {
  static const char *const rules[] = {"GC-2.3.1-32", "GC-2.3.1-33"};
  for (size_t i = 0; i < 2; i++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    answer(600, S2, R(9, "aa"), true);
    ck_verdict(&t, 30000, rules[i], JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(a_second_response_from_another_port_is_one_too) {
  open_and_ask();
  answer(500, S1, R(9, "aa"), true);
  answer(600, "[2001:db8::1]:61000", R(10, "aa"), true);
  ck_verdict(&t, 30000, "GC-2.3.1-33", JDG_FAIL);
}
END_TEST

START_TEST(a_copied_response_is_delivered_once) {
  for (int again = 0; again <= 1; again++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    fx_at(&t.fx, 15000);
    fx_receive(&t.fx, t.c, S1, CLIENT, R(9, "aa"));
    if (again) cfx_deliver(&t, S1, R(9, "aa"));
    ck_verdict(&t, 30000, "GC-2.3.1-33", again ? JDG_FAIL : JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(the_end_of_an_observation_may_be_told) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, NON(GET, 1, "aa", .path = "/x", .options = {{6, ""}}), 20);
  answer(500, S1, NON(CODE_205, 9, "aa", .options = {{6, "01"}}), true);
  answer(900, S1, NON(CODE_404, 10, "aa"), true);
  ck_verdict(&t, 30000, "GC-2.3.1-33", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(everybody_gets_through_once) {
  open_and_ask();
  answer(500, S1, R(9, "aa"), true);
  answer(600, S2, R(9, "aa"), true);
  answer(700, S3, R(9, "aa"), true);
  ck_verdict(&t, 30000, "GC-2.3.1-38", JDG_PASS);
  open_and_ask();
  answer(500, S1, R(9, "aa"), true);
  answer(600, S2, R(9, "aa"), false);
  ck_verdict(&t, 30000, "GC-2.3.1-38", JDG_WARN);
  open_and_ask();
  ck_verdict(&t, 30000, "GC-2.3.1-38", JDG_NOT_EXERCISED);
}
END_TEST

/* Notifications of s1 with two sequence numbers. */
static enum jdg_verdict notified(const char *first, const char *second, bool delivered) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, NON(GET, 1, "aa", .path = "/x", .options = {{6, ""}}), 20);
  answer(500, S1, NON(CODE_205, 9, "aa", .options = {{6, first}}), true);
  answer(900, S1, NON(CODE_205, 10, "aa", .options = {{6, second}}), delivered);
  enum jdg_verdict verdict = cfx_end(&t, 30000, "GC-2.3.1-34");
  fx_free(&t.fx);
  return verdict;
}

START_TEST(fresh_notifications_get_through) {
  ck_assert_int_eq(notified("05", "06", true), JDG_PASS);
  ck_assert_int_eq(notified("05", "06", false), JDG_WARN);
  ck_assert_int_eq(notified("ffffff", "01", false), JDG_WARN); /* it wraps */
  ck_assert_int_eq(notified("06", "05", false), JDG_NOT_EXERCISED);
  ck_assert_int_eq(notified("05", "05", false), JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(only_valid_responses_count) {
  const struct fx_message *invalid = NON(CODE_205, 9, "aa", .options = {{65001, "01"}});
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    answer(500, S1, invalid, false);
    answer(600, S1, R(10, "aa"), delivered);
    ck_verdict(&t, 30000, "GC-2.3.1-35", delivered ? JDG_PASS : JDG_WARN);
  }
  open_and_ask();
  answer(500, S2, invalid, false);
  answer(600, S1, R(10, "aa"), true);
  ck_verdict(&t, 30000, "GC-2.3.1-35", JDG_NOT_EXERCISED);
  open_and_ask(); /* an invalid one afterwards */
  answer(500, S1, R(10, "aa"), true);
  answer(600, S1, invalid, false);
  ck_verdict(&t, 30000, "GC-2.3.1-35", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_list_belongs_to_one_request) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    cfx_ask(&t, 1000, GROUP, Q(2, "bb"), 20);
    answer(1500, S1, R(10, "bb"), delivered);
    ck_verdict(&t, 30000, "GC-2.3.1-36", delivered ? JDG_PASS : JDG_WARN);
  }
  open_and_ask();
  answer(500, S1, R(9, "aa"), true);
  cfx_ask(&t, 1000, GROUP, Q(2, "bb"), 20);
  answer(1500, S2, R(10, "bb"), true);
  ck_verdict(&t, 30000, "GC-2.3.1-36", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_list_goes_with_the_token) {
  const struct fx_message *other = NON(GET, 2, "aa", .path = "/y");
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    answer(500, S1, R(9, "aa"), true);
    cfx_done(&t, 20000, GROUP, Q(1, "aa"), "timeout");
    cfx_ask(&t, 520000, GROUP, other, 20);
    answer(521000, S1, R(10, "aa"), delivered);
    ck_verdict(&t, 600000, "GC-2.3.1-37", delivered ? JDG_PASS : JDG_FAIL);
  }
  open_and_ask();
  answer(500, S2, R(9, "aa"), true);
  cfx_done(&t, 20000, GROUP, Q(1, "aa"), "timeout");
  cfx_ask(&t, 520000, GROUP, other, 20);
  answer(521000, S1, R(10, "aa"), true);
  ck_verdict(&t, 600000, "GC-2.3.1-37", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("responders");
  tcase_add_test(tc, success_and_failure_side_by_side);
  tcase_add_test(tc, unknown_codes_are_handed_over_as_generic);
  tcase_add_test(tc, the_first_response_is_not_the_last);
  tcase_add_test(tc, the_first_response_does_not_end_the_request);
  tcase_add_test(tc, disclaimed_classes_are_not_owed);
  tcase_add_test(tc, a_second_response_is_dropped);
  tcase_add_test(tc, one_answer_alone_exercises_nothing);
  tcase_add_test(tc, a_second_response_from_another_port_is_one_too);
  tcase_add_test(tc, a_copied_response_is_delivered_once);
  tcase_add_test(tc, the_end_of_an_observation_may_be_told);
  tcase_add_test(tc, everybody_gets_through_once);
  tcase_add_test(tc, fresh_notifications_get_through);
  tcase_add_test(tc, only_valid_responses_count);
  tcase_add_test(tc, the_list_belongs_to_one_request);
  tcase_add_test(tc, the_list_goes_with_the_token);
  return cfx_main(tc);
}
