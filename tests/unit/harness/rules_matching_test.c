/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on which responses a client takes for which request. */
#include "rules_client_fixture.h"

static struct cfx t;
#define Q(mid, token) NON(GET, mid, token, .path = "/x")
#define R(mid, token) NON(CODE_205, mid, token, .payload = "on")
#define OTHER_PORT    "[2001:db8::1]:61000"

static void open_and_ask(void) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, Q(1, "aa"), 20);
}

START_TEST(the_application_learns_the_origin) {
  open_and_ask();
  cfx_answer(&t, 500, S1, R(9, "aa"));
  cfx_deliver(&t, GROUP, R(9, "aa"));
  ck_verdict(&t, 30000, "GC-2.3.1-16", JDG_WARN);
  open_and_ask();
  cfx_answered(&t, 500, S1, R(9, "aa"));
  ck_verdict(&t, 30000, "GC-2.3.1-16", JDG_PASS);
  open_and_ask(); /* by other means, if at all */
  cfx_answer(&t, 500, S1, R(9, "aa"));
  cfx_say(&t, CHORUS_EVENT_DELIVER, "aa", NULL, true, R(9, "aa"), NULL, 0);
  ck_verdict(&t, 30000, "GC-2.3.1-16", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(any_source_will_do) {
  static const char *const rules[] = {"GC-2.3.1-18", "COAP-8.2-08"};
  for (size_t i = 0; i < 2; i++) {
    enum jdg_verdict broken = i ? JDG_FAIL : JDG_WARN;
    open_and_ask();
    cfx_answer(&t, 500, S1, R(9, "aa"));
    ck_verdict(&t, 30000, rules[i], broken);
    open_and_ask();
    cfx_answered(&t, 500, S2, R(9, "aa"));
    cfx_answer(&t, 600, OTHER_PORT, R(9, "aa"));
    ck_verdict(&t, 30000, rules[i], broken);
    open_and_ask();
    cfx_answered(&t, 600, OTHER_PORT, R(9, "aa"));
    ck_verdict(&t, 30000, rules[i], JDG_PASS);
    open_and_ask();
    cfx_answer(&t, 25000, S1, R(9, "aa")); /* after its time */
    ck_verdict(&t, 30000, rules[i], JDG_NOT_EXERCISED);
    cfx_open(&t, JDG_DIJK_03); /* an application that says nothing */
    cfx_send(&t, 0, GROUP, Q(1, "aa"));
    cfx_answer(&t, 500, S1, R(9, "aa"));
    ck_verdict(&t, 30000, rules[i], JDG_NOT_EXERCISED);
  }
}
END_TEST

/* Californium ignores Confirmable responses to group requests, from whatever source. */
START_TEST(confirmable_responses_may_be_refused_for_their_type) {
  static const char *const rules[] = {"GC-2.3.1-18", "COAP-8.2-08", "COAP-5.2.3-02"};
  for (size_t i = 0; i < 3; i++) {
    open_and_ask();
    cfx_answer(&t, 500, S1, CON(CODE_205, 9, "aa", .payload = "on"));
    ck_verdict(&t, 30000, rules[i], i < 2 ? JDG_NOT_EXERCISED : JDG_FAIL);
  }
}
END_TEST

START_TEST(an_end_close_to_the_arrival_leaves_it_open) {
  open_and_ask();
  cfx_answer(&t, 500, S1, R(9, "aa"));
  cfx_done(&t, 520, GROUP, Q(1, "aa"), "cancelled");
  ck_verdict(&t, 30000, "COAP-8.2-08", JDG_NOT_EXERCISED);
  open_and_ask();
  cfx_answer(&t, 500, S1, R(9, "aa"));
  cfx_restart(&t, 500);
  ck_verdict(&t, 30000, "COAP-8.2-08", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(responses_are_credited_by_token) {
  for (int wrong = 0; wrong <= 1; wrong++) {
    open_and_ask();
    cfx_ask(&t, 100, GROUP, Q(2, "bb"), 20);
    cfx_answer(&t, 500, S1, R(9, "bb"));
    cfx_say(&t, CHORUS_EVENT_DELIVER, wrong ? "aa" : "bb", S1, true, R(9, "bb"), NULL, 0);
    ck_verdict(&t, 30000, "GC-2.3.1-19", wrong ? JDG_WARN : JDG_PASS);
  }
  open_and_ask();
  cfx_answered(&t, 500, S1, R(9, "aa"));
  ck_verdict(&t, 30000, "GC-2.3.1-19", JDG_NOT_EXERCISED);
  open_and_ask(); /* the other one is over */
  cfx_done(&t, 50, GROUP, Q(1, "aa"), "cancelled");
  cfx_ask(&t, 100, GROUP, Q(2, "bb"), 20);
  cfx_answered(&t, 500, S1, R(9, "bb"));
  ck_verdict(&t, 30000, "GC-2.3.1-19", JDG_NOT_EXERCISED);
}
END_TEST

static void answer_at_port(const char *to, const struct fx_message *m) {
  fx_at(&t.fx, 500);
  fx_send(&t.fx, t.s1, S1, to, m);
  fx_receive(&t.fx, t.c, S1, to, m);
}

START_TEST(only_the_requesters_port_counts) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    fx_send(&t.fx, t.c, "[2001:db8::c]:40001", GROUP, Q(2, "bb"));
    answer_at_port("[2001:db8::c]:40001", R(9, "aa"));
    if (delivered) cfx_deliver(&t, S1, R(9, "aa"));
    ck_verdict(&t, 30000, "GC-2.3.1-21", delivered ? JDG_FAIL : JDG_PASS);
  }
  open_and_ask();
  answer_at_port(CLIENT, R(9, "cc"));
  ck_verdict(&t, 30000, "GC-2.3.1-21", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(what_is_over_gets_no_responses) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    cfx_done(&t, 20000, GROUP, Q(1, "aa"), "timeout");
    cfx_answer(&t, 30000, S1, R(9, "aa"));
    if (delivered) cfx_deliver(&t, S1, R(9, "aa"));
    ck_verdict(&t, 60000, "GC-5.3-05", delivered ? JDG_WARN : JDG_PASS);
  }
  open_and_ask(); /* repeated, so that it listens beyond its first timeout */
  cfx_send(&t, 15000, GROUP, Q(2, "aa"));
  cfx_answered(&t, 30000, S1, R(9, "aa"));
  ck_verdict(&t, 60000, "GC-5.3-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(confirmable_responses_are_taken) {
  const struct fx_message *r = CON(CODE_205, 9, "aa", .payload = "on");
  static const struct {
    int reaction; /* -1: none */
    bool delivered;
    enum jdg_verdict verdict;
  } cases[] = {{DIS_ACK, true, JDG_PASS},
               {DIS_ACK, false, JDG_FAIL},
               {DIS_RST, false, JDG_FAIL},
               {-1, true, JDG_FAIL}};
  for (size_t i = 0; i < 4; i++) {
    open_and_ask();
    cfx_answer(&t, 500, S1, r);
    if (cases[i].delivered) cfx_deliver(&t, S1, r);
    if (cases[i].reaction >= 0) cfx_send(&t, 501, S1, FX(cases[i].reaction, 0, 9, ""));
    ck_verdict(&t, 30000, "COAP-5.2.3-02", cases[i].verdict);
  }
  open_and_ask();
  cfx_answered(&t, 500, S1, R(9, "aa"));
  ck_verdict(&t, 30000, "COAP-5.2.3-02", JDG_NOT_EXERCISED);
}
END_TEST

#define ELSEWHERE_CLIENT "[2001:db8::77]:50000"
#define ELSEWHERE_SERVER "[2001:db8::88]:5683"

static const struct elsewhere_case {
  int code;
  const char *observe;
  unsigned requests, delay;
  int acknowledged; /* the response to this one; -1: none */
  enum jdg_verdict verdict;
} elsewhere_cases[] = {
    {GET, NULL, 2, 100, -1, JDG_FAIL},           {GET, NULL, 1, 100, -1, JDG_INCONCLUSIVE},
    {GET, NULL, 3, 100, 1, JDG_INCONCLUSIVE},    {GET, NULL, 1, 100, 0, JDG_NOT_EXERCISED},
    {GET, NULL, 2, 3000, -1, JDG_NOT_EXERCISED}, /* given up, perhaps */
    {PUT, NULL, 2, 100, -1, JDG_NOT_EXERCISED},  /* nobody may have waited for it */
    {GET, "", 2, 100, -1, JDG_NOT_EXERCISED},    /* a RST ends an observation */
};

START_TEST(elsewhere_one_rejection_may_have_its_reason) {
  const struct elsewhere_case *k = &elsewhere_cases[_i];
  cfx_open(&t, JDG_DIJK_03);
  for (unsigned i = 0; i < k->requests; i++) {
    char token[16];
    int mid = 10 + (int)i;
    snprintf(token, sizeof token, "a%u", i);
    struct fx_message q = *NON(k->code, mid, token, .path = "/x");
    if (k->observe) q.options[0] = (struct fx_option){DIS_OBSERVE, k->observe};
    fx_at(&t.fx, 1000 + i * 20000);
    fx_see(&t.fx, ELSEWHERE_CLIENT, ELSEWHERE_SERVER, &q);
    fx_at(&t.fx, 1000 + i * 20000 + k->delay);
    fx_see(&t.fx, ELSEWHERE_SERVER, ELSEWHERE_CLIENT, CON(CODE_205, mid + 100, token));
    fx_see(&t.fx, ELSEWHERE_CLIENT, ELSEWHERE_SERVER,
           (int)i == k->acknowledged ? ACK(0, mid + 100, "") : RST(mid + 100));
  }
  fx_close_at(&t.fx, 500000);
  ck_assert_int_eq(fx_verdict(&t.fx, "COAP-5.2.3-02", fx_node_named(&t.fx, "2001:db8::77")),
                   k->verdict);
  fx_free(&t.fx);
}
END_TEST

static void open_and_ask_one(void) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, S1, NON(GET, 1, "aa", .path = "/x"), 93);
}

START_TEST(unicast_responses_come_from_whom_was_asked) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask_one();
    cfx_answer(&t, 500, S2, R(9, "aa"));
    if (delivered) cfx_deliver(&t, S2, R(9, "aa"));
    ck_verdict(&t, 100000, "COAP-5.3.2-01", delivered ? JDG_FAIL : JDG_PASS);
  }
  open_and_ask_one();
  cfx_answered(&t, 500, S1, R(9, "aa"));
  ck_verdict(&t, 100000, "COAP-5.3.2-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(unknown_tokens_match_nothing) {
  for (int delivered = 0; delivered <= 1; delivered++) {
    open_and_ask();
    cfx_answer(&t, 500, S1, R(9, "cc"));
    if (delivered) cfx_deliver(&t, S1, R(9, "cc"));
    ck_verdict(&t, 30000, "COAP-5.3.2-02", delivered ? JDG_FAIL : JDG_PASS);
  }
  open_and_ask();
  cfx_answered(&t, 500, S1, R(9, "aa"));
  ck_verdict(&t, 30000, "COAP-5.3.2-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_forged_request_under_the_clients_token_changes_nothing) {
  open_and_ask();
  uint32_t attacker = fx_tester(&t.fx, "attacker", "2001:db8::99");
  fx_at(&t.fx, 100);
  fx_send(&t.fx, attacker, CLIENT, GROUP, NON(GET, 77, "aa", .path = "/other"));
  cfx_answered(&t, 500, S1, R(9, "aa"));
  ck_verdict(&t, 30000, "COAP-5.3.2-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(unexpected_confirmable_responses_are_reset) {
  static const struct {
    int reaction;
    enum jdg_verdict verdict;
  } cases[] = {{DIS_RST, JDG_PASS}, {DIS_ACK, JDG_WARN}, {-1, JDG_INCONCLUSIVE}};
  for (size_t i = 0; i < 3; i++) {
    open_and_ask();
    cfx_answer(&t, 500, S1, CON(CODE_205, 9, "cc"));
    if (cases[i].reaction >= 0) cfx_send(&t, 501, S1, FX(cases[i].reaction, 0, 9, ""));
    ck_verdict(&t, 30000, "COAP-5.3.2-03", cases[i].verdict);
  }
  open_and_ask();
  cfx_answer(&t, 500, S1, NON(CODE_205, 9, "cc"));
  ck_verdict(&t, 30000, "COAP-5.3.2-03", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(unknown_critical_options_reject_a_response) {
  const struct fx_message *critical = NON(CODE_205, 9, "aa", .options = {{65001, "01"}});
  const struct fx_message *elective = NON(CODE_205, 9, "aa", .options = {{65002, "01"}});
  open_and_ask();
  cfx_answered(&t, 500, S1, critical);
  ck_verdict(&t, 30000, "COAP-5.4.1-03", JDG_FAIL);
  open_and_ask();
  cfx_answer(&t, 500, S1, critical);
  ck_verdict(&t, 30000, "COAP-5.4.1-03", JDG_PASS);
  open_and_ask();
  cfx_answered(&t, 500, S1, elective);
  ck_verdict(&t, 30000, "COAP-5.4.1-03", JDG_NOT_EXERCISED);
}
END_TEST

/* Q-Block1 is registered; a client that does not know it rejects it all the same (RFC 7252, 5.4.1).
 */
START_TEST(a_client_need_not_know_a_critical_option) {
  static const char *const rules[] = {"COAP-8.2-08", "GC-2.3.1-18", "GC-2.3.1-38"};
  const struct fx_message *quick = NON(CODE_205, 9, "aa", .options = {{19, "08"}});
  for (size_t i = 0; i < 3; i++) {
    open_and_ask();
    cfx_answer(&t, 500, S1, quick);
    ck_verdict(&t, 30000, rules[i], JDG_NOT_EXERCISED);
  }
  open_and_ask();
  cfx_answered(&t, 500, S1, quick);
  ck_verdict(&t, 30000, "COAP-5.4.1-03", JDG_NOT_EXERCISED);
}
END_TEST

/* Taking what is malformed is one fault; taking the valid response after it is none. */
START_TEST(a_malformed_response_is_no_first_one) {
  static const char *const rules[] = {"GC-2.3.1-32", "GC-2.3.1-33", "GC-2.3.1-38"};
  for (size_t i = 0; i < 3; i++) {
    open_and_ask();
    cfx_answered(&t, 500, S1, NON(CODE_205, 9, "aa", .options = {{65001, "01"}}));
    cfx_answered(&t, 600, S1, NON(CODE_205, 10, "aa", .payload = "on"));
    ck_verdict(&t, 30000, rules[i], JDG_NOT_EXERCISED);
  }
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("matching");
  tcase_add_test(tc, a_malformed_response_is_no_first_one);
  tcase_add_test(tc, a_client_need_not_know_a_critical_option);
  tcase_add_test(tc, the_application_learns_the_origin);
  tcase_add_test(tc, any_source_will_do);
  tcase_add_test(tc, confirmable_responses_may_be_refused_for_their_type);
  tcase_add_test(tc, an_end_close_to_the_arrival_leaves_it_open);
  tcase_add_test(tc, responses_are_credited_by_token);
  tcase_add_test(tc, only_the_requesters_port_counts);
  tcase_add_test(tc, what_is_over_gets_no_responses);
  tcase_add_test(tc, confirmable_responses_are_taken);
  tcase_add_test(tc, unicast_responses_come_from_whom_was_asked);
  tcase_add_test(tc, unknown_tokens_match_nothing);
  tcase_add_test(tc, a_forged_request_under_the_clients_token_changes_nothing);
  tcase_add_test(tc, unexpected_confirmable_responses_are_reset);
  tcase_add_test(tc, unknown_critical_options_reject_a_response);
  tcase_add_loop_test(tc, elsewhere_one_rejection_may_have_its_reason, 0,
                      (int)(sizeof elsewhere_cases / sizeof elsewhere_cases[0]));
  return cfx_main(tc);
}
