/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on default suppression (harness/rules/suppression.c). */
#include "server_fixture.h"

START_TEST(silence_after_an_execution_is_permitted) {
  serve(JDG_DIJK_03);
  ask(1000, NON(PUT, 1, "aa", .path = "/quiet"));
  executes(1000, 1, "aa");
  withholds(1000, CODE_204, 1, "aa");
  end(20000);
  expect("GC-2.3.1-05", JDG_PASS);
}
END_TEST

START_TEST(an_answered_request_does_not_exercise_suppression) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  executes(1000, 1, "aa");
  answer(3000, NON(CODE_205, 77, "aa"));
  end(20000);
  expect("GC-2.3.1-05", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-11", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(suppressing_what_no_response_asks_for_fails) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/quiet", NO_RESPONSE("08")));
  withholds(1000, CODE_205, 1, "aa");
  end(20000);
  expect("GC-2.3.1-05", JDG_FAIL);
}
END_TEST

START_TEST(suppressing_a_registration_warns_where_observe_is_supported) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open", .options = {{DIS_OBSERVE, ""}}));
  answer(2000, NON(CODE_205, 77, "aa", .options = {{DIS_OBSERVE, "01"}}));
  ask(20000, NON(GET, 2, "ab", .path = "/quiet", .options = {{DIS_OBSERVE, ""}}));
  withholds(20000, CODE_205, 2, "ab");
  end(40000);
  expect("GC-2.3.1-05", JDG_WARN);
}
END_TEST

START_TEST(a_server_without_observe_may_suppress) {
  serve(JDG_DIJK_03);
  ask(20000, NON(GET, 2, "ab", .path = "/quiet", .options = {{DIS_OBSERVE, ""}}));
  withholds(20000, CODE_205, 2, "ab");
  end(40000);
  expect("GC-2.3.1-05", JDG_PASS);
}
END_TEST

/* ---- GC-2.3.1-08 ---- */

static void ask_plain_resource(const char *path, int code) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = path, NO_RESPONSE("02")));
  answer(3000, NON(code, 77, "aa"));
  end(20000);
}

START_TEST(the_option_is_ignored_where_it_is_not_offered) {
  ask_plain_resource("/open", CODE_205);
  expect("GC-2.3.1-08", JDG_PASS);
}
END_TEST

START_TEST(the_option_is_elective) {
  ask_plain_resource("/open", CODE_402);
  expect("GC-2.3.1-08", JDG_WARN);
}
END_TEST

START_TEST(the_option_does_not_lift_the_default_where_it_is_not_offered) {
  stated("/open")->suppress = JDG_SUPPRESS_2XX;
  ask_plain_resource("/open", CODE_205);
  expect("GC-2.3.1-08", JDG_WARN);
}
END_TEST

START_TEST(the_option_does_not_suppress_where_it_is_not_offered) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open", NO_RESPONSE("02")));
  withholds(1000, CODE_205, 1, "aa");
  end(20000);
  expect("GC-2.3.1-08", JDG_WARN);
}
END_TEST

START_TEST(where_the_option_is_offered_this_rule_is_silent) {
  ask_plain_resource("/nr", CODE_404);
  expect("GC-2.3.1-08", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- GC-2.3.1-11 ---- */

static void answered_then(enum jdg_profile profile, int first, int second) {
  serve(profile);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(first, 77, "aa"));
  ask(20000, NON(GET, 2, "ab", .path = "/open"));
  withholds(20000, second, 2, "ab");
  end(40000);
}

START_TEST(from_sent_to_suppressed_warns) {
  answered_then(JDG_DIJK_03, CODE_404, CODE_404);
  expect("GC-2.3.1-11", JDG_WARN);
}
END_TEST

START_TEST(another_code_may_be_suppressed) {
  answered_then(JDG_DIJK_03, CODE_404, CODE_405);
  expect("GC-2.3.1-11", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(draft_18_goes_by_class) {
  answered_then(JDG_BIS_18, CODE_404, CODE_405);
  expect("GC-2.3.1-11", JDG_WARN);
}
END_TEST

START_TEST(from_suppressed_to_sent_is_not_judged) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  withholds(1000, CODE_404, 1, "aa");
  ask(20000, NON(GET, 2, "ab", .path = "/open"));
  answer(23000, NON(CODE_404, 77, "ab"));
  end(40000);
  expect("GC-2.3.1-11", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(answered_and_answered_again_passes) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(CODE_404, 77, "aa"));
  ask(20000, NON(GET, 2, "ab", .path = "/open"));
  answer(23000, NON(CODE_404, 78, "ab"));
  end(40000);
  expect("GC-2.3.1-11", JDG_PASS);
}
END_TEST

START_TEST(no_response_explains_a_suppression) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/nr"));
  answer(3000, NON(CODE_205, 77, "aa"));
  ask(20000, NON(GET, 2, "ab", .path = "/nr", NO_RESPONSE("02")));
  withholds(20000, CODE_205, 2, "ab");
  end(40000);
  expect("GC-2.3.1-11", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(other_reasons_to_withhold_are_not_suppression) {
  const char *reasons[] = {"rate", "filter", "no memory"};
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(CODE_205, 77, "aa"));
  for (int i = 0; i < 3; i++) {
    ask(20000u * (unsigned)(i + 1), NON(GET, 2 + i, "ab", .path = "/open"));
    fx_event(&fx, s, CHORUS_EVENT_SUPPRESS, CLIENT, NON(CODE_205, 2 + i, "ab"), "/open", reasons[i],
             0);
  }
  end(100000);
  expect("GC-2.3.1-11", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_restart_forgets_what_was_answered) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(CODE_205, 77, "aa"));
  restarts(10000);
  ask(20000, NON(GET, 2, "ab", .path = "/open"));
  withholds(20000, CODE_205, 2, "ab");
  end(40000);
  expect("GC-2.3.1-11", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(without_events_a_missing_resource_shows_it) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/missing"));
  answer(3000, NON(CODE_404, 77, "aa"));
  ask(20000, NON(GET, 2, "ab", .path = "/missing"));
  end(40000);
  expect("GC-2.3.1-11", JDG_WARN);
}
END_TEST

/* ---- RFC7390-2.7-05 and -06 ---- */

static void configured(uint32_t suppress, int code, const char *payload) {
  stated("/open")->suppress = suppress;
  serve(JDG_RFC7390);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(code, 77, "aa", .payload = payload));
  end(20000);
}

START_TEST(configured_suppression_matrix) {
  static const struct {
    uint32_t suppress;
    int code;
    const char *payload;
    enum jdg_verdict verdict;
  } cases[] = {
      {0, CODE_205, "x", JDG_PASS},
      {JDG_SUPPRESS_2XX, CODE_205, "x", JDG_WARN},
      {JDG_SUPPRESS_2XX, CODE_204, NULL, JDG_WARN},
      {JDG_SUPPRESS_2XX, CODE_404, NULL, JDG_PASS},
      {JDG_SUPPRESS_4XX, CODE_404, NULL, JDG_WARN},
      {JDG_SUPPRESS_4XX, CODE_500, NULL, JDG_PASS},
      {JDG_SUPPRESS_5XX, CODE_500, NULL, JDG_WARN},
      {JDG_SUPPRESS_5XX, CODE_205, "x", JDG_PASS},
      {JDG_SUPPRESS_EMPTY_205, CODE_205, NULL, JDG_WARN},
      {JDG_SUPPRESS_EMPTY_205, CODE_205, "x", JDG_PASS},
      {JDG_SUPPRESS_EMPTY_205, CODE_204, NULL, JDG_PASS},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) fx_free(&fx);
    configured(cases[i].suppress, cases[i].code, cases[i].payload);
    expect("RFC7390-2.7-05", cases[i].verdict);
  }
}
END_TEST

START_TEST(suppressing_more_than_configured_deviates) {
  stated("/open")->suppress = JDG_SUPPRESS_2XX;
  serve(JDG_RFC7390);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  withholds(1000, CODE_404, 1, "aa");
  end(20000);
  expect("RFC7390-2.7-05", JDG_WARN);
}
END_TEST

START_TEST(an_undeclared_default_is_not_judged) {
  stated("/open")->suppress_declared = false;
  configured(JDG_SUPPRESS_2XX, CODE_205, "x");
  expect("RFC7390-2.7-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(empty_content_after_content_is_consistent) {
  stated("/open")->suppress = JDG_SUPPRESS_EMPTY_205;
  serve(JDG_RFC7390);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(CODE_205, 77, "aa", .payload = "x"));
  ask(20000, NON(GET, 2, "ab", .path = "/open", .query = "y"));
  answer(23000, NON(CODE_205, 78, "ab"));
  end(40000);
  expect("RFC7390-2.7-05", JDG_PASS);
}
END_TEST

START_TEST(the_suggestion_for_discovery_is_a_remark) {
  serve(JDG_RFC7390);
  ask(1000, NON(GET, 1, "aa", .path = "/.well-known/core"));
  answer(3000, NON(CODE_205, 77, "aa"));
  end(20000);
  expect("RFC7390-2.7-06", JDG_PASS);
  ck_assert_uint_eq(fx_result(&fx, "RFC7390-2.7-06", s)->finding_count, 1);
}
END_TEST

START_TEST(the_suggestion_is_for_discovery_only) {
  configured(0, CODE_404, NULL);
  expect("RFC7390-2.7-06", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      silence_after_an_execution_is_permitted,
      an_answered_request_does_not_exercise_suppression,
      suppressing_what_no_response_asks_for_fails,
      suppressing_a_registration_warns_where_observe_is_supported,
      a_server_without_observe_may_suppress,
      the_option_is_ignored_where_it_is_not_offered,
      the_option_is_elective,
      the_option_does_not_lift_the_default_where_it_is_not_offered,
      the_option_does_not_suppress_where_it_is_not_offered,
      where_the_option_is_offered_this_rule_is_silent,
      from_sent_to_suppressed_warns,
      another_code_may_be_suppressed,
      draft_18_goes_by_class,
      from_suppressed_to_sent_is_not_judged,
      answered_and_answered_again_passes,
      no_response_explains_a_suppression,
      other_reasons_to_withhold_are_not_suppression,
      a_restart_forgets_what_was_answered,
      without_events_a_missing_resource_shows_it,
      configured_suppression_matrix,
      suppressing_more_than_configured_deviates,
      an_undeclared_default_is_not_judged,
      empty_content_after_content_is_consistent,
      the_suggestion_for_discovery_is_a_remark,
      the_suggestion_is_for_discovery_only,
      NULL,
  };
  return run_tests("suppression rules", tests);
}
