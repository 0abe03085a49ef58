/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on amplification, floods and unicast-only resources (harness/rules/amplification.c). */
#include "server_fixture.h"

static void unicast_only(int code, bool executed) {
  serve(JDG_RFC7390);
  ask(1000, NON(PUT, 1, "aa", .path = "/unicast", .payload = "1"));
  if (executed) says(1000, CHORUS_EVENT_EXECUTE, NON(PUT, 1, "aa"));
  if (code) answer(3000, NON(code, 77, "aa"));
  end(20000);
}

static void expect_unicast_only(enum jdg_verdict verdict) {
  expect("GC-2.3.4-03", verdict);
  expect("COAP-11.3-03", verdict);
  expect("RFC7390-2.7-03", verdict);
}

START_TEST(a_unicast_only_resource_ignores_the_group) {
  unicast_only(0, false);
  expect_unicast_only(JDG_PASS);
}
END_TEST

START_TEST(a_unicast_only_resource_may_answer_with_an_error) {
  unicast_only(CODE_405, false);
  expect_unicast_only(JDG_PASS);
}
END_TEST

START_TEST(a_unicast_only_resource_that_succeeds_warns) {
  unicast_only(CODE_204, false);
  expect_unicast_only(JDG_WARN);
}
END_TEST

START_TEST(a_unicast_only_resource_that_executes_warns) {
  unicast_only(0, true);
  expect_unicast_only(JDG_WARN);
}
END_TEST

START_TEST(a_unicast_only_resource_works_by_unicast) {
  serve(JDG_RFC7390);
  ask_to(1000, SERVER, CON(PUT, 1, "aa", .path = "/unicast", .payload = "1"));
  says(1000, CHORUS_EVENT_EXECUTE, NON(PUT, 1, "aa"));
  answer(1001, ACK(CODE_204, 1, "aa"));
  end(20000);
  expect_unicast_only(JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-11.3-01 ---- */

/* A response whose message has |length| octets: 4 of header, 1 of Token, 1 of marker. */
static void sized(size_t length, const char *block) {
  char payload[1201] = {0};
  memset(payload, 'x', length - 6 - (block ? 2 : 0));
  struct fx_message m = *NON(CODE_205, 77, "aa", .payload = payload);
  if (block) m.options[0] = (struct fx_option){DIS_BLOCK2, block};
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, &m);
  end(20000);
}

START_TEST(sizes) {
  sized(152, NULL);
  expect("COAP-11.3-01", JDG_PASS);
  fx_free(&fx);
  sized(153, NULL);
  expect("COAP-11.3-01", JDG_WARN);
  fx_free(&fx);
  sized(1000, "0e");
  expect("COAP-11.3-01", JDG_PASS);
}
END_TEST

START_TEST(a_large_request_may_have_a_large_response) {
  char payload[301] = {0};
  memset(payload, 'x', 300);
  serve(JDG_DIJK_03);
  ask(1000, NON(POST, 1, "aa", .path = "/open", .payload = payload));
  answer(3000, NON(CODE_204, 77, "aa", .payload = payload));
  end(20000);
  expect("COAP-11.3-01", JDG_PASS);
}
END_TEST

START_TEST(unicast_responses_are_not_amplified) {
  serve(JDG_DIJK_03);
  ask_to(1000, SERVER, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(CODE_205, 77, "aa"));
  end(20000);
  expect("COAP-11.3-01", JDG_NOT_EXERCISED);
  expect("GC-5.4-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(what_no_response_evokes_is_remarked) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/quiet", NO_RESPONSE("")));
  answer(3000, NON(CODE_205, 77, "aa", .payload = "on"));
  end(20000);
  expect("GC-5.4-01", JDG_PASS);
  ck_assert_uint_eq(fx_result(&fx, "GC-5.4-01", s)->finding_count, 1);
}
END_TEST

START_TEST(interest_in_a_class_evokes_less) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/quiet", NO_RESPONSE("08")));
  answer(3000, NON(CODE_205, 77, "aa", .payload = "on"));
  end(20000);
  expect("GC-5.4-01", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-4.7-03 ---- */

#define NEARLY_ALL 1000000u

static bool answers(unsigned i, unsigned nth) {
  return nth == NEARLY_ALL ? i % 20 != 0 : nth && i % nth == 0;
}

/* |n| requests, |every| ms apart; each |nth| one is answered (0: none), or NEARLY_ALL. */
static void flood(unsigned n, unsigned every, unsigned nth, uint64_t end_at) {
  char token[9];
  serve(JDG_DIJK_03);
  for (unsigned i = 0; i < n; i++) {
    snprintf(token, sizeof token, "%08x", i);
    ask_to(1000 + (uint64_t)every * i, SERVER, NON(GET, (int)i, token, .path = "/open"));
    if (answers(i, nth)) answer(1000 + (uint64_t)every * i, NON(CODE_205, (int)i, token));
  }
  end(end_at);
}

START_TEST(a_limited_rate_passes) {
  flood(1000, 10, 5, 40000);
  expect("COAP-4.7-03", JDG_PASS);
}
END_TEST

START_TEST(one_response_per_request_warns) {
  flood(1000, 10, 1, 40000);
  expect("COAP-4.7-03", JDG_WARN);
}
END_TEST

/* A few that the server lost are no limit that it keeps. */
START_TEST(a_flood_answered_nearly_in_full_is_undecided) {
  flood(1000, 10, NEARLY_ALL, 40000);
  expect("COAP-4.7-03", JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(a_slow_client_is_no_flood) {
  flood(1000, 50, 1, 90000);
  expect("COAP-4.7-03", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_capture_that_ends_early_decides_nothing) {
  flood(1000, 10, 1, 12000);
  expect("COAP-4.7-03", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_unicast_only_resource_ignores_the_group,
      a_unicast_only_resource_may_answer_with_an_error,
      a_unicast_only_resource_that_succeeds_warns,
      a_unicast_only_resource_that_executes_warns,
      a_unicast_only_resource_works_by_unicast,
      sizes,
      a_large_request_may_have_a_large_response,
      unicast_responses_are_not_amplified,
      what_no_response_evokes_is_remarked,
      interest_in_a_class_evokes_less,
      a_limited_rate_passes,
      one_response_per_request_warns,
      a_flood_answered_nearly_in_full_is_undecided,
      a_slow_client_is_no_flood,
      a_capture_that_ends_early_decides_nothing,
      NULL,
  };
  return run_tests("amplification rules", tests);
}
