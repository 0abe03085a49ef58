/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-3-01 to COAP-4.1-01, COAP-4.3-02 and -03: malformed messages sent, and what is made of those
 * received. */
#include "rules_message.h"

/* ---- senders ---- */

static const struct sent_case {
  const char *rule, *raw;
  enum jdg_verdict verdict;
} sent_cases[] = {
    {"COAP-3-01", "91010001aa", JDG_FAIL},                                 /* version 2 */
    {"COAP-3-01", "51010001aa", JDG_PASS},                                 /* version 1 */
    {"COAP-3-02", "59010001aabbccddeeff001122", JDG_FAIL},                 /* TKL 9 */
    {"COAP-3-02", "58010001aabbccddeeff0011", JDG_PASS},                   /* TKL 8 */
    {"COAP-3-02", "5d01000100aabbccddeeff001122334455", JDG_INCONCLUSIVE}, /* RFC 8974 */
    {"COAP-3-02", "54010001aa", JDG_FAIL},                                 /* Token cut off */
    {"COAP-3-03", "51010001aaff", JDG_FAIL},                               /* marker, no payload */
    {"COAP-3-03", "51010001aaff31", JDG_PASS},                             /* marker and payload */
    {"COAP-3-03", "51010001aa", JDG_NOT_EXERCISED},                        /* no marker */
    {"COAP-3.1-01", "51010001aaf1aa", JDG_FAIL},                           /* delta nibble 15 */
    {"COAP-3.1-01", "51010001aa1f", JDG_FAIL},                             /* length nibble 15 */
    {"COAP-3.1-01", "51010001aab378", JDG_FAIL},                           /* option cut off */
    {"COAP-3.1-01", "51010001aab178", JDG_PASS},                           /* Uri-Path: x */
    {"COAP-3.1-01", "51010001aa", JDG_NOT_EXERCISED},                      /* no option */
    {"COAP-3.1-01", "5101", JDG_FAIL},                                     /* no whole header */
    {"COAP-4.1-01", "7100000aaa", JDG_FAIL},                               /* RST with a Token */
    {"COAP-4.1-01", "6000000aff", JDG_FAIL},          /* ACK with an octet too many */
    {"COAP-4.1-01", "7000000a", JDG_PASS},            /* RST */
    {"COAP-4.1-01", "51010001aa", JDG_NOT_EXERCISED}, /* not Empty */
    {"COAP-4.3-02", "50000001", JDG_FAIL},            /* Empty NON */
    {"COAP-4.3-02", "51010001aa", JDG_PASS},          /* NON GET */
    {"COAP-4.3-02", "40000001", JDG_NOT_EXERCISED},   /* Empty CON: a ping */
    {"COAP-4.3-03", "51010001aa", JDG_NOT_EXERCISED}, /* concerns receivers */
};

START_TEST(of_a_sender) {
  const struct sent_case *k = &sent_cases[_i];
  fx_send(&fx, c, CLIENT, SERVER, RAW(k->raw));
  EXPECT(k->rule, c, k->verdict);
}
END_TEST

/* ---- servers ---- */

enum reaction { SILENT, RESETS, ACKS, ANSWERS, EXECUTES };

static const struct received_case {
  const char *rule, *to, *raw;
  enum reaction reaction;
  enum jdg_verdict verdict;
} received_cases[] = {
    {"COAP-3-01", GROUP, "91010001aa", SILENT, JDG_PASS},
    {"COAP-3-01", GROUP, "91010001aa", RESETS, JDG_FAIL},
    {"COAP-3-01", SERVER, "81010001aa", RESETS, JDG_FAIL},
    {"COAP-3-01", SERVER, "91010001aa", ANSWERS, JDG_FAIL},
    {"COAP-3-01", SERVER, "91010001aa", EXECUTES, JDG_FAIL},
    {"COAP-3-02", GROUP, "59010001aabbccddeeff001122", SILENT, JDG_PASS},
    {"COAP-3-02", SERVER, "49010001aabbccddeeff001122", RESETS, JDG_PASS},
    {"COAP-3-02", SERVER, "59010001aabbccddeeff001122", ANSWERS, JDG_FAIL},
    {"COAP-3-02", GROUP, "59010001aabbccddeeff001122", EXECUTES, JDG_FAIL},
    {"COAP-3-02", SERVER, "5d01000100aabbccddeeff001122334455", ANSWERS, JDG_PASS}, /* RFC 8974 */
    {"COAP-3-03", GROUP, "51010001aaff", SILENT, JDG_PASS},
    {"COAP-3-03", GROUP, "51010001aaff", ANSWERS, JDG_FAIL},
    {"COAP-3-03", SERVER, "41010001aaff", RESETS, JDG_PASS},
    {"COAP-3-03", SERVER, "41010001aaff", ACKS, JDG_FAIL},
    {"COAP-3.1-01", GROUP, "51010001aaf1aa", SILENT, JDG_PASS},
    {"COAP-3.1-01", GROUP, "51010001aaf1aa", ANSWERS, JDG_FAIL},
    {"COAP-3.1-01", GROUP, "51010001aa1f", EXECUTES, JDG_FAIL},
    {"COAP-4.1-01", SERVER, "4000000100", RESETS, JDG_PASS},
    {"COAP-4.1-01", SERVER, "4000000100", ACKS, JDG_FAIL},
    {"COAP-4.1-01", SERVER, "6000000100", RESETS, JDG_FAIL}, /* malformed ACK */
    {"COAP-4.1-01", SERVER, "6000000100", SILENT, JDG_NOT_EXERCISED},
    {"COAP-4.3-02", GROUP, "50000001", SILENT, JDG_PASS},
    {"COAP-4.3-02", GROUP, "50000001", RESETS, JDG_WARN}, /* who knows whether it was aware */
    {"COAP-4.3-02", SERVER, "50000001", RESETS, JDG_PASS},
    {"COAP-4.3-02", SERVER, "50000001", ACKS, JDG_FAIL},
    {"COAP-4.3-03", GROUP, "51200001aa", SILENT, JDG_PASS}, /* code 1.00 */
    {"COAP-4.3-03", SERVER, "51200001aa", RESETS, JDG_PASS},
    {"COAP-4.3-03", SERVER, "51200001aa", ANSWERS, JDG_FAIL},
    {"COAP-4.3-03", GROUP, "51e00001aa", ANSWERS, JDG_FAIL}, /* code 7.00 */
    {"COAP-4.3-03", GROUP, "51010001aaff", ANSWERS, JDG_FAIL},
    {"COAP-4.3-03", SERVER, "41200001aa", RESETS, JDG_NOT_EXERCISED}, /* a CON */
    {"COAP-4.3-03", GROUP, "51010001aa", ANSWERS, JDG_NOT_EXERCISED}, /* well-formed */
};

static void react(enum reaction reaction) {
  switch (reaction) {
    case SILENT: return;
    case RESETS: fx_send(&fx, s, SERVER, TESTER, RST(1)); return;
    case ACKS: fx_send(&fx, s, SERVER, TESTER, ACK(0, 1, "")); return;
    case ANSWERS: fx_send(&fx, s, SERVER, TESTER, NON(CODE_400, 77, "aa")); return;
    case EXECUTES:
      fx_event(&fx, s, CHORUS_EVENT_EXECUTE, TESTER, NON(GET, 1, "aa"), "/x", NULL, 0);
      return;
  }
}

START_TEST(of_a_receiver) {
  const struct received_case *k = &received_cases[_i];
  to_server(TESTER, k->to, RAW(k->raw));
  later(100);
  react(k->reaction);
  fx_close_at(&fx, 60000);
  const struct jdg_result *r = fx_result(&fx, k->rule, s);
  enum jdg_verdict verdict = r ? r->verdict : JDG_NOT_EXERCISED;
  ck_assert_msg(verdict == k->verdict, "%s of %s is %s", k->rule, k->raw,
                jdg_verdict_name(verdict));
}
END_TEST

static void unaware(struct jdg_ics *ics) {
  ics->mcast_aware = JDG_NO;
}

static void aware(struct jdg_ics *ics) {
  ics->mcast_aware = JDG_YES;
}

START_TEST(a_reset_to_a_group_message_by_awareness) {
  declare(s, _i ? aware : unaware);
  to_server(TESTER, GROUP, RAW("50000001"));
  react(RESETS);
  EXPECT("COAP-4.3-02", s, _i ? JDG_FAIL : JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(an_answer_to_an_earlier_request_is_no_reaction) {
  to_server(TESTER, SERVER, NON(GET, 9, "aa", .path = "/x"));
  to_server(TESTER, SERVER, RAW("51010001aaff")); /* the same Token */
  later(100);
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 77, "aa"));
  EXPECT("COAP-3-03", s, JDG_PASS);
}
END_TEST

/* ---- clients ---- */

static const struct {
  const char *rule, *raw;
} responses[] = {
    {"COAP-3-03", "51450007aaff"},
    {"COAP-3.1-01", "51450007aaf1aa"},
    {"COAP-4.3-03", "51450007aaff"},
};

static void malformed_response(const char *raw) {
  note(c);
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_receive(&fx, c, SERVER, CLIENT, RAW(raw));
}

START_TEST(a_malformed_response_is_not_delivered) {
  malformed_response(responses[_i].raw);
  EXPECT(responses[_i].rule, c, JDG_PASS);
}
END_TEST

START_TEST(a_malformed_response_is_delivered) {
  malformed_response(responses[_i].raw);
  fx_event(&fx, c, CHORUS_EVENT_DELIVER, SERVER, NON(CODE_205, 7, "aa"), NULL, NULL, 0);
  EXPECT(responses[_i].rule, c, JDG_FAIL);
}
END_TEST

/* 0: at once, with a Message ID of nobody's; 1: much later; 2: a good message had that one. */
START_TEST(an_odd_reset_answers_another_version) {
  static const enum jdg_verdict verdicts[] = {JDG_FAIL, JDG_PASS, JDG_PASS};
  if (_i == 2) to_server(TESTER, SERVER, NON(GET, 0x4242, "bb", .path = "/x"));
  to_server(TESTER, SERVER, RAW("91010001aa"));
  later(_i == 1 ? 5000 : 5);
  fx_send(&fx, s, SERVER, TESTER, RST(0x4242));
  later(1000);
  EXPECT("COAP-3-01", s, verdicts[_i]);
}
END_TEST

/* 0: delivered at once; 1: something else is delivered, much later. */
START_TEST(another_version_is_not_delivered) {
  static const enum jdg_verdict verdicts[] = {JDG_FAIL, JDG_PASS};
  malformed_response("91450007aa");
  later(_i == 1 ? 5000 : 5);
  fx_event(&fx, c, CHORUS_EVENT_DELIVER, SERVER, NON(CODE_205, 7, "aa"), NULL, NULL, 0);
  EXPECT("COAP-3-01", c, verdicts[_i]);
}
END_TEST

START_TEST(other_protocols_are_not_held_against_anybody) {
  const char *to[] = {"[2001:db8::88]:5684", "[2001:db8::88]:5683"};
  fx_see(&fx, MEDIUM1, to[_i], RAW("16feff0000000000000000")); /* a DTLS handshake */
  EXPECT("COAP-3-01", fx_node_named(&fx, "2001:db8::77"), JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_capture_made_elsewhere_shows_a_wrong_version) {
  fx_see(&fx, MEDIUM1, MEDIUM2, RAW("91010001aa"));
  EXPECT("COAP-3-01", fx_node_named(&fx, "2001:db8::77"), JDG_FAIL);
}
END_TEST

/* What an answer repeats shows what it answers, where no request explains it. */
static const struct seen_case {
  const char *to, *sent, *answer;
  uint64_t after;
  enum jdg_verdict verdict;
} seen_cases[] = {
    {GROUP, "5101000aaaff", "51450063aa", 10, JDG_FAIL},            /* marker without payload */
    {MEDIUM2, "5101000aaaff", "51450063aa", 10, JDG_FAIL},          /* by unicast, too */
    {GROUP, "5101000aaaff", "51450063ab", 10, JDG_NOT_EXERCISED},   /* another Token */
    {GROUP, "5101000aaaff", "51450063aa", 8000, JDG_NOT_EXERCISED}, /* long after */
    {GROUP, "5000000a", "5084000a", 10, JDG_FAIL},                  /* Empty NON */
    {MEDIUM2, "5000000a", "5084000a", 10, JDG_FAIL},
    {GROUP, "5000000a", "50840063", 10, JDG_NOT_EXERCISED}, /* an ID of its own */
};

START_TEST(elsewhere_what_is_repeated_shows_what_is_answered) {
  const struct seen_case *k = &seen_cases[_i];
  fx_see(&fx, MEDIUM1, GROUP, NON(GET, 7, "01", .path = "/x")); /* an ordinary one before */
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 8, "01"));
  later(10);
  fx_see(&fx, MEDIUM1, k->to, RAW(k->sent));
  later(k->after);
  fx_see(&fx, MEDIUM2, MEDIUM1, RAW(k->answer));
  EXPECT("COAP-4.3-03", fx_node_named(&fx, "2001:db8::88"), k->verdict);
}
END_TEST

/* Who cuts a Token of 9 octets off answers with what fits. */
START_TEST(elsewhere_a_token_cut_off_is_recognised) {
  static const char *const tokens[] = {"3031323334353637", "3031323334353638", "303132"};
  static const enum jdg_verdict verdicts[] = {JDG_FAIL, JDG_PASS, JDG_PASS};
  later(10);
  fx_see(&fx, MEDIUM1, _i % 2 ? MEDIUM2 : GROUP, RAW("5901000a303132333435363738"));
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 99, tokens[_i / 2]));
  EXPECT("COAP-3-02", fx_node_named(&fx, "2001:db8::88"), verdicts[_i / 2]);
}
END_TEST

START_TEST(elsewhere_version_0_is_no_dtls_record) {
  fx_see(&fx, MEDIUM1, MEDIUM2, RAW("1101000aaa"));
  EXPECT("COAP-3-01", fx_node_named(&fx, "2001:db8::77"), JDG_FAIL);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_message_format");
  TCase *tests = new_case(suite, "format");
  tcase_add_loop_test(tests, of_a_sender, 0, COUNT(sent_cases));
  tcase_add_loop_test(tests, of_a_receiver, 0, COUNT(received_cases));
  tcase_add_loop_test(tests, a_reset_to_a_group_message_by_awareness, 0, 2);
  tcase_add_test(tests, an_answer_to_an_earlier_request_is_no_reaction);
  tcase_add_loop_test(tests, a_malformed_response_is_not_delivered, 0, COUNT(responses));
  tcase_add_loop_test(tests, a_malformed_response_is_delivered, 0, COUNT(responses));
  tcase_add_loop_test(tests, an_odd_reset_answers_another_version, 0, 3);
  tcase_add_loop_test(tests, another_version_is_not_delivered, 0, 2);
  tcase_add_loop_test(tests, other_protocols_are_not_held_against_anybody, 0, 2);
  tcase_add_test(tests, a_capture_made_elsewhere_shows_a_wrong_version);
  tcase_add_loop_test(tests, elsewhere_what_is_repeated_shows_what_is_answered, 0,
                      COUNT(seen_cases));
  tcase_add_loop_test(tests, elsewhere_a_token_cut_off_is_recognised, 0, 6);
  tcase_add_test(tests, elsewhere_version_0_is_no_dtls_record);
  return run_suite(suite);
}
