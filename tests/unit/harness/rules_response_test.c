/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on what a response to a group request looks like (harness/rules/response.c). */
#include "server_fixture.h"

#define Q(mid) NON(GET, mid, "a1b2c3d4", .path = "/open")
#define R(mid) NON(CODE_205, mid, "a1b2c3d4", .payload = "on")

START_TEST(a_plain_response_passes) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  answer(3000, R(77));
  end(20000);
  expect("GC-1-01", JDG_PASS);
  expect("GC-2.1-13", JDG_PASS);
  expect("GC-2.2.1-05", JDG_PASS);
  expect("GC-2.3.1-04", JDG_PASS);
  expect("GC-2.3.1-20", JDG_PASS);
  expect("GC-2.3.4-05", JDG_PASS);
  expect("NR-16", JDG_NOT_EXERCISED);
  expect("COAP-8.2-01", JDG_NOT_EXERCISED);
  expect("GC-2.3.4-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(nothing_sent_exercises_nothing) {
  serve(JDG_DIJK_03);
  end(20000);
  expect("GC-1-01", JDG_NOT_EXERCISED);
  expect("GC-2.1-13", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-04", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-20", JDG_NOT_EXERCISED);
  expect("GC-2.3.4-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(unicast_exchanges_are_no_group_communication) {
  serve(JDG_DIJK_03);
  ask_to(1000, SERVER, CON(GET, 1, "aa", .path = "/open"));
  answer(1001, ACK(CODE_205, 1, "aa"));
  end(20000);
  expect("GC-1-01", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-04", JDG_NOT_EXERCISED);
  expect("GC-2.3.4-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_response_to_the_group_deviates) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  fx_at(&fx, 3000);
  fx_send(&fx, s, SERVER, GROUP, R(77));
  end(20000);
  expect("GC-1-01", JDG_WARN);
}
END_TEST

START_TEST(a_response_from_the_group_address_deviates) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  fx_at(&fx, 3000);
  fx_send(&fx, s, GROUP, CLIENT, R(77));
  end(20000);
  expect("GC-1-01", JDG_WARN);
}
END_TEST

START_TEST(a_response_to_another_port_fails) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  fx_at(&fx, 3000);
  fx_send(&fx, s, SERVER, "[2001:db8::c]:5683", R(77));
  end(20000);
  expect("GC-2.3.1-20", JDG_FAIL);
}
END_TEST

START_TEST(an_unknown_token_at_another_port_is_not_judged) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  fx_at(&fx, 3000);
  fx_send(&fx, s, SERVER, "[2001:db8::c]:5683", NON(CODE_205, 77, "99"));
  end(20000);
  expect("GC-2.3.1-20", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(two_clients_of_one_host_may_use_one_token) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  fx_at(&fx, 1001);
  fx_receive(&fx, s, "[2001:db8::c]:40001", GROUP, Q(2));
  answer(3000, R(77));
  fx_send(&fx, s, SERVER, "[2001:db8::c]:40001", R(78));
  end(20000);
  expect("GC-2.3.1-20", JDG_PASS);
}
END_TEST

START_TEST(types_other_than_non_warn) {
  const struct fx_message *wrong[] = {CON(CODE_205, 77, "a1b2c3d4"), ACK(CODE_205, 1, "a1b2c3d4")};
  for (size_t i = 0; i < 2; i++) {
    serve(JDG_DIJK_03);
    ask(1000, Q(1));
    answer(3000, wrong[i]);
    end(20000);
    expect("GC-2.3.4-05", JDG_WARN);
    if (i == 0) fx_free(&fx);
  }
}
END_TEST

START_TEST(an_observe_response_may_be_confirmable) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open", .options = {{DIS_OBSERVE, ""}}));
  answer(3000, CON(CODE_205, 77, "aa", .options = {{DIS_OBSERVE, "01"}}));
  end(20000);
  expect("GC-2.3.4-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_unicast_follow_up_is_answered_as_such) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  answer(3000, R(77));
  ask_to(4000, SERVER, CON(GET, 2, "a1b2c3d4", .path = "/open"));
  answer(4001, ACK(CODE_205, 2, "a1b2c3d4"));
  end(20000);
  expect("GC-2.3.4-05", JDG_PASS);
}
END_TEST

START_TEST(an_echoed_message_id_is_legal) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  answer(3000, R(1));
  end(20000);
  expect("GC-2.3.4-05", JDG_PASS);
  expect("GC-2.3.1-04", JDG_PASS);
}
END_TEST

START_TEST(silence_where_an_answer_is_promised) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  end(20000);
  expect("GC-2.3.1-04", JDG_WARN);
  expect("COAP-8.2-01", JDG_PASS);
}
END_TEST

START_TEST(silence_is_judged_after_the_window_only) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  end(1000 + 5000 + 2000 + 49);
  expect("GC-2.3.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(silence_across_a_restart_is_nobodys_fault) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  restarts(1500);
  end(20000);
  expect("GC-2.3.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(overlapping_requests_may_wait_for_each_other) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "01", .path = "/open"));
  ask(1100, NON(GET, 2, "02", .path = "/open"));
  answer(5900, NON(CODE_205, 7, "01"));
  ask(6200, NON(GET, 3, "03", .path = "/open"));
  answer(10900, NON(CODE_205, 8, "02"));
  answer(15900, NON(CODE_205, 9, "03"));
  end(40000);
  expect("GC-2.3.1-04", JDG_PASS);
}
END_TEST

START_TEST(an_answer_to_a_copy_is_not_counted_for_the_repeat) {
  ics.dedup = JDG_NO;
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  answer(2000, R(77));
  ask(20000, Q(1));
  ask(20100, Q(2));
  answer(20200, R(78));
  answer(25300, R(79));
  end(60000);
  expect("GC-2.3.1-04", JDG_PASS);
}
END_TEST

START_TEST(silence_without_a_statement_says_nothing) {
  memset(&ics, 0, sizeof ics);
  jdg_ics_default(&ics);
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  end(20000);
  expect("GC-2.3.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(two_responses_deviate_except_in_draft_18) {
  const enum jdg_profile profiles[] = {JDG_DIJK_03, JDG_BIS_18};
  const enum jdg_verdict verdicts[] = {JDG_WARN, JDG_PASS};
  for (size_t i = 0; i < 2; i++) {
    serve(profiles[i]);
    ask(1000, Q(1));
    answer(3000, R(77));
    answer(3001, R(78));
    end(20000);
    expect("GC-2.3.1-04", verdicts[i]);
    if (i == 0) fx_free(&fx);
  }
}
END_TEST

START_TEST(silence_in_real_time_needs_three_tries) {
  fx_open(&fx, JDG_DIJK_03);
  jdg_reset(fx.judge, &(struct jdg_config){.profile = JDG_DIJK_03, .real_time = true});
  c = fx_tester(&fx, "c1", CLIENT);
  s = fx_node(&fx, "s1", SERVER);
  jdg_set_ics(fx.judge, s, &ics);
  ask(1000, NON(GET, 1, "01", .path = "/open"));
  ask(21000, NON(GET, 2, "02", .path = "/open"));
  answer(23000, NON(CODE_205, 7, "02"));
  ask(41000, NON(GET, 3, "03", .path = "/open"));
  ask(61000, NON(GET, 4, "04", .path = "/open"));
  end(80000);
  expect("GC-2.3.1-04", JDG_PASS);
}
END_TEST

START_TEST(no_response_in_a_response_deviates) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open", NO_RESPONSE("08")));
  answer(3000, NON(CODE_205, 77, "aa", NO_RESPONSE("08")));
  end(20000);
  expect("NR-16", JDG_WARN);
}
END_TEST

START_TEST(no_response_is_not_echoed) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open", NO_RESPONSE("08")));
  answer(3000, NON(CODE_205, 77, "aa"));
  end(20000);
  expect("NR-16", JDG_PASS);
}
END_TEST

START_TEST(oscore_in_reply_to_a_plain_request_deviates) {
  serve(JDG_DIJK_03);
  ask(1000, Q(1));
  answer(3000, NON(CODE_204, 77, "a1b2c3d4", .options = {{DIS_OSCORE, "09"}}, .payload = "x"));
  end(20000);
  expect("GC-2.1-13", JDG_WARN);
  expect("GC-2.2.1-05", JDG_WARN);
}
END_TEST

START_TEST(oscore_in_reply_to_oscore_is_not_judged) {
  serve(JDG_DIJK_03);
  ask(1000, NON(POST, 1, "aa", .options = {{DIS_OSCORE, "09"}}, .payload = "x"));
  answer(3000, NON(CODE_204, 77, "aa", .options = {{DIS_OSCORE, ""}}, .payload = "x"));
  end(20000);
  expect("GC-2.1-13", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_nosec_client_sends_no_security) {
  ics.secured = JDG_NO;
  serve(JDG_DIJK_03);
  fx_at(&fx, 1);
  fx_send(&fx, s, SERVER, GROUP,
          NON(POST, 1, "aa", .options = {{DIS_OSCORE, "09"}}, .payload = "x"));
  end(20000);
  expect("GC-2.1-13", JDG_WARN);
}
END_TEST

START_TEST(acknowledging_multicast_deviates_in_rfc7390) {
  serve(JDG_RFC7390);
  ask(1000, CON(GET, 1, "aa", .path = "/open"));
  answer(1001, ACK(0, 1, ""));
  end(20000);
  expect("RFC7390-2.7-01", JDG_WARN);
}
END_TEST

START_TEST(a_piggybacked_response_to_multicast_deviates_in_rfc7390) {
  serve(JDG_RFC7390);
  ask(1000, Q(1));
  answer(1001, ACK(CODE_205, 1, "a1b2c3d4"));
  end(20000);
  expect("RFC7390-2.7-01", JDG_WARN);
}
END_TEST

START_TEST(keeping_quiet_about_a_multicast_con_passes_in_rfc7390) {
  serve(JDG_RFC7390);
  ask(1000, CON(GET, 1, "aa", .path = "/open"));
  end(20000);
  expect("RFC7390-2.7-01", JDG_PASS);
  expect("COAP-8.2-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(an_acknowledged_unicast_request_is_not_judged_in_rfc7390) {
  serve(JDG_RFC7390);
  ask_to(1000, SERVER, CON(GET, 1, "aa", .path = "/open"));
  answer(1001, ACK(0, 1, ""));
  end(20000);
  expect("RFC7390-2.7-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(errors_may_be_sent_or_not) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/missing"));
  answer(3000, NON(CODE_404, 77, "aa"));
  ask(20000, NON(GET, 2, "ab", .path = "/missing"));
  withholds(20000, CODE_404, 2, "ab");
  end(40000);
  expect("GC-2.3.4-02", JDG_PASS);
  ck_assert_uint_eq(fx_result(&fx, "GC-2.3.4-02", s)->activations, 2);
}
END_TEST

START_TEST(a_capture_made_elsewhere_tells_the_type) {
  serve(JDG_DIJK_03);
  fx_see(&fx, "[2001:db8::77]:50000", GROUP, Q(1));
  fx_at(&fx, 100);
  fx_see(&fx, "[2001:db8::88]:5683", "[2001:db8::77]:50000", CON(CODE_205, 9, "a1b2c3d4"));
  end(20000);
  s = fx_node_named(&fx, "2001:db8::88");
  expect("GC-2.3.4-05", JDG_WARN);
  expect("GC-1-01", JDG_PASS);
  expect("GC-2.3.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(elsewhere_a_later_confirmable_response_may_be_to_an_unseen_request) {
  static const char *const rules[] = {"GC-2.3.4-05", "COAP-5.2.3-01"};
  static const struct {
    uint64_t ms;
    bool answered;
    enum jdg_verdict verdict;
  } cases[] = {{6000, false, JDG_WARN}, {8000, false, JDG_NOT_EXERCISED}, {6000, true, JDG_PASS}};
  for (size_t i = 0; i < 6; i++) {
    serve(JDG_DIJK_03);
    fx_see(&fx, "[2001:db8::77]:50000", GROUP, Q(1));
    fx_at(&fx, 100);
    if (cases[i / 2].answered)
      fx_see(&fx, "[2001:db8::88]:5683", "[2001:db8::77]:50000", NON(CODE_205, 9, "a1b2c3d4"));
    fx_at(&fx, cases[i / 2].ms);
    fx_see(&fx, "[2001:db8::88]:5683", "[2001:db8::77]:50000", CON(CODE_205, 10, "a1b2c3d4"));
    end(20000);
    s = fx_node_named(&fx, "2001:db8::88");
    expect(rules[i % 2], cases[i / 2].verdict);
    if (i < 5) fx_free(&fx);
  }
}
END_TEST

#define ELSE        "[2001:db8::77]:50000"
#define ELSE_PORT_2 "[2001:db8::77]:5683"
#define ELSEWHERE   "[2001:db8::88]:5683"

/* A request from a port of another client, and its answer at another port; all seen in between. */
static void see_astray(uint64_t ms, int mid, const char *token, const struct fx_message *answer) {
  fx_at(&fx, ms);
  fx_see(&fx, ELSE, GROUP, NON(GET, mid, token, .path = "/x"));
  fx_at(&fx, ms + 100);
  fx_see(&fx, ELSEWHERE, ELSE_PORT_2, answer);
}

static void expect_elsewhere(uint64_t ms, enum jdg_verdict verdict) {
  end(ms);
  s = fx_node_named(&fx, "2001:db8::88");
  expect("GC-2.3.1-20", verdict);
}

START_TEST(elsewhere_an_answer_at_another_port_and_none_at_the_right_one_fails) {
  serve(JDG_DIJK_03);
  see_astray(1000, 1, "aabbccdd", NON(CODE_205, 9, "aabbccdd"));
  expect_elsewhere(20000, JDG_FAIL);
  const struct jdg_result *r = fx_result(&fx, "GC-2.3.1-20", s);
  ck_assert_uint_eq(r->findings[0].frame, 2);
  ck_assert_uint_eq(r->findings[0].time, 1100 * FX_MS);
  ck_assert_str_eq(r->findings[0].expected, "response to UDP port 50000");
  ck_assert_str_eq(r->findings[0].actual, "response to UDP port 5683, NON 2.05 mid=0x0009");
}
END_TEST

START_TEST(elsewhere_a_short_token_tells_when_it_happens_again) {
  for (int times = 1; times <= 2; times++) {
    serve(JDG_DIJK_03);
    see_astray(1000, 1, "aa", NON(CODE_205, 9, "aa"));
    if (times > 1) see_astray(11000, 2, "ab", NON(CODE_205, 10, "ab"));
    expect_elsewhere(40000, times > 1 ? JDG_FAIL : JDG_INCONCLUSIVE);
    if (times == 1) fx_free(&fx);
  }
}
END_TEST

START_TEST(elsewhere_a_server_that_finds_ports_is_not_blamed) {
  serve(JDG_DIJK_03);
  see_astray(1000, 1, "aabbccdd", NON(CODE_205, 9, "aabbccdd"));
  see_astray(11000, 2, "aabbccde", NON(CODE_205, 10, "aabbccde"));
  fx_see(&fx, ELSEWHERE, ELSE, NON(CODE_205, 11, "aabbccde"));
  expect_elsewhere(40000, JDG_PASS);
}
END_TEST

START_TEST(elsewhere_answers_to_other_requests_tell_nothing) {
  const struct fx_message *const others[] = {
      ACK(CODE_205, 9, "aa"), CON(CODE_205, 9, "aa"), NON(CODE_205, 9, ""),
      NON(CODE_205, 9, "aa", .options = {{DIS_OBSERVE, "05"}})};
  serve(JDG_DIJK_03);
  for (int i = 0; i < 4; i++)
    see_astray(1000 + 10000 * (uint64_t)i, i, others[i]->token, others[i]);
  expect_elsewhere(60000, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(elsewhere_an_answer_at_both_ports_tells_of_an_unseen_request) {
  serve(JDG_DIJK_03);
  see_astray(1000, 1, "aabbccdd", NON(CODE_205, 9, "aabbccdd"));
  fx_see(&fx, ELSEWHERE, ELSE, NON(CODE_205, 10, "aabbccdd"));
  expect_elsewhere(20000, JDG_PASS);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_plain_response_passes,
      nothing_sent_exercises_nothing,
      unicast_exchanges_are_no_group_communication,
      a_response_to_the_group_deviates,
      a_response_from_the_group_address_deviates,
      a_response_to_another_port_fails,
      an_unknown_token_at_another_port_is_not_judged,
      two_clients_of_one_host_may_use_one_token,
      types_other_than_non_warn,
      an_observe_response_may_be_confirmable,
      a_unicast_follow_up_is_answered_as_such,
      an_echoed_message_id_is_legal,
      silence_where_an_answer_is_promised,
      silence_is_judged_after_the_window_only,
      silence_across_a_restart_is_nobodys_fault,
      overlapping_requests_may_wait_for_each_other,
      an_answer_to_a_copy_is_not_counted_for_the_repeat,
      silence_without_a_statement_says_nothing,
      two_responses_deviate_except_in_draft_18,
      silence_in_real_time_needs_three_tries,
      no_response_in_a_response_deviates,
      no_response_is_not_echoed,
      oscore_in_reply_to_a_plain_request_deviates,
      oscore_in_reply_to_oscore_is_not_judged,
      a_nosec_client_sends_no_security,
      acknowledging_multicast_deviates_in_rfc7390,
      a_piggybacked_response_to_multicast_deviates_in_rfc7390,
      keeping_quiet_about_a_multicast_con_passes_in_rfc7390,
      an_acknowledged_unicast_request_is_not_judged_in_rfc7390,
      errors_may_be_sent_or_not,
      a_capture_made_elsewhere_tells_the_type,
      elsewhere_a_later_confirmable_response_may_be_to_an_unseen_request,
      elsewhere_an_answer_at_another_port_and_none_at_the_right_one_fails,
      elsewhere_an_answer_at_both_ports_tells_of_an_unseen_request,
      elsewhere_a_short_token_tells_when_it_happens_again,
      elsewhere_a_server_that_finds_ports_is_not_blamed,
      elsewhere_answers_to_other_requests_tell_nothing,
      NULL,
  };
  return run_tests("response rules", tests);
}
