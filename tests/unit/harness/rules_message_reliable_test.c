/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-4.2-01 and -02: Confirmable messages are answered, and sent again in time. */
#include "rules_message.h"

/* ---- COAP-4.2-01 ---- */

static const struct fx_message con_request = {.code = GET, .mid = 1, .token = "aa", .path = "/x"};

/* The CON comes |tries| times, 2.5 s, 5 s, ... apart. */
static void tries(unsigned count, const struct fx_message *m) {
  for (unsigned i = 0; i < count; i++) {
    to_server(TESTER, SERVER, m);
    later(2500u << i);
  }
}

/* Something else that shows that the server is there. */
static void sign_of_life(int mid) {
  to_server(TESTER, SERVER, NON(GET, mid, "ee", .path = "/y"));
  later(10);
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, mid + 1, "ee"));
  later(10);
}

static const struct con_case {
  const char *name;
  const struct fx_message message;
  unsigned tries;
  bool alive;
  const struct fx_message *answer;
  enum jdg_verdict verdict;
} con_cases[] = {
    {"no answer to three", {.code = GET, .mid = 1, .token = "aa"}, 3, true, NULL, JDG_FAIL},
    {"no answer to one", {.code = GET, .mid = 1, .token = "aa"}, 1, true, NULL, JDG_INCONCLUSIVE},
    {"dead after three", {.code = GET, .mid = 1, .token = "aa"}, 3, false, NULL, JDG_NOT_EXERCISED},
    {"no answer to a ping", {.code = 0, .mid = 1, .token = ""}, 3, true, NULL, JDG_FAIL},
    {"a NON needs none",
     {.type = DIS_NON, .code = GET, .mid = 1, .token = "aa"},
     3,
     true,
     NULL,
     JDG_NOT_EXERCISED},
    {"version 2", {.raw = "81010001aa"}, 3, true, NULL, JDG_NOT_EXERCISED},
};

START_TEST(silence_after_a_con) {
  const struct con_case *k = &con_cases[_i];
  sign_of_life(100);
  tries(k->tries, &k->message);
  if (k->alive) sign_of_life(200);
  EXPECT("COAP-4.2-01", s, k->verdict);
}
END_TEST

/* A server that sends nothing at all; that it was there is shown by what its application says. */
static void executes(int mid, const char *token) {
  fx_event(&fx, s, CHORUS_EVENT_EXECUTE, TESTER, FX(DIS_CON, GET, mid, token), "/x", NULL, 0);
}

static const struct told_case {
  const char *name;
  unsigned tries;
  bool first, last; /* the execution of the request, and of another one after it */
  enum jdg_verdict verdict;
} told_cases[] = {
    {"three tries, alive after", 3, true, true, JDG_FAIL},
    {"dead after the first", 3, true, false, JDG_INCONCLUSIVE},
    {"one try, alive after", 1, true, true, JDG_INCONCLUSIVE},
    {"never executed: not at this port, maybe", 3, false, true, JDG_NOT_EXERCISED},
};

START_TEST(an_application_shows_that_a_silent_server_is_there) {
  const struct told_case *k = &told_cases[_i];
  to_server(TESTER, SERVER, &con_request);
  if (k->first) executes(1, "aa");
  later(2500);
  tries(k->tries - 1, &con_request);
  if (k->last) {
    to_server(TESTER, "[2001:db8::1]:5684", NON(GET, 2, "bb", .path = "/x"));
    fx_event(&fx, s, CHORUS_EVENT_EXECUTE, TESTER, NON(GET, 2, "bb"), "/x", NULL, 0);
  }
  EXPECT("COAP-4.2-01", s, k->verdict);
}
END_TEST

/* coap-rs answers a Confirmable request for a block with a NON that has the request's Message ID.
 */
START_TEST(a_response_is_no_acknowledgement) {
  static const struct {
    int mid;
    const char *token;
    bool acknowledged;
    enum jdg_verdict verdict;
  } cases[] = {{1, "aa", false, JDG_FAIL},
               {1, "aa", true, JDG_PASS},
               {2, "aa", false, JDG_INCONCLUSIVE},
               {1, "bb", false, JDG_INCONCLUSIVE}};
  sign_of_life(100);
  to_server(TESTER, SERVER, &con_request);
  later(10);
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, cases[_i].mid, cases[_i].token));
  if (cases[_i].acknowledged) fx_send(&fx, s, SERVER, TESTER, FX(DIS_ACK, 0, 1, ""));
  later(5000);
  sign_of_life(200);
  EXPECT("COAP-4.2-01", s, cases[_i].verdict);
}
END_TEST

static const struct answer_case {
  const char *raw;
  int type, mid;
  enum jdg_verdict verdict;
} answer_cases[] = {
    {"41010001aa", DIS_ACK, 1, JDG_PASS},
    {"41010001aa", DIS_RST, 1, JDG_PASS},
    {"40000001", DIS_RST, 1, JDG_PASS}, /* ping */
    {"40000001", DIS_ACK, 1, JDG_FAIL}, /* ping acknowledged */
    {"41010001aaff", DIS_RST, 1, JDG_PASS},
    {"41010001aaff", DIS_ACK, 1, JDG_FAIL}, /* malformed, acknowledged */
    {"41010001aa", DIS_ACK, 2, JDG_FAIL},   /* another Message ID: no answer at all */
};

START_TEST(answers_to_a_con) {
  const struct answer_case *k = &answer_cases[_i];
  sign_of_life(100);
  for (unsigned i = 0; i < 3; i++) {
    to_server(TESTER, SERVER, RAW(k->raw));
    later(100);
    fx_send(&fx, s, SERVER, TESTER, FX(k->type, 0, k->mid, ""));
    later(2500);
  }
  sign_of_life(200);
  EXPECT("COAP-4.2-01", s, k->verdict);
}
END_TEST

/* What was rejected leaves its Message ID to a message that need not be. */
START_TEST(a_rejected_message_id_is_used_again) {
  to_server(TESTER, SERVER, RAW("41010001aaff"));
  fx_send(&fx, s, SERVER, TESTER, RST(1));
  later(60000);
  to_server(TESTER, SERVER, _i ? RAW("41010001bbff") : RAW("41010001bb"));
  fx_send(&fx, s, SERVER, TESTER, ACK(CODE_205, 1, "bb"));
  EXPECT("COAP-4.2-01", s, _i ? JDG_FAIL : JDG_PASS);
}
END_TEST

/* The answer is a MUST once, to each of its duplicates a SHOULD (RFC 7252, section 4.5). */
START_TEST(duplicates_of_an_answered_con) {
  static const enum jdg_verdict verdicts[] = {JDG_PASS, JDG_PASS, JDG_WARN};
  sign_of_life(100);
  tries(1, &con_request);
  fx_send(&fx, s, SERVER, TESTER, FX(DIS_ACK, 0, 1, ""));
  later(10);
  tries(_i == 0 ? 0 : _i == 1 ? 2 : 3, &con_request);
  sign_of_life(200);
  EXPECT("COAP-4.2-01", s, verdicts[_i]);
}
END_TEST

START_TEST(silence_is_excused) {
  sign_of_life(100);
  if (_i == 0) fx_event(&fx, s, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
  later(1);
  tries(2, &con_request);
  if (_i == 1) fx_event(&fx, s, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
  if (_i == 2) fx_receive(&fx, s, TESTER, GROUP, &con_request); /* to a group: not answered */
  tries(_i == 2 ? 0 : 1, &con_request);
  sign_of_life(200);
  static const enum jdg_verdict verdicts[] = {JDG_FAIL, JDG_NOT_EXERCISED, JDG_INCONCLUSIVE};
  EXPECT("COAP-4.2-01", s, verdicts[_i]);
}
END_TEST

START_TEST(a_client_does_not_acknowledge_a_response) {
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  for (unsigned i = 0; i < 3; i++) {
    later(2500u << i);
    fx_receive(&fx, c, SERVER, CLIENT, CON(CODE_205, 7, "aa"));
  }
  later(10);
  if (_i) fx_send(&fx, c, CLIENT, SERVER, ACK(0, 7, ""));
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 2, "ab", .path = "/x"));
  EXPECT("COAP-4.2-01", c, _i ? JDG_PASS : JDG_FAIL);
}
END_TEST

START_TEST(a_reset_is_empty_and_an_ack_no_request) {
  fx_send(&fx, s, SERVER, TESTER, RAW(_i ? "71450001aa" : "61010001aa"));
  EXPECT("COAP-4.2-01", s, JDG_FAIL);
}
END_TEST

START_TEST(elsewhere_only_answers_count) {
  fx_see(&fx, MEDIUM1, MEDIUM2, &con_request);
  if (_i) fx_see(&fx, MEDIUM2, MEDIUM1, ACK(0, 1, ""));
  EXPECT("COAP-4.2-01", fx_node_named(&fx, "2001:db8::88"), _i ? JDG_PASS : JDG_NOT_EXERCISED);
}
END_TEST

/* An Empty or malformed CON is to be rejected; an ACK, with or without a response, is wrong. */
static const struct seen_ack {
  const char *con, *ack;
  enum jdg_verdict verdict;
} seen_acks[] = {
    {"40000001", "60000001", JDG_FAIL},
    {"40000001", "60840001", JDG_FAIL}, /* 4.04 in it */
    {"40000001", "70000001", JDG_PASS},
    {"41010001aaff", "61450001aa", JDG_FAIL},
    {"41010001aa", "61450001aa", JDG_PASS},
    {"80000001", "60000001", JDG_NOT_EXERCISED}, /* another version: not CoAP at all */
};

START_TEST(elsewhere_a_wrong_ack_is_seen) {
  const struct seen_ack *k = &seen_acks[_i];
  fx_see(&fx, MEDIUM1, MEDIUM2, NON(GET, 7, "", .path = "/x")); /* another one without Token */
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 8, ""));
  later(10);
  fx_see(&fx, MEDIUM1, MEDIUM2, RAW(k->con));
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, RAW(k->ack));
  EXPECT("COAP-4.2-01", fx_node_named(&fx, "2001:db8::88"), k->verdict);
}
END_TEST

/* One ACK may be lost on the way to the capture; not three, and nothing else. */
START_TEST(elsewhere_responses_without_ack) {
  static const struct {
    int requests, acked;
    enum jdg_verdict verdict;
  } cases[] = {{2, 0, JDG_NOT_EXERCISED},
               {3, 0, JDG_FAIL},
               {6, 3, JDG_PASS},
               {7, 3, JDG_FAIL},
               {4, 4, JDG_PASS}};
  for (int i = 0; i < cases[_i].requests; i++) {
    char token[12];
    snprintf(token, sizeof token, "%08x", (unsigned)i);
    fx_see(&fx, MEDIUM1, MEDIUM2, CON(GET, i, token, .path = "/x"));
    later(10);
    fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 100 + i, token));
    later(10);
    if (i < cases[_i].acked) fx_see(&fx, MEDIUM2, MEDIUM1, ACK(0, i, "")); /* overtaken */
    later(980);
  }
  EXPECT("COAP-4.2-01", fx_node_named(&fx, "2001:db8::88"), cases[_i].verdict);
}
END_TEST

/* The ACK of the registration was not captured; notifications are no requests without ACK. */
START_TEST(elsewhere_notifications_need_no_ack) {
  fx_see(&fx, MEDIUM1, MEDIUM2, CON(GET, 1, "aa", .path = "/x", .options = {{DIS_OBSERVE, ""}}));
  for (int i = 0; i < 5; i++) {
    later(2000);
    const char *number[] = {"02", "03", "04", "05", "06"};
    fx_see(&fx, MEDIUM2, MEDIUM1,
           NON(CODE_205, 100 + i, "aa", .options = {{DIS_OBSERVE, number[i]}}));
  }
  EXPECT("COAP-4.2-01", fx_node_named(&fx, "2001:db8::88"), JDG_NOT_EXERCISED);
}
END_TEST

/* One request, answered again and again. */
START_TEST(elsewhere_one_request_is_one) {
  fx_see(&fx, MEDIUM1, MEDIUM2, CON(GET, 1, "aa", .path = "/x"));
  for (int i = 0; i < 5; i++) {
    later(2000);
    fx_see(&fx, MEDIUM2, MEDIUM1, NON(CODE_205, 100 + i, "aa"));
  }
  EXPECT("COAP-4.2-01", fx_node_named(&fx, "2001:db8::88"), JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-4.2-02 ---- */

#define RETRANSMISSIONS 6

static const struct back_off {
  const char *name;
  uint64_t gaps_ms[RETRANSMISSIONS]; /* 0 ends */
  enum jdg_verdict verdict;
} back_offs[] = {
    {"fastest", {2000, 4000, 8000, 16000}, JDG_PASS},
    {"slowest", {3000, 6000, 12000, 24000}, JDG_PASS},
    {"constant 2 s", {2000, 2000, 2000, 2000}, JDG_FAIL},
    {"constant 3 s", {3000, 3000, 3000, 3000}, JDG_FAIL},
    {"too early", {1949}, JDG_FAIL},
    {"just not too early", {1950}, JDG_PASS},
    {"five", {2000, 4000, 8000, 16000, 10000}, JDG_FAIL},
    {"too late", {3000, 6000, 12000, 24051}, JDG_FAIL},
    {"just not too late", {3000, 6000, 12000, 24050}, JDG_PASS},
    {"late once, then caught up", {4500, 3000, 8000, 16000}, JDG_PASS},
    {"given up", {2500, 5000}, JDG_PASS},
    {"once", {0}, JDG_NOT_EXERCISED},
};

static void retransmit(void (*send)(const struct fx_message *), const struct fx_message *m,
                       const uint64_t *gaps) {
  send(m);
  for (unsigned i = 0; i < RETRANSMISSIONS && gaps[i]; i++) {
    later(gaps[i]);
    send(m);
  }
}

static void client_sends(const struct fx_message *m) {
  fx_send(&fx, c, CLIENT, SERVER, m);
}

static void server_sends(const struct fx_message *m) {
  fx_send(&fx, s, SERVER, CLIENT, m);
}

static void elsewhere(const struct fx_message *m) {
  fx_see(&fx, MEDIUM1, MEDIUM2, m);
}

START_TEST(back_off_of_a_client) {
  retransmit(client_sends, CON(GET, 1, "aa", .path = "/x"), back_offs[_i].gaps_ms);
  EXPECT("COAP-4.2-02", c, back_offs[_i].verdict);
}
END_TEST

START_TEST(back_off_of_a_server) {
  retransmit(server_sends, CON(CODE_205, 1, "aa"), back_offs[_i].gaps_ms);
  EXPECT("COAP-4.2-02", s, back_offs[_i].verdict);
}
END_TEST

START_TEST(delays_of_the_network_are_not_the_senders) {
  static const uint64_t early[RETRANSMISSIONS] = {700}, duplicate[RETRANSMISSIONS] = {20};
  retransmit(elsewhere, CON(GET, 1, "aa", .path = "/x"), _i ? duplicate : early);
  EXPECT("COAP-4.2-02", fx_node_named(&fx, "2001:db8::77"),
         _i ? JDG_NOT_EXERCISED : JDG_INCONCLUSIVE);
}
END_TEST

/* What cannot be the network's doing, and what can. */
static const struct back_off seen_back_offs[] = {
    {"as it should be", {2500, 5000, 10000, 20000}, JDG_PASS},
    {"some not captured", {7500, 30000}, JDG_PASS},
    {"late once, then caught up", {5000, 2500, 10000}, JDG_PASS},
    {"constant 2 s", {2000, 2000, 2000, 2000}, JDG_FAIL},
    {"constant 3 s", {3000, 3000, 3000, 3000}, JDG_FAIL},
    {"from half a second", {500, 1000, 2000, 4000}, JDG_FAIL},
    {"one duplicate", {900}, JDG_INCONCLUSIVE},
    {"a slow duplicate", {1100}, JDG_INCONCLUSIVE},
    {"five", {2000, 4000, 8000, 16000, 10000}, JDG_FAIL},
    {"four and a duplicate", {2000, 4000, 8000, 16000, 1500}, JDG_PASS},
    {"long after", {2500, 90000}, JDG_FAIL},
    {"from 1 s", {1200, 2400, 4800, 9600}, JDG_INCONCLUSIVE}, /* ACK_TIMEOUT is configured */
    {"from 3 s", {4200, 8400, 16800, 33600}, JDG_PASS},
    {"from 10 s", {12000, 24000, 48000}, JDG_PASS},
    {"from 3 s, one not captured", {12600, 16800, 33600}, JDG_PASS},
    {"six", {2000, 4000, 8000, 16000, 32000, 64000}, JDG_PASS}, /* MAX_RETRANSMIT */
    {"from 10 s, and no doubling", {12000, 12000, 12000, 12000}, JDG_FAIL},
};

START_TEST(back_off_seen_elsewhere) {
  retransmit(elsewhere, CON(GET, 1, "aa", .path = "/x"), seen_back_offs[_i].gaps_ms);
  EXPECT("COAP-4.2-02", fx_node_named(&fx, "2001:db8::77"), seen_back_offs[_i].verdict);
}
END_TEST

/* Two programs at one address, both with the same Message ID: neither is early. */
START_TEST(clients_at_one_address_are_told_apart) {
  const struct fx_message *m = CON(GET, 1, "aa", .path = "/x");
  for (unsigned i = 0; i < 2; i++) {
    fx_see(&fx, MEDIUM1, MEDIUM2, m);
    later(1200);
    fx_see(&fx, "[2001:db8::77]:50001", MEDIUM2, m);
    later(i ? 4800 : 1300);
  }
  fx_see(&fx, MEDIUM1, MEDIUM2, m);
  EXPECT("COAP-4.2-02", fx_node_named(&fx, "2001:db8::77"), JDG_PASS);
}
END_TEST

START_TEST(non_copies_follow_other_rules) {
  static const uint64_t gaps[RETRANSMISSIONS] = {100, 100, 100};
  retransmit(client_sends, NON(GET, 1, "aa", .path = "/x"), gaps);
  EXPECT("COAP-4.2-02", c, JDG_NOT_EXERCISED);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_message_reliable");
  TCase *tests = new_case(suite, "reliable");
  tcase_add_loop_test(tests, silence_after_a_con, 0, COUNT(con_cases));
  tcase_add_loop_test(tests, an_application_shows_that_a_silent_server_is_there, 0,
                      COUNT(told_cases));
  tcase_add_loop_test(tests, a_response_is_no_acknowledgement, 0, 4);
  tcase_add_loop_test(tests, answers_to_a_con, 0, COUNT(answer_cases));
  tcase_add_loop_test(tests, a_rejected_message_id_is_used_again, 0, 2);
  tcase_add_loop_test(tests, duplicates_of_an_answered_con, 0, 3);
  tcase_add_loop_test(tests, silence_is_excused, 0, 3);
  tcase_add_loop_test(tests, a_client_does_not_acknowledge_a_response, 0, 2);
  tcase_add_loop_test(tests, a_reset_is_empty_and_an_ack_no_request, 0, 2);
  tcase_add_loop_test(tests, elsewhere_only_answers_count, 0, 2);
  tcase_add_loop_test(tests, elsewhere_a_wrong_ack_is_seen, 0,
                      sizeof seen_acks / sizeof seen_acks[0]);
  tcase_add_loop_test(tests, back_off_of_a_client, 0, COUNT(back_offs));
  tcase_add_loop_test(tests, back_off_of_a_server, 0, COUNT(back_offs));
  tcase_add_loop_test(tests, delays_of_the_network_are_not_the_senders, 0, 2);
  tcase_add_loop_test(tests, elsewhere_responses_without_ack, 0, 5);
  tcase_add_test(tests, elsewhere_notifications_need_no_ack);
  tcase_add_test(tests, elsewhere_one_request_is_one);
  tcase_add_test(tests, clients_at_one_address_are_told_apart);
  tcase_add_loop_test(tests, back_off_seen_elsewhere, 0, COUNT(seen_back_offs));
  tcase_add_test(tests, non_copies_follow_other_rules);
  return run_suite(suite);
}
