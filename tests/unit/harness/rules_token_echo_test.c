/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-5.3.1-01 and -04: the Token comes back as it went. */
#include "rules_message.h"

static const struct token_case {
  const char *rule, *asked, *answered;
  int type;
  enum jdg_verdict verdict;
} token_cases[] = {
    {"COAP-5.3.1-01", "a1b2", "a1b2", DIS_NON, JDG_PASS},
    {"COAP-5.3.1-01", "", "", DIS_NON, JDG_PASS},
    {"COAP-5.3.1-01", "0011223344556677", "0011223344556677", DIS_NON, JDG_PASS},
    {"COAP-5.3.1-01", "a1b2", "a1b3", DIS_NON, JDG_FAIL},
    {"COAP-5.3.1-01", "00b2", "b2", DIS_NON, JDG_FAIL}, /* leading zeros stripped */
    {"COAP-5.3.1-01", "a1b2", "", DIS_NON, JDG_FAIL},
    {"COAP-5.3.1-01", "a1b2", "a1b3", DIS_ACK, JDG_FAIL},
    {"COAP-5.3.1-04", "00b2", "00b2", DIS_NON, JDG_PASS},
    {"COAP-5.3.1-04", "", "", DIS_NON, JDG_PASS},
    {"COAP-5.3.1-04", "00b2", "b2", DIS_NON, JDG_FAIL},
    {"COAP-5.3.1-04", "", "00", DIS_NON, JDG_FAIL},
    {"COAP-5.3.1-04", "a1b2", "a1b2", DIS_NON, JDG_NOT_EXERCISED},
    {"COAP-5.3.1-04", "a1b2", "a1b3", DIS_NON, JDG_NOT_EXERCISED},
};

START_TEST(of_a_token) {
  const struct token_case *k = &token_cases[_i];
  to_server(TESTER, SERVER,
            FX(k->type == DIS_ACK ? DIS_CON : DIS_NON, GET, 1, k->asked, .path = "/x"));
  later(100);
  fx_send(&fx, s, SERVER, TESTER, FX(k->type, CODE_205, k->type == DIS_ACK ? 1 : 9, k->answered));
  EXPECT(k->rule, s, k->verdict);
}
END_TEST

START_TEST(who_was_not_asked_is_not_judged) {
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 9, "a1b3"));
  EXPECT("COAP-5.3.1-01", s, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(an_old_observation_goes_on) {
  to_server(TESTER, SERVER, NON(GET, 1, "aa", .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 9, "0b5e", .options = {{DIS_OBSERVE, "05"}}));
  EXPECT("COAP-5.3.1-01", s, JDG_NOT_EXERCISED);
}
END_TEST

/* A capture that starts in the middle lacks the request; a piggybacked response names its message.
 */
/* What is sent for an Empty message is wrong, but it has no Token to return. */
START_TEST(an_empty_message_has_no_token) {
  to_server(TESTER, SERVER, CON(GET, 1, "aa", .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER, ACK(CODE_205, 1, "aa"));
  later(100);
  to_server(TESTER, SERVER, NON(0, 9, ""));
  later(10);
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_404, 9, ""));
  EXPECT("COAP-5.3.1-01", s, JDG_PASS);
}
END_TEST

START_TEST(elsewhere_only_an_ack_is_decided) {
  fx_see(&fx, MEDIUM1, MEDIUM2, CON(GET, 1, "aa", .path = "/x"));
  later(100);
  fx_see(&fx, MEDIUM2, MEDIUM1, _i ? ACK(CODE_205, 1, "ab") : NON(CODE_205, 9, "ab"));
  EXPECT("COAP-5.3.1-01", fx_node_named(&fx, "2001:db8::88"), _i ? JDG_FAIL : JDG_INCONCLUSIVE);
}
END_TEST

/* ... but a part of the Token asked with, or several strays in a row, cannot be chance. */
static const struct stray_case {
  const char *to, *asked, *stray;
  unsigned requests;
  bool right; /* the right Token, before the last stray one */
  enum jdg_verdict verdict, opaque;
} stray_cases[] = {
    {GROUP, "00000102", "0102", 1, false, JDG_FAIL, JDG_FAIL},
    {MEDIUM2, "00000102", "0102", 1, false, JDG_FAIL, JDG_FAIL},
    {GROUP, "a1b2c3d4", "a1b2c3", 1, false, JDG_FAIL, JDG_NOT_EXERCISED},
    {GROUP, "a1b2c3d4", "a1b2c3d4e5", 1, false, JDG_FAIL, JDG_NOT_EXERCISED},
    {GROUP, "a1b2c3d4", "d4", 1, false, JDG_INCONCLUSIVE, JDG_NOT_EXERCISED},
    {GROUP, "a1b2c3d4", "a1b2c3d5", 2, false, JDG_INCONCLUSIVE, JDG_NOT_EXERCISED},
    {GROUP, "a1b2c3d4", "a1b2c3d5", 3, false, JDG_FAIL, JDG_NOT_EXERCISED},
    {MEDIUM2, "a1b2c3d4", "a1b2c3d5", 3, false, JDG_FAIL, JDG_NOT_EXERCISED},
    {GROUP, "a1b2c3d4", "a1b2c3d5", 3, true, JDG_PASS, JDG_NOT_EXERCISED},
};

START_TEST(elsewhere_strays_add_up) {
  const struct stray_case *k = &stray_cases[_i];
  for (unsigned i = 0; i < k->requests; i++) {
    char asked[17], stray[17], fit[12];
    snprintf(asked, sizeof asked, "%s%s", k->asked, i ? (i == 1 ? "01" : "02") : "");
    snprintf(stray, sizeof stray, "%s%s", k->stray, i ? (i == 1 ? "01" : "02") : "");
    snprintf(fit, sizeof fit, "f%u", i);
    fx_see(&fx, MEDIUM1, k->to, NON(GET, (int)(4 * i + 1), asked, .path = "/x"));
    later(1000);
    fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, (int)(4 * i + 1), stray));
    later(10000);
    if (!k->right || i != 1) continue;
    fx_see(&fx, MEDIUM1, k->to, NON(GET, (int)(4 * i + 2), fit, .path = "/x"));
    later(1000);
    fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, (int)(4 * i + 2), fit));
    later(10000);
  }
  EXPECT("COAP-5.3.1-01", fx_node_named(&fx, "2001:db8::88"), k->verdict);
}
END_TEST

START_TEST(elsewhere_a_token_is_opaque) {
  const struct stray_case *k = &stray_cases[_i];
  fx_see(&fx, MEDIUM1, k->to, NON(GET, 1, k->asked, .path = "/x"));
  later(1000);
  fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 1, k->stray));
  EXPECT("COAP-5.3.1-04", fx_node_named(&fx, "2001:db8::88"), k->opaque);
}
END_TEST

/* A server that was right once is not blamed for what a lossy capture lacks, unless it goes on. */
START_TEST(elsewhere_a_right_token_speaks_for_the_server) {
  fx_see(&fx, MEDIUM1, MEDIUM2, NON(GET, 1, "c0c0", .path = "/x"));
  later(100);
  fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 1, "c0c0"));
  for (int i = 0; i < (_i ? 6 : 5); i++) {
    char asked[16], stray[16];
    snprintf(asked, sizeof asked, "a%d00", i);
    snprintf(stray, sizeof stray, "a%d01", i);
    later(1000);
    fx_see(&fx, MEDIUM1, MEDIUM2, NON(GET, 10 + i, asked, .path = "/x"));
    later(100);
    fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 10 + i, stray));
  }
  EXPECT("COAP-5.3.1-01", fx_node_named(&fx, "2001:db8::88"), _i ? JDG_FAIL : JDG_PASS);
}
END_TEST

/* The request before it has its answer, or lies long back: the stray one is for another. */
START_TEST(elsewhere_a_stray_may_be_late) {
  fx_see(&fx, MEDIUM1, GROUP, NON(GET, 1, "00000102", .path = "/x"));
  later(1000);
  if (_i) fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 8, "00000102"));
  later(_i ? 1000 : 9000);
  fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 9, "0102"));
  EXPECT("COAP-5.3.1-01", fx_node_named(&fx, "2001:db8::88"), _i ? JDG_PASS : JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rules_token_echo");
  TCase *tests = new_case(suite, "token");
  tcase_add_loop_test(tests, of_a_token, 0, (int)(sizeof token_cases / sizeof token_cases[0]));
  tcase_add_test(tests, who_was_not_asked_is_not_judged);
  tcase_add_test(tests, an_old_observation_goes_on);
  tcase_add_test(tests, an_empty_message_has_no_token);
  tcase_add_loop_test(tests, elsewhere_only_an_ack_is_decided, 0, 2);
  tcase_add_loop_test(tests, elsewhere_strays_add_up, 0,
                      (int)(sizeof stray_cases / sizeof stray_cases[0]));
  tcase_add_loop_test(tests, elsewhere_a_token_is_opaque, 0,
                      (int)(sizeof stray_cases / sizeof stray_cases[0]));
  tcase_add_loop_test(tests, elsewhere_a_stray_may_be_late, 0, 2);
  tcase_add_loop_test(tests, elsewhere_a_right_token_speaks_for_the_server, 0, 2);
  return run_suite(suite);
}
