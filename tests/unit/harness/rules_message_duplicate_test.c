/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-4.5-01, COAP-4.5-02, COAP-5.1-01: copies, and what may be repeated; COAP-4.6-01 to 4.8.1-01.
 */
#include "rules/constants.h"
#include "rules_message.h"

/* ---- COAP-4.5-01, COAP-4.5-02 ---- */

static void execute(const struct fx_message *m) {
  fx_event(&fx, s, CHORUS_EVENT_EXECUTE, TESTER, m, m->path, NULL, 0);
}

static void idempotent(struct jdg_ics *ics) {
  snprintf(ics->resources[0].path, sizeof ics->resources[0].path, "/x");
  ics->resources[0].idempotent_post = JDG_YES;
  ics->resource_count = 1;
}

static const struct copy_case {
  const char *rule;
  int type, code;
  bool copy, again, declared, restart;
  enum jdg_verdict verdict;
} copy_cases[] = {
    {"COAP-4.5-01", DIS_CON, POST, true, true, false, false, JDG_WARN},
    {"COAP-4.5-01", DIS_CON, POST, true, false, false, false, JDG_PASS},
    {"COAP-4.5-01", DIS_CON, PUT, true, true, false, false, JDG_PASS},
    {"COAP-4.5-01", DIS_CON, POST, true, true, true, false, JDG_PASS},
    {"COAP-4.5-01", DIS_CON, POST, false, false, false, false, JDG_NOT_EXERCISED},
    {"COAP-4.5-01", DIS_NON, POST, true, true, false, false, JDG_NOT_EXERCISED},
    {"COAP-4.5-02", DIS_NON, POST, true, true, false, false, JDG_WARN},
    {"COAP-4.5-02", DIS_NON, POST, true, false, false, false, JDG_PASS},
    {"COAP-4.5-02", DIS_NON, GET, true, true, false, false, JDG_PASS},
    {"COAP-4.5-02", DIS_NON, POST, true, true, true, false, JDG_PASS},
    {"COAP-4.5-02", DIS_NON, POST, false, false, false, false, JDG_NOT_EXERCISED},
    {"COAP-4.5-02", DIS_CON, POST, true, true, false, false, JDG_NOT_EXERCISED},
};

START_TEST(of_a_request) {
  const struct copy_case *k = &copy_cases[_i];
  const struct fx_message *m = FX(k->type, k->code, 1, "aa", .path = "/x");
  if (k->declared) declare(s, idempotent);
  to_server(TESTER, SERVER, m);
  execute(m);
  later(1000);
  if (k->copy) to_server(TESTER, SERVER, m);
  if (k->again) execute(m);
  EXPECT(k->rule, s, k->verdict);
}
END_TEST

/* 0: no ACK for the copies; 1: for one; 2: the ACK came after the copies, and serves them all; 3:
 * the copy is too fresh; 4: not the server's own view. */
START_TEST(copies_are_acknowledged) {
  static const enum jdg_verdict verdicts[] = {JDG_WARN, JDG_PASS, JDG_PASS, JDG_PASS,
                                              JDG_NOT_EXERCISED};
  const struct fx_message *m = CON(POST, 1, "aa", .path = "/x"), *ack = ACK(CODE_204, 1, "aa");
  if (_i == 4) {
    fx_see(&fx, MEDIUM1, MEDIUM2, m);
    fx_see(&fx, MEDIUM2, MEDIUM1, ack);
    later(2000);
    fx_see(&fx, MEDIUM1, MEDIUM2, m);
    EXPECT("COAP-4.5-01", fx_node_named(&fx, "2001:db8::88"), verdicts[_i]);
    return;
  }
  to_server(TESTER, SERVER, m);
  execute(m);
  if (_i != 2) fx_send(&fx, s, SERVER, TESTER, ack);
  later(_i == 3 ? 6000 : 2000);
  to_server(TESTER, SERVER, m);
  if (_i == 1 || _i == 2) fx_send(&fx, s, SERVER, TESTER, ack);
  EXPECT("COAP-4.5-01", s, verdicts[_i]);
}
END_TEST

/* Without events: what the answers to the message and to its copy show. */
static const struct seen_case {
  int type, code;
  bool copy, group;
  const struct fx_message *first, *second;
  enum jdg_verdict verdict;
} seen_cases[] = {
    {DIS_CON, POST, true, false, ACK(CODE_204, 1, "aa", .payload = "1"),
     ACK(CODE_204, 1, "aa", .payload = "2"), JDG_WARN},
    {DIS_CON, POST, true, false, ACK(CODE_204, 1, "aa"), ACK(CODE_204, 1, "aa"), JDG_PASS},
    {DIS_CON, POST, true, false, ACK(0, 1, ""), ACK(CODE_204, 1, "aa"), JDG_NOT_EXERCISED},
    {DIS_CON, PUT, true, false, ACK(CODE_204, 1, "aa", .payload = "1"),
     ACK(CODE_204, 1, "aa", .payload = "2"), JDG_NOT_EXERCISED},
    {DIS_NON, POST, true, false, NON(CODE_204, 7, "aa"), NON(CODE_204, 8, "aa"), JDG_WARN},
    {DIS_NON, POST, true, true, NON(CODE_204, 7, "aa"), NON(CODE_204, 8, "aa"), JDG_WARN},
    {DIS_NON, POST, true, true, NON(CODE_204, 7, "aa"), NON(CODE_204, 7, "aa"), JDG_NOT_EXERCISED},
    {DIS_NON, POST, false, true, NON(CODE_204, 7, "aa"), NON(CODE_204, 8, "aa"), JDG_NOT_EXERCISED},
    {DIS_NON, GET, true, true, NON(CODE_205, 7, "aa"), NON(CODE_205, 8, "aa"), JDG_NOT_EXERCISED},
};

START_TEST(of_answers_seen_elsewhere) {
  const struct seen_case *k = &seen_cases[_i];
  const struct fx_message *m = FX(k->type, k->code, 1, "aa", .path = "/x");
  const char *to = k->group ? GROUP : MEDIUM2;
  fx_see(&fx, MEDIUM1, to, m);
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, k->first);
  later(2490);
  fx_see(&fx, MEDIUM1, to, k->copy ? m : NON(GET, 2, "bb", .path = "/x"));
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, k->second);
  EXPECT(k->type == DIS_CON ? "COAP-4.5-01" : "COAP-4.5-02", fx_node_named(&fx, "2001:db8::88"),
         k->verdict);
}
END_TEST

START_TEST(elsewhere_old_messages_may_be_new_ones) {
  static const struct {
    int type;
    uint64_t after;
    enum jdg_verdict verdict;
  } cases[] = {{DIS_NON, 144900, JDG_WARN},
               {DIS_NON, 145000, JDG_NOT_EXERCISED},
               {DIS_CON, 45000, JDG_WARN},
               {DIS_CON, 247000, JDG_NOT_EXERCISED}};
  int type = cases[_i].type;
  const struct fx_message *m = FX(type, POST, 1, "aa", .path = "/x");
  fx_see(&fx, MEDIUM1, MEDIUM2, m);
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1, type == DIS_CON ? ACK(CODE_204, 1, "aa") : NON(CODE_204, 7, "aa"));
  later(cases[_i].after - 10);
  fx_see(&fx, MEDIUM1, MEDIUM2, m);
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1,
         type == DIS_CON ? ACK(CODE_204, 1, "aa", .payload = "2") : NON(CODE_204, 8, "aa"));
  EXPECT(type == DIS_CON ? "COAP-4.5-01" : "COAP-4.5-02", fx_node_named(&fx, "2001:db8::88"),
         cases[_i].verdict);
}
END_TEST

START_TEST(a_start_in_between_excuses) {
  const struct fx_message *m = NON(POST, 1, "aa", .path = "/x");
  to_server(TESTER, SERVER, m);
  execute(m);
  later(1000);
  fx_event(&fx, s, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
  to_server(TESTER, SERVER, m);
  execute(m);
  fx_close_at(&fx, 60000);
  ck_assert_int_ne(fx_verdict(&fx, "COAP-4.5-02", s), JDG_WARN);
}
END_TEST

static const struct age_case {
  chorus_time after;
  enum jdg_verdict verdict;
} age_cases[] = {
    {145 * CHORUS_SECOND - 1, JDG_WARN},
    {145 * CHORUS_SECOND, JDG_NOT_EXERCISED},
};

START_TEST(after_non_lifetime_it_is_a_new_message) {
  const struct fx_message *m = NON(POST, 1, "aa", .path = "/x");
  to_server(TESTER, SERVER, m);
  execute(m);
  fx.now += age_cases[_i].after;
  to_server(TESTER, SERVER, m);
  execute(m);
  EXPECT("COAP-4.5-02", s, age_cases[_i].verdict);
}
END_TEST

START_TEST(of_a_response) {
  const char *rule = _i < 2 ? "COAP-4.5-02" : "COAP-4.5-01";
  const struct fx_message *m = FX(_i < 2 ? DIS_NON : DIS_CON, CODE_205, 7, "aa");
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  for (int i = 0; i < 2; i++) {
    fx_receive(&fx, c, SERVER, CLIENT, m);
    if (i == 0 || _i % 2 == 0) fx_event(&fx, c, CHORUS_EVENT_DELIVER, SERVER, m, NULL, NULL, 0);
    later(50);
  }
  EXPECT(rule, c, _i % 2 ? JDG_PASS : JDG_WARN);
}
END_TEST

/* ---- COAP-5.1-01 ---- */

static void state(const char *payload) {
  fx_event(&fx, s, CHORUS_EVENT_STATE, NULL, &(struct fx_message){.payload = payload}, "/x", NULL,
           0);
}

static void ask(int code, int mid, const char *payload) {
  const struct fx_message *m = NON(code, mid, "aa", .path = "/x", .payload = payload);
  later(1000);
  to_server(TESTER, SERVER, m);
  execute(m);
}

START_TEST(of_gets) {
  for (int i = 0; i < 3; i++) {
    ask(GET, i, NULL);
    if (_i == 2) later(1); /* the application's own change, a little later */
    if (_i > 0) state(i % 2 ? "on" : "off");
  }
  EXPECT("COAP-5.1-01", s, _i == 1 ? JDG_FAIL : JDG_PASS);
}
END_TEST

START_TEST(one_change_that_a_get_made_is_enough) {
  ask(GET, 1, NULL);
  fx_event(&fx, s, CHORUS_EVENT_STATE, NULL, NULL, "/x", "request", 0);
  EXPECT("COAP-5.1-01", s, JDG_FAIL);
}
END_TEST

START_TEST(one_change_after_a_get_is_chance) {
  ask(GET, 1, NULL);
  state("on");
  EXPECT("COAP-5.1-01", s, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(of_puts) {
  ask(PUT, 1, "a");
  state("a");
  if (_i == 2) state("other"); /* something else in between */
  ask(PUT, 2, "a");
  if (_i == 1) state("aa"); /* appended */
  if (_i == 2) state("aa");
  static const enum jdg_verdict verdicts[] = {JDG_PASS, JDG_FAIL, JDG_NOT_EXERCISED};
  EXPECT("COAP-5.1-01", s, verdicts[_i]);
}
END_TEST

/* The application says that it was not the request, however close to it. */
START_TEST(an_own_change_at_the_same_instant) {
  const struct fx_message other = {.payload = "other"};
  ask(PUT, 1, "a");
  state("a");
  ask(PUT, 2, "a");
  fx_event(&fx, s, CHORUS_EVENT_STATE, NULL, &other, "/x", "set", 0);
  EXPECT("COAP-5.1-01", s, JDG_PASS);
}
END_TEST

START_TEST(posts_may_do_anything) {
  for (int i = 0; i < 3; i++) {
    ask(POST, i, "a");
    state(i % 2 ? "on" : "off");
  }
  EXPECT("COAP-5.1-01", s, JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-4.6-01 ---- */

static const struct size_case {
  size_t payload; /* the message has 6 octets more */
  enum jdg_verdict verdict;
} size_cases[] = {{0, JDG_PASS}, {1024, JDG_PASS}, {1146, JDG_PASS}, {1147, JDG_WARN}};

START_TEST(of_a_size) {
  char payload[1200] = {0};
  memset(payload, 'x', size_cases[_i].payload);
  fx_send(&fx, s, SERVER, TESTER,
          NON(CODE_205, 1, "aa", .payload = size_cases[_i].payload ? payload : NULL));
  EXPECT("COAP-4.6-01", s, size_cases[_i].verdict);
}
END_TEST

START_TEST(who_sends_nothing_sends_nothing_large) {
  EXPECT("COAP-4.6-01", s, JDG_NOT_EXERCISED);
}
END_TEST

/* An IPv6 packet of |length| octets with a fragment header: offset in octets, more to come or not.
 */
static void fragment(size_t offset, bool more, const uint8_t *octets, size_t length) {
  struct chorus_endpoint from = fx_endpoint(SERVER), to = fx_endpoint(TESTER);
  uint8_t p[1500] = {0x60};
  fx_word(p + 4, length + 8);
  p[6] = 44;
  p[7] = 64;
  memcpy(p + 8, from.address, 16);
  memcpy(p + 24, to.address, 16);
  p[40] = 17;
  fx_word(p + 42, offset | more);
  p[47] = 1;
  memcpy(p + 48, octets, length);
  struct cap_packet packet = {.frame = ++fx.frame,
                              .interface = s,
                              .link_type = 101,
                              .time = fx.now,
                              .direction = DIS_OUTBOUND,
                              .data = p,
                              .length = 48 + length,
                              .original_length = 48 + length};
  jdg_packet(fx.judge, &packet);
}

/* A small message in fragments shows a narrow link; a large one would need them anywhere. */
START_TEST(of_fragments) {
  struct chorus_endpoint from = fx_endpoint(SERVER), to = fx_endpoint(TESTER);
  uint8_t coap[1500], packet[1600];
  char payload[1401] = {0};
  memset(payload, 'x', _i ? 1400 : 800);
  size_t n = fx_build(NON(CODE_205, 1, "aa", .payload = payload), coap);
  n = fx_packet(&from, &to, coap, n, packet) - 40;
  fragment(0, true, packet + 40, 400);
  fragment(400, false, packet + 440, n - 400);
  EXPECT("COAP-4.6-01", s, _i ? JDG_WARN : JDG_NOT_EXERCISED);
}
END_TEST

/* ---- COAP-4.8-01, COAP-4.8.1-01 ---- */

static void nothing(struct jdg_ics *ics) {
  (void)ics;
}
static void eager(struct jdg_ics *ics) {
  ics->nstart = 2;
}

START_TEST(of_declared_parameters) {
  if (_i > 0) declare(s, _i == 1 ? nothing : eager);
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 1, "aa"));
  static const enum jdg_verdict nstart[] = {JDG_NOT_EXERCISED, JDG_PASS, JDG_FAIL};
  EXPECT("COAP-4.8.1-01", s, nstart[_i]);
  ck_assert_int_eq(fx_verdict(&fx, "COAP-4.8-01", s), _i ? JDG_PASS : JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(time_values_follow_from_the_parameters) {
  struct rule_parameters p = rule_default_parameters;
  struct rule_lifetimes times = rule_derive_lifetimes(&p);
  ck_assert_uint_eq(times.max_transmit_span, 45 * CHORUS_SECOND);
  ck_assert_uint_eq(times.max_transmit_wait, 93 * CHORUS_SECOND);
  ck_assert_uint_eq(times.max_rtt, 202 * CHORUS_SECOND);
  ck_assert_uint_eq(times.exchange_lifetime, 247 * CHORUS_SECOND);
  ck_assert_uint_eq(times.non_lifetime, 145 * CHORUS_SECOND);
  ck_assert_ptr_null(rule_wrong_lifetime(&rule_default_lifetimes, &p));
}
END_TEST

START_TEST(a_wrong_time_value_is_found) {
  struct rule_lifetimes times = rule_default_lifetimes;
  times.non_lifetime = 100 * CHORUS_SECOND; /* as if copies were not sent */
  ck_assert_str_eq(rule_wrong_lifetime(&times, &rule_default_parameters), "NON_LIFETIME");
  struct rule_parameters p = rule_default_parameters;
  p.ack_timeout = CHORUS_SECOND;
  ck_assert_str_eq(rule_wrong_lifetime(&rule_default_lifetimes, &p), "MAX_TRANSMIT_SPAN");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_message_duplicate");
  TCase *tests = new_case(suite, "duplicate");
  tcase_add_loop_test(tests, of_a_request, 0, COUNT(copy_cases));
  tcase_add_loop_test(tests, copies_are_acknowledged, 0, 5);
  tcase_add_loop_test(tests, of_answers_seen_elsewhere, 0, COUNT(seen_cases));
  tcase_add_loop_test(tests, elsewhere_old_messages_may_be_new_ones, 0, 4);
  tcase_add_test(tests, a_start_in_between_excuses);
  tcase_add_loop_test(tests, after_non_lifetime_it_is_a_new_message, 0, COUNT(age_cases));
  tcase_add_loop_test(tests, of_a_response, 0, 4);
  tcase_add_loop_test(tests, of_gets, 0, 3);
  tcase_add_test(tests, one_change_that_a_get_made_is_enough);
  tcase_add_test(tests, one_change_after_a_get_is_chance);
  tcase_add_loop_test(tests, of_puts, 0, 3);
  tcase_add_test(tests, an_own_change_at_the_same_instant);
  tcase_add_test(tests, posts_may_do_anything);
  tcase_add_loop_test(tests, of_a_size, 0, COUNT(size_cases));
  tcase_add_test(tests, who_sends_nothing_sends_nothing_large);
  tcase_add_loop_test(tests, of_fragments, 0, 2);
  tcase_add_loop_test(tests, of_declared_parameters, 0, 3);
  tcase_add_test(tests, time_values_follow_from_the_parameters);
  tcase_add_test(tests, a_wrong_time_value_is_found);
  return run_suite(suite);
}
