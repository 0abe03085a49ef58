/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on the No-Response option at servers (harness/rules/no_response.c). */
#include "server_fixture.h"

#define AA(path_, value) NON(GET, 1, "aa", .path = path_, NO_RESPONSE(value))

static void sent(const char *path, const char *value, int code) {
  serve(JDG_DIJK_03);
  ask(1000, AA(path, value));
  answer(3000, NON(code, 77, "aa", .payload = code == CODE_205 ? "x" : NULL));
  end(20000);
}

static void withheld(const char *path, const char *value, int code) {
  serve(JDG_DIJK_03);
  ask(1000, AA(path, value));
  executes(1000, 1, "aa");
  withholds(1000, code, 1, "aa");
  end(20000);
}

static void silent(const char *path, const char *value) {
  serve(JDG_DIJK_03);
  ask(1000, AA(path, value));
  end(20000);
}

/* 0, 2, 8, 16, 24, 26 by 2.05, 4.04, 5.00 on a resource that answers everything by default. */
START_TEST(matrix_of_values_and_outcomes) {
  static const struct {
    const char *value;
    unsigned bits;
  } values[] = {{"", 0},    {"00", 0},  {"02", 2},  {"08", 8},
                {"10", 16}, {"12", 18}, {"18", 24}, {"1a", 26}};
  static const struct {
    int code;
    unsigned bit;
  } outcomes[] = {{CODE_205, 2}, {CODE_404, 8}, {CODE_500, 16}};
  for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
    for (size_t o = 0; o < 3; o++) {
      bool flagged = values[v].bits & outcomes[o].bit;
      sent("/nr", values[v].value, outcomes[o].code);
      expect("GC-2.3.1-10", flagged ? JDG_FAIL : JDG_NOT_EXERCISED);
      expect("NR-06", flagged ? JDG_WARN : JDG_PASS);
      expect("NR-03", flagged ? JDG_NOT_EXERCISED : JDG_PASS);
      expect("NR-05", flagged ? JDG_PASS : JDG_NOT_EXERCISED);
      fx_free(&fx);
      withheld("/nr", values[v].value, outcomes[o].code);
      expect("GC-2.3.1-10", flagged ? JDG_PASS : JDG_NOT_EXERCISED);
      expect("NR-06", flagged ? JDG_PASS : JDG_WARN);
      expect("NR-03", flagged ? JDG_NOT_EXERCISED : JDG_FAIL);
      expect("NR-05", flagged ? JDG_PASS : JDG_FAIL);
      fx_free(&fx);
    }
  serve(JDG_DIJK_03);
}
END_TEST

START_TEST(an_invalid_value_is_as_absent) {
  sent("/nr", "0002", CODE_205);
  expect("GC-2.3.1-10", JDG_NOT_EXERCISED);
  expect("NR-06", JDG_NOT_EXERCISED);
  expect("NR-03", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_resource_that_does_not_offer_it_is_not_judged) {
  sent("/open", "02", CODE_205);
  expect("GC-2.3.1-09", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-10", JDG_NOT_EXERCISED);
  expect("NR-03", JDG_NOT_EXERCISED);
  expect("NR-04", JDG_NOT_EXERCISED);
  expect("NR-05", JDG_NOT_EXERCISED);
  expect("NR-06", JDG_NOT_EXERCISED);
  expect("GC-5.4-02", JDG_NOT_EXERCISED);
  expect("GC-5.4-03", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(interest_overrides_the_default) {
  sent("/quiet", "08", CODE_205);
  expect("GC-2.3.1-09", JDG_PASS);
  expect("NR-04", JDG_PASS);
}
END_TEST

START_TEST(the_default_against_interest_fails) {
  withheld("/quiet", "08", CODE_205);
  expect("GC-2.3.1-09", JDG_FAIL);
  expect("NR-04", JDG_FAIL);
  expect("NR-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(silence_to_interest_in_everything_fails_without_events) {
  silent("/quiet", "");
  expect("GC-2.3.1-09", JDG_FAIL);
  expect("NR-03", JDG_FAIL);
  expect("NR-04", JDG_FAIL);
}
END_TEST

START_TEST(silence_to_partial_interest_cannot_be_told) {
  silent("/quiet", "02");
  expect("GC-2.3.1-09", JDG_NOT_EXERCISED);
  expect("NR-03", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_outcome_of_a_missing_resource_is_known) {
  stated("*")->suppress = JDG_SUPPRESS_4XX;
  stated("*")->no_response = JDG_YES;
  silent("/missing", "02");
  expect("GC-2.3.1-09", JDG_FAIL);
}
END_TEST

START_TEST(total_disinterest_is_respected) {
  silent("/nr", "1a");
  expect("GC-2.3.1-10", JDG_PASS);
}
END_TEST

START_TEST(observe_is_not_mixed_in) {
  serve(JDG_DIJK_03);
  ask(1000,
      NON(GET, 1, "aa", .path = "/nr", .options = {{DIS_OBSERVE, ""}, {DIS_NO_RESPONSE, "02"}}));
  answer(3000, NON(CODE_205, 77, "aa", .options = {{DIS_OBSERVE, "01"}}));
  end(20000);
  expect("GC-2.3.1-10", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(an_echo_challenge_is_no_outcome) {
  serve(JDG_DIJK_03);
  ask(1000, AA("/nr", "08"));
  answer(3000, NON(0x81, 77, "aa", .options = {{DIS_ECHO, "0102"}}));
  end(20000);
  expect("GC-2.3.1-10", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_discovery_filter_goes_first) {
  resource("/.well-known/core", JDG_SUPPRESS_EMPTY_205, JDG_YES);
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/.well-known/core", .query = "rt=x", NO_RESPONSE("")));
  end(20000);
  expect("GC-2.3.1-09", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- only widening (draft, section 5.4) ---- */

START_TEST(the_policy_makes_overriding_undecidable) {
  ics.nr_policy = JDG_NR_AUTHONLY;
  silent("/quiet", "");
  expect("GC-2.3.1-09", JDG_INCONCLUSIVE);
  expect("NR-03", JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(under_the_policy_relaxing_deviates) {
  ics.nr_policy = JDG_NR_AUTHONLY;
  sent("/quiet", "", CODE_205);
  expect("GC-5.4-02", JDG_WARN);
}
END_TEST

START_TEST(under_the_policy_the_default_stays) {
  ics.nr_policy = JDG_NR_AUTHONLY;
  withheld("/quiet", "", CODE_205);
  expect("GC-5.4-02", JDG_PASS);
  expect("GC-2.3.1-09", JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(under_the_policy_widening_works) {
  ics.nr_policy = JDG_NR_AUTHONLY;
  withheld("/nr", "02", CODE_205);
  expect("GC-5.4-03", JDG_PASS);
}
END_TEST

START_TEST(under_the_policy_ignoring_the_option_deviates) {
  ics.nr_policy = JDG_NR_AUTHONLY;
  sent("/nr", "02", CODE_205);
  expect("GC-5.4-03", JDG_WARN);
}
END_TEST

START_TEST(under_the_policy_what_is_never_suppressed_must_come) {
  ics.nr_policy = JDG_NR_AUTHONLY;
  silent("/nr", "");
  expect("NR-03", JDG_FAIL);
}
END_TEST

START_TEST(draft_18_leaves_the_override_to_rfc_7967) {
  serve(JDG_BIS_18);
  ask(1000, AA("/quiet", ""));
  end(20000);
  expect("GC-2.3.1-09", JDG_NOT_EXERCISED);
  expect("NR-04", JDG_FAIL);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      matrix_of_values_and_outcomes,
      an_invalid_value_is_as_absent,
      a_resource_that_does_not_offer_it_is_not_judged,
      interest_overrides_the_default,
      the_default_against_interest_fails,
      silence_to_interest_in_everything_fails_without_events,
      silence_to_partial_interest_cannot_be_told,
      the_outcome_of_a_missing_resource_is_known,
      total_disinterest_is_respected,
      observe_is_not_mixed_in,
      an_echo_challenge_is_no_outcome,
      a_discovery_filter_goes_first,
      the_policy_makes_overriding_undecidable,
      under_the_policy_relaxing_deviates,
      under_the_policy_the_default_stays,
      under_the_policy_widening_works,
      under_the_policy_ignoring_the_option_deviates,
      under_the_policy_what_is_never_suppressed_must_come,
      draft_18_leaves_the_override_to_rfc_7967,
      NULL,
  };
  return run_tests("No-Response rules", tests);
}
