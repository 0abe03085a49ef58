/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-4.4-01, -03 and -04: Message IDs. */
#include "rules_message.h"

/* ---- COAP-4.4-01 ---- */

static const struct reuse_case {
  const char *to;
  struct fx_message second;
  chorus_time after;
  enum jdg_verdict verdict;
} reuse_cases[] = {
    {SERVER, {.type = DIS_NON, .code = GET, .mid = 1, .token = "bb"}, CHORUS_SECOND, JDG_FAIL},
    {SERVER,
     {.type = DIS_NON, .code = GET, .mid = 1, .token = "bb"},
     247 * CHORUS_SECOND - 1,
     JDG_FAIL},
    {SERVER,
     {.type = DIS_NON, .code = GET, .mid = 1, .token = "bb"},
     247 * CHORUS_SECOND,
     JDG_PASS},
    {SERVER, {.type = DIS_NON, .code = GET, .mid = 2, .token = "bb"}, CHORUS_SECOND, JDG_PASS},
    {SERVER,
     {.type = DIS_CON, .code = GET, .mid = 1, .token = "aa"},
     CHORUS_SECOND,
     JDG_PASS}, /* a copy */
    {TESTER,
     {.type = DIS_NON, .code = GET, .mid = 1, .token = "bb"},
     CHORUS_SECOND,
     JDG_PASS}, /* elsewhere */
};

START_TEST(of_a_message_id) {
  const struct reuse_case *k = &reuse_cases[_i];
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  fx.now += k->after;
  fx_send(&fx, c, CLIENT, k->to, &k->second);
  EXPECT("COAP-4.4-01", c, k->verdict);
}
END_TEST

START_TEST(an_acknowledgement_uses_the_others_message_id) {
  fx_receive(&fx, s, TESTER, SERVER, CON(GET, 1, "aa"));
  fx_send(&fx, s, SERVER, TESTER, ACK(CODE_205, 1, "aa"));
  fx_send(&fx, s, SERVER, TESTER, RST(1));
  EXPECT("COAP-4.4-01", s, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_response_may_use_the_message_id_of_its_request) {
  for (int i = 0; i < 2; i++) { /* the second answer differs: the client may have asked twice */
    to_server(TESTER, SERVER, NON(GET, 1, "aa", .path = "/x"));
    fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 1, "aa", .payload = i ? "b" : "a"));
    later(1000);
  }
  EXPECT("COAP-4.4-01", s, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_server_uses_one_twice) {
  to_server(TESTER, SERVER, NON(GET, 1, "aa", .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 50, "aa", .payload = "a"));
  to_server(TESTER, SERVER, NON(GET, 2, "ab", .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 50, "ab", .payload = "a"));
  EXPECT("COAP-4.4-01", s, JDG_FAIL);
}
END_TEST

START_TEST(after_a_start_chance_decides) {
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  later(1000);
  fx_event(&fx, c, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
  later(1000);
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "bb"));
  fx_close_at(&fx, 400000);
  const struct jdg_result *r = fx_result(&fx, "COAP-4.4-01", c);
  ck_assert_uint_eq(r->finding_total, 0);
}
END_TEST

START_TEST(somebody_elses_forgery_is_not_a_use) {
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  fx_send(&fx, t, CLIENT, SERVER, CON(PUT, 1, "aa")); /* the tester, in the name of the client */
  later(2000);
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  EXPECT("COAP-4.4-01", c, JDG_PASS);
}
END_TEST

/* A NON's lifetime is another one: of it more is in doubt. */
START_TEST(elsewhere_a_delay_may_hide_the_interval) {
  static const struct {
    int type;
    uint64_t after;
    bool sure;
  } cases[] = {{DIS_CON, 246500, false},
               {DIS_CON, 226000, true},
               {DIS_NON, 147000, false},
               {DIS_NON, 146999, true}};
  fx_see(&fx, MEDIUM1, MEDIUM2, FX(cases[_i].type, GET, 1, "aa"));
  later(cases[_i].after);
  fx_see(&fx, MEDIUM1, MEDIUM2, FX(cases[_i].type, GET, 1, "bb"));
  fx_close_at(&fx, 400000);
  const struct jdg_result *r = fx_result(&fx, "COAP-4.4-01", fx_node_named(&fx, "2001:db8::77"));
  ck_assert_int_eq(r->verdict == JDG_FAIL, cases[_i].sure);
}
END_TEST

/* ---- COAP-4.4-03 ---- */

static int from_one(unsigned i) {
  (void)i;
  return 1;
}
static int counting(unsigned i) {
  return (int)(i * 256u);
}
static int random_like(unsigned i) {
  return (int)((i * 40503u + i * i * 977u) & 0xffffu);
}
static int of_four(unsigned i) {
  return (int)((i * 7u) % 4u * 999u + (i == 5));
}

static const struct start_case {
  int (*mid)(unsigned);
  unsigned starts;
  enum jdg_verdict verdict;
} start_cases[] = {
    {from_one, 3, JDG_NOT_EXERCISED}, {from_one, 4, JDG_WARN},
    {counting, 20, JDG_WARN},         {of_four, 20, JDG_WARN},
    {random_like, 20, JDG_PASS},      {random_like, 19, JDG_NOT_EXERCISED},
};

START_TEST(of_first_message_ids) {
  const struct start_case *k = &start_cases[_i];
  for (unsigned i = 0; i < k->starts; i++) {
    fx_event(&fx, c, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
    later(1000);
    fx_send(&fx, c, CLIENT, GROUP, NON(GET, k->mid(i), "aa", .path = "/x"));
    fx_send(&fx, c, CLIENT, GROUP, NON(GET, k->mid(i) + 1, "ab", .path = "/x"));
    later(300000);
  }
  EXPECT("COAP-4.4-03", c, k->verdict);
}
END_TEST

/* ---- COAP-4.4-04: requests ---- */

#define FOREIGN "[2001:db8::bad]:5683"

static void request_and_foreign_reply(int type) {
  fx_event(&fx, c, CHORUS_EVENT_REQUEST, SERVER, CON(GET, 1, "aa"), NULL, NULL, 90 * CHORUS_SECOND);
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  fx_event(&fx, c, CHORUS_EVENT_REQUEST, SERVER, CON(GET, 1, "aa"), NULL, NULL, 90 * CHORUS_SECOND);
  later(100);
  fx_receive(&fx, c, FOREIGN, CLIENT, FX(type, 0, 1, ""));
}

START_TEST(a_foreign_reply_ends_the_request) {
  request_and_foreign_reply(_i ? DIS_ACK : DIS_RST);
  fx_event(&fx, c, CHORUS_EVENT_DONE, NULL, CON(GET, 1, "aa"), NULL, "timeout", 0);
  EXPECT("COAP-4.4-04", c, JDG_FAIL);
}
END_TEST

START_TEST(a_foreign_ack_ends_the_retransmissions) {
  request_and_foreign_reply(DIS_ACK);
  later(_i ? 90000 : 20000);
  fx_event(&fx, c, CHORUS_EVENT_DONE, NULL, CON(GET, 1, "aa"), NULL, "timeout", 0);
  EXPECT("COAP-4.4-04", c, _i ? JDG_FAIL : JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_foreign_reply_is_ignored) {
  request_and_foreign_reply(_i ? DIS_ACK : DIS_RST);
  later(2400);
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  EXPECT("COAP-4.4-04", c, JDG_PASS);
}
END_TEST

START_TEST(a_request_ends_for_another_reason) {
  fx_send(&fx, c, CLIENT, SERVER, CON(GET, 1, "aa"));
  fx_receive(&fx, c, _i == 0 ? SERVER : FOREIGN, CLIENT, RST(1));
  later(_i == 2 ? 5000 : 0);
  fx_event(&fx, c, CHORUS_EVENT_DONE, NULL, CON(GET, 1, "aa"), NULL,
           _i == 1 ? "cancelled" : "timeout", 0);
  EXPECT("COAP-4.4-04", c, JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-4.4-04: observations ---- */

static void notify(int mid, const char *sequence) {
  fx_send(&fx, s, SERVER, TESTER,
          NON(CODE_205, mid, "aa", .payload = sequence, .options = {{DIS_OBSERVE, sequence}}));
}

static void observed_and_reset_by(const char *who) {
  note(s);
  to_server(TESTER, SERVER, NON(GET, 1, "aa", .path = "/x", .options = {{DIS_OBSERVE, ""}}));
  notify(10, "01");
  later(1000);
  fx_receive(&fx, s, who, SERVER, RST(10));
  later(1000);
  fx_event(&fx, s, CHORUS_EVENT_STATE, NULL, NULL, "/x", NULL, 0);
}

START_TEST(a_foreign_reset_ends_the_observation) {
  observed_and_reset_by(FOREIGN);
  EXPECT("COAP-4.4-04", s, JDG_FAIL);
}
END_TEST

START_TEST(a_foreign_reset_does_not_end_the_observation) {
  observed_and_reset_by(FOREIGN);
  notify(11, "02");
  EXPECT("COAP-4.4-04", s, JDG_PASS);
}
END_TEST

START_TEST(the_observers_own_will) {
  observed_and_reset_by(_i ? FOREIGN : TESTER);
  if (_i)
    to_server(TESTER, SERVER, NON(GET, 2, "aa", .path = "/x", .options = {{DIS_OBSERVE, "01"}}));
  EXPECT("COAP-4.4-04", s, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_run_ends_too_early) {
  observed_and_reset_by(FOREIGN);
  fx_close_at(&fx, 50000);
  ck_assert_int_eq(fx_verdict(&fx, "COAP-4.4-04", s), JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-4.4-04: separate responses ---- */

/* A request whose separate response is sent |copies| times more. */
static void separate(int mid, const char *token, unsigned copies) {
  to_server(TESTER, SERVER, CON(GET, mid, token, .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER, ACK(0, mid, ""));
  later(3000);
  for (unsigned i = 0; i <= copies; i++) {
    fx_send(&fx, s, SERVER, TESTER, CON(CODE_205, mid + 100, token));
    later(2500u << i);
  }
}

static const struct separate_case {
  const char *name;
  int usual;       /* copies of a response before that nobody acknowledges; -1: there is none */
  const char *by;  /* who acknowledges the other one */
  unsigned copies; /* of that since */
  enum jdg_verdict verdict;
} separate_cases[] = {
    {"stopped", 4, FOREIGN, 0, JDG_FAIL},
    {"sent again", 4, FOREIGN, 1, JDG_PASS},
    {"acknowledged", 4, TESTER, 0, JDG_NOT_EXERCISED},
    {"never sent again", 0, FOREIGN, 0, JDG_NOT_EXERCISED},
    {"nothing to compare with", -1, FOREIGN, 0, JDG_INCONCLUSIVE},
};

START_TEST(a_foreign_reply_to_a_separate_response) {
  const struct separate_case *k = &separate_cases[_i / 2];
  if (k->usual >= 0) separate(1, "aa", (unsigned)k->usual);
  later(100000);
  separate(2, "bb", 0);
  fx_receive(&fx, s, k->by, SERVER, FX(_i % 2 ? DIS_RST : DIS_ACK, 0, 102, ""));
  later(100);
  for (unsigned i = 0; i < k->copies; i++) {
    fx_send(&fx, s, SERVER, TESTER, CON(CODE_205, 102, "bb"));
    later(5000);
  }
  EXPECT("COAP-4.4-04", s, k->verdict);
}
END_TEST

START_TEST(a_stopped_response_is_excused) {
  separate(1, "aa", 4);
  later(100000);
  separate(2, "bb", 0);
  fx_receive(&fx, s, FOREIGN, SERVER, FX(DIS_ACK, 0, 102, ""));
  later(1000);
  if (_i == 0) fx_event(&fx, s, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
  if (_i == 1) fx_receive(&fx, s, TESTER, SERVER, FX(DIS_ACK, 0, 102, ""));
  fx_close_at(&fx, fx.now / FX_MS + (_i == 2 ? 20000 : 400000)); /* at 2: before all were due */
  ck_assert_int_eq(fx_verdict(&fx, "COAP-4.4-04", s), JDG_NOT_EXERCISED);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_message_id");
  TCase *tests = new_case(suite, "id");
  tcase_add_loop_test(tests, of_a_message_id, 0, COUNT(reuse_cases));
  tcase_add_test(tests, an_acknowledgement_uses_the_others_message_id);
  tcase_add_test(tests, a_response_may_use_the_message_id_of_its_request);
  tcase_add_test(tests, a_server_uses_one_twice);
  tcase_add_test(tests, after_a_start_chance_decides);
  tcase_add_test(tests, somebody_elses_forgery_is_not_a_use);
  tcase_add_loop_test(tests, elsewhere_a_delay_may_hide_the_interval, 0, 4);
  tcase_add_loop_test(tests, of_first_message_ids, 0, COUNT(start_cases));
  tcase_add_loop_test(tests, a_foreign_reply_ends_the_request, 0, 2);
  tcase_add_loop_test(tests, a_foreign_ack_ends_the_retransmissions, 0, 2);
  tcase_add_loop_test(tests, a_foreign_reply_is_ignored, 0, 2);
  tcase_add_loop_test(tests, a_request_ends_for_another_reason, 0, 3);
  tcase_add_test(tests, a_foreign_reset_ends_the_observation);
  tcase_add_test(tests, a_foreign_reset_does_not_end_the_observation);
  tcase_add_loop_test(tests, the_observers_own_will, 0, 2);
  tcase_add_test(tests, the_run_ends_too_early);
  tcase_add_loop_test(tests, a_foreign_reply_to_a_separate_response, 0, 2 * COUNT(separate_cases));
  tcase_add_loop_test(tests, a_stopped_response_is_excused, 0, 3);
  return run_suite(suite);
}
