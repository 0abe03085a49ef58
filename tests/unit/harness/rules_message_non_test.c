/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-4.3-01, COAP-4.3-04, COAP-5.2.2-01, COAP-5.2.3-01: NON messages, their copies and their
 * answers. */
#include "rules_message.h"

static const struct answer_case {
  const char *rule;
  int request_type;
  struct fx_message answer;
  enum jdg_verdict verdict;
} answer_cases[] = {
    {"COAP-4.3-01",
     DIS_NON,
     {.type = DIS_ACK, .code = CODE_205, .mid = 1, .token = "aa"},
     JDG_FAIL},
    {"COAP-4.3-01", DIS_NON, {.type = DIS_ACK, .code = 0, .mid = 1, .token = ""}, JDG_FAIL},
    {"COAP-4.3-01",
     DIS_NON,
     {.type = DIS_NON, .code = CODE_205, .mid = 9, .token = "aa"},
     JDG_PASS},
    {"COAP-4.3-01",
     DIS_CON,
     {.type = DIS_ACK, .code = CODE_205, .mid = 1, .token = "aa"},
     JDG_NOT_EXERCISED},
    {"COAP-5.2.2-01",
     DIS_NON,
     {.type = DIS_ACK, .code = CODE_205, .mid = 1, .token = "aa"},
     JDG_WARN},
    {"COAP-5.2.2-01",
     DIS_NON,
     {.type = DIS_CON, .code = CODE_205, .mid = 9, .token = "aa"},
     JDG_PASS},
    {"COAP-5.2.2-01",
     DIS_NON,
     {.type = DIS_NON, .code = CODE_205, .mid = 1, .token = "aa"},
     JDG_PASS}, /* with the Message ID of the request */
    {"COAP-5.2.2-01",
     DIS_CON,
     {.type = DIS_ACK, .code = CODE_205, .mid = 1, .token = "aa"},
     JDG_NOT_EXERCISED},
    {"COAP-5.2.3-01",
     DIS_NON,
     {.type = DIS_CON, .code = CODE_205, .mid = 9, .token = "aa"},
     JDG_WARN},
    {"COAP-5.2.3-01",
     DIS_NON,
     {.type = DIS_NON, .code = CODE_205, .mid = 9, .token = "aa"},
     JDG_PASS},
    {"COAP-5.2.3-01",
     DIS_NON,
     {.type = DIS_CON, .code = CODE_205, .mid = 9, .token = "aa", .options = {{DIS_OBSERVE, "05"}}},
     JDG_NOT_EXERCISED}, /* a notification */
    {"COAP-5.2.3-01",
     DIS_CON,
     {.type = DIS_CON, .code = CODE_205, .mid = 9, .token = "aa"},
     JDG_NOT_EXERCISED},
};

START_TEST(of_an_answer) {
  const struct answer_case *k = &answer_cases[_i];
  to_server(TESTER, SERVER, FX(k->request_type, GET, 1, "aa", .path = "/x"));
  later(100);
  fx_send(&fx, s, SERVER, TESTER, &k->answer);
  EXPECT(k->rule, s, k->verdict);
}
END_TEST

/* A CON follow-up under the Token of the group request is answered like any CON. */
START_TEST(of_a_follow_up) {
  static const char *const rules[] = {"COAP-4.3-01", "COAP-5.2.2-01", "COAP-5.2.3-01"};
  to_server(TESTER, GROUP, NON(GET, 1, "aa", .path = "/x"));
  later(1000);
  to_server(TESTER, SERVER, CON(GET, 2, "aa", .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER, ACK(CODE_205, 2, "aa"));
  later(1000);
  fx_send(&fx, s, SERVER, TESTER, CON(CODE_205, 3, "aa"));
  EXPECT(rules[_i], s, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_client_acknowledges_a_non_response) {
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_receive(&fx, c, SERVER, CLIENT, NON(CODE_205, 7, "aa"));
  if (_i) fx_send(&fx, c, CLIENT, SERVER, ACK(0, 7, ""));
  EXPECT("COAP-4.3-01", c, _i ? JDG_FAIL : JDG_PASS);
}
END_TEST

static const struct copy_case {
  chorus_time after;
  enum jdg_verdict verdict, elsewhere;
} copy_cases[] = {
    {10 * CHORUS_SECOND, JDG_PASS, JDG_PASS},
    {45 * CHORUS_SECOND, JDG_PASS, JDG_PASS},
    {45 * CHORUS_SECOND + 1, JDG_WARN, JDG_INCONCLUSIVE},
    {46 * CHORUS_SECOND, JDG_WARN, JDG_INCONCLUSIVE},
    {65 * CHORUS_SECOND + 1, JDG_WARN, JDG_WARN},
};

START_TEST(of_a_copy) {
  const struct fx_message *m = NON(GET, 1, "aa", .path = "/x");
  fx_send(&fx, c, CLIENT, GROUP, m);
  fx.now += copy_cases[_i].after;
  fx_send(&fx, c, CLIENT, GROUP, m);
  EXPECT("COAP-4.3-04", c, copy_cases[_i].verdict);
}
END_TEST

START_TEST(of_a_copy_seen_elsewhere) {
  const struct fx_message *m = NON(GET, 1, "aa", .path = "/x");
  fx_see(&fx, MEDIUM1, GROUP, m);
  fx.now += copy_cases[_i].after;
  fx_see(&fx, MEDIUM1, GROUP, m);
  EXPECT("COAP-4.3-04", fx_node_named(&fx, "2001:db8::77"), copy_cases[_i].elsewhere);
}
END_TEST

START_TEST(a_repeat_is_no_copy) {
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  later(60000);
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 2, "aa", .path = "/x"));
  EXPECT("COAP-4.3-04", c, JDG_NOT_EXERCISED);
}
END_TEST

/* Responses in ACKs of messages that nobody sent: one may answer what was not captured. */
START_TEST(of_acks_that_acknowledge_nothing) {
  fx_see(&fx, MEDIUM1, GROUP, NON(GET, 1, "aa", .path = "/x", .options = {{DIS_OBSERVE, ""}}));
  for (int i = 0; i < _i; i++) {
    later(500);
    fx_see(&fx, MEDIUM2, MEDIUM1,
           ACK(CODE_205, 70 + i, "aa", .payload = "on", .options = {{DIS_OBSERVE, "05"}}));
  }
  EXPECT("COAP-5.2.2-01", fx_node_named(&fx, "2001:db8::88"),
         _i < 3 ? JDG_NOT_EXERCISED : JDG_WARN);
}
END_TEST

/* One counter-example after so many remarks that no more is kept: it is what the finding shows. */
START_TEST(a_counter_example_stands_before_remarks) {
  for (int i = 0; i < JDG_MAX_FINDINGS + 2; i++) {
    char token[8];
    snprintf(token, sizeof token, "%02x", i);
    const struct fx_message *m = NON(GET, 100 + i, token, .path = "/x");
    fx_send(&fx, c, CLIENT, GROUP, m);
    later(1000);
    fx_send(&fx, c, CLIENT, GROUP, m); /* a remark: more than an octet a second */
    later(60000);
    if (i == JDG_MAX_FINDINGS + 1) fx_send(&fx, c, CLIENT, GROUP, m);
  }
  EXPECT("COAP-4.3-04", c, JDG_WARN);
  const struct jdg_result *r = fx_result(&fx, "COAP-4.3-04", c);
  ck_assert_uint_eq(r->finding_count, JDG_MAX_FINDINGS);
  ck_assert_uint_eq(r->finding_total, JDG_MAX_FINDINGS + 3);
  ck_assert_str_eq(r->findings[0].expected, "copies within 45 s of the first transmission");
  ck_assert_str_ne(r->findings[0].actual, "");
  for (size_t i = 1; i < r->finding_count; i++) ck_assert_str_eq(r->findings[i].expected, "");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_message_non");
  TCase *tests = new_case(suite, "non");
  tcase_add_loop_test(tests, of_an_answer, 0, COUNT(answer_cases));
  tcase_add_test(tests, a_counter_example_stands_before_remarks);
  tcase_add_loop_test(tests, of_a_follow_up, 0, 3);
  tcase_add_loop_test(tests, a_client_acknowledges_a_non_response, 0, 2);
  tcase_add_loop_test(tests, of_a_copy, 0, COUNT(copy_cases));
  tcase_add_loop_test(tests, of_a_copy_seen_elsewhere, 0, COUNT(copy_cases));
  tcase_add_test(tests, a_repeat_is_no_copy);
  tcase_add_loop_test(tests, of_acks_that_acknowledge_nothing, 1, 5);
  return run_suite(suite);
}
