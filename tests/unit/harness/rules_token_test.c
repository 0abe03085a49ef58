/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on the reuse of Tokens, and on the client's estimate of the response delay. */
#include "rules_client_fixture.h"

static struct cfx t;

#define S     CHORUS_SECOND
#define MS    CHORUS_MILLISECOND
#define FIRST NON(GET, 1, "aabb", .path = "/x")
#define OTHER NON(GET, 2, "aabb", .path = "/y")

enum statement { NONE, NO_MSRD, MSRD_30 };

static void open_with(enum statement statement, bool real_time, bool strict) {
  cfx_open(&t, JDG_DIJK_03);
  struct jdg_config config = {.profile = JDG_DIJK_03, .strict = strict, .real_time = real_time};
  jdg_reset(t.fx.judge, &config);
  t.c = fx_node(&t.fx, "c1", CLIENT);
  t.s1 = fx_node(&t.fx, "s1", S1);
  if (statement == NONE) return;
  struct jdg_ics ics = cfx_ics();
  ics.msrd_declared = statement == MSRD_30;
  ics.msrd = statement == MSRD_30 ? 30 * S : 0;
  jdg_set_ics(t.fx.judge, t.c, &ics);
}

static void send_at(chorus_time time, const struct fx_message *m) {
  fx_at_ns(&t.fx, time);
  fx_send(&t.fx, t.c, CLIENT, GROUP, m);
}

static const chorus_time start = 1000 * S;

static enum jdg_verdict reuse_after(chorus_time gap, enum statement statement, const char *rule) {
  open_with(statement, false, false);
  send_at(start, FIRST);
  send_at(start + gap, OTHER);
  enum jdg_verdict verdict = cfx_end(&t, 2000000, rule);
  fx_free(&t.fx);
  return verdict;
}

START_TEST(reuse_times) {
  static const struct {
    const char *rule;
    enum statement statement;
    chorus_time gap;
    enum jdg_verdict verdict;
  } cases[] = {
      {"GC-2.3.1-23", MSRD_30, 16 * S, JDG_FAIL},
      {"GC-2.3.1-23", MSRD_30, 275 * S - 1, JDG_FAIL},
      {"GC-2.3.1-23", MSRD_30, 275 * S, JDG_FAIL},
      {"GC-2.3.1-23", MSRD_30, 275 * S + 1, JDG_INCONCLUSIVE},
      {"GC-2.3.1-23", MSRD_30, 280 * S, JDG_INCONCLUSIVE},
      {"GC-2.3.1-23", MSRD_30, 280 * S + 1, JDG_PASS},
      {"GC-2.3.1-23", NONE, 245 * S, JDG_FAIL},
      {"GC-2.3.1-23", NONE, 245 * S + 1, JDG_INCONCLUSIVE},
      {"GC-2.3.1-23", NONE, 500 * S, JDG_INCONCLUSIVE},
      {"GC-2.3.1-23", NONE, 500 * S + 1, JDG_PASS},
      {"GC-2.3.1-24", MSRD_30, 275 * S, JDG_FAIL},
      {"GC-2.3.1-24", MSRD_30, 275 * S + 1, JDG_WARN},
      {"GC-2.3.1-24", MSRD_30, 280 * S, JDG_WARN},
      {"GC-2.3.1-24", MSRD_30, 280 * S + 1, JDG_PASS},
      {"GC-2.3.1-24", NONE, 250 * S, JDG_WARN},
      {"GC-2.3.1-24", NONE, 250 * S + 1, JDG_INCONCLUSIVE},
      {"GC-2.3.1-24", NONE, 500 * S + 1, JDG_PASS},
      {"GC-2.3.1-26", NO_MSRD, 251 * S, JDG_WARN},
      {"GC-2.3.1-26", NO_MSRD, 500 * S, JDG_WARN},
      {"GC-2.3.1-26", NO_MSRD, 500 * S + 1, JDG_PASS},
      {"GC-2.3.1-26", NONE, 251 * S, JDG_NOT_EXERCISED},
      {"GC-2.3.1-26", MSRD_30, 281 * S, JDG_NOT_EXERCISED},
      {"GC-2.3.1-25", NONE, 281 * S, JDG_PASS},
      {"NR-10", MSRD_30, 16 * S, JDG_NOT_EXERCISED},
      {"NR-12", NO_MSRD, 16 * S, JDG_NOT_EXERCISED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    enum jdg_verdict verdict = reuse_after(cases[i].gap, cases[i].statement, cases[i].rule);
    ck_assert_msg(verdict == cases[i].verdict, "%s, case %zu: %s", cases[i].rule, i,
                  jdg_verdict_name(verdict));
  }
}
END_TEST

START_TEST(strict_runs_fail_between_the_two_bounds) {
  open_with(MSRD_30, false, true);
  send_at(start, FIRST);
  send_at(start + 276 * S, OTHER);
  ck_verdict(&t, 2000000, "GC-2.3.1-24", JDG_FAIL);
}
END_TEST

START_TEST(real_time_leaves_room) {
  open_with(MSRD_30, true, false);
  send_at(start, FIRST);
  send_at(start + 275 * S - S / 2, OTHER);
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_INCONCLUSIVE);
}
END_TEST

/* Two requests as a capture made elsewhere shows them, |gap| apart. */
static enum jdg_verdict seen_again(chorus_time gap, uint8_t hop_limit, const struct fx_message *m,
                                   const char *rule) {
  open_with(NONE, false, false);
  t.fx.hop_limit = hop_limit;
  fx_at_ns(&t.fx, start);
  fx_see(&t.fx, "[2001:db8::d]:40000", GROUP, FIRST);
  fx_at_ns(&t.fx, start + gap);
  fx_see(&t.fx, "[2001:db8::d]:40000", GROUP, m);
  fx_close_at(&t.fx, 2000000);
  enum jdg_verdict verdict = fx_verdict(&t.fx, rule, fx_node_named(&t.fx, "2001:db8::d"));
  fx_free(&t.fx);
  return verdict;
}

START_TEST(captures_made_elsewhere_leave_room_as_they_are_far_away) {
  static const struct {
    chorus_time gap;
    uint8_t hop_limit;
    enum jdg_verdict verdict;
  } cases[] = {{244 * S, 64, JDG_FAIL},          {245 * S, 64, JDG_INCONCLUSIVE},
               {244 * S, 1, JDG_FAIL},           {244 * S, 255, JDG_FAIL},
               {225 * S, 62, JDG_FAIL},          {226 * S, 62, JDG_INCONCLUSIVE},
               {244 * S, 254, JDG_INCONCLUSIVE}, {501 * S, 64, JDG_PASS}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_int_eq(seen_again(cases[i].gap, cases[i].hop_limit, OTHER, "GC-2.3.1-23"),
                     cases[i].verdict);
}
END_TEST

START_TEST(another_request_under_the_same_message_id_is_reuse_once_that_is_free) {
  const struct fx_message *altered = NON(GET, 1, "aabb", .path = "/y");
  ck_assert_int_eq(seen_again(10 * S, 64, altered, "GC-2.3.1-23"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(seen_again(10 * S, 64, altered, "GC-2.3.1-12"), JDG_FAIL);
  ck_assert_int_eq(seen_again(200 * S, 64, altered, "GC-2.3.1-23"), JDG_FAIL);
  ck_assert_int_eq(seen_again(501 * S, 64, altered, "GC-2.3.1-23"), JDG_PASS);
}
END_TEST

START_TEST(the_same_datagram_is_a_copy_until_its_message_id_is_free) {
  ck_assert_int_eq(seen_again(200 * S, 64, FIRST, "GC-2.3.1-12"), JDG_WARN);
  ck_assert_int_eq(seen_again(550 * S, 64, FIRST, "GC-2.3.1-12"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(seen_again(550 * S, 64, FIRST, "GC-2.3.1-14"), JDG_PASS);
}
END_TEST

START_TEST(unicast_in_between_hides_no_reuse) {
  const struct fx_message *unicast = CON(GET, 3, "aabb", .path = "/z");
  const struct fx_message *last[] = {OTHER, NON(GET, 4, "aabb", .path = "/x")};
  const enum jdg_verdict verdicts[] = {JDG_FAIL, JDG_NOT_EXERCISED};
  for (size_t i = 0; i < 2; i++) {
    open_with(MSRD_30, false, false);
    send_at(start, FIRST);
    fx_at_ns(&t.fx, start + 10 * S);
    fx_send(&t.fx, t.c, CLIENT, S1, unicast);
    fx_send(&t.fx, t.c, CLIENT, S2, CON(GET, 5, "aabb", .path = "/w"));
    send_at(start + 250 * S, last[i]);
    ck_verdict(&t, 2000000, "GC-2.3.1-23", verdicts[i]);
  }
}
END_TEST

START_TEST(a_protected_repeat_looks_like_another_request) {
#define PROTECTED(mid, code, piv, cipher) \
  NON(code, mid, "aabb", .payload = cipher, .options = {{DIS_OSCORE, piv}})
  static const char *const rules[] = {"GC-2.3.1-23", "GC-2.3.1-24", "GC-2.3.1-26"};
  for (size_t i = 0; i < 3; i++) {
    open_with(NO_MSRD, false, false);
    send_at(start, PROTECTED(1, POST, "3901014101", "cipher 1"));
    send_at(start + 10 * S, PROTECTED(2, POST, "3902014101", "cipher 2"));
    ck_verdict(&t, 2000000, rules[i], JDG_INCONCLUSIVE);
    open_with(NO_MSRD, false, false);
    send_at(start, PROTECTED(1, POST, "3901014101", "cipher 1"));
    send_at(start + 10 * S, PROTECTED(2, 5, "3902014101", "cipher 2")); /* FETCH */
    ck_verdict(&t, 2000000, rules[i], i < 2 ? JDG_FAIL : JDG_WARN);
  }
}
END_TEST

START_TEST(an_observation_has_its_token_until_it_ends) {
  for (unsigned notifications = 0; notifications <= 1; notifications++) {
    open_with(MSRD_30, false, false);
    send_at(start, NON(GET, 1, "aabb", .path = "/x", .options = {{6, ""}}));
    if (notifications) {
      fx_at_ns(&t.fx, start + 250 * S);
      fx_send(&t.fx, t.s1, S1, CLIENT, NON(CODE_205, 9, "aabb", .options = {{6, "07"}}));
    }
    send_at(start + 290 * S, OTHER);
    ck_verdict(&t, 2000000, "GC-2.3.1-23", notifications ? JDG_INCONCLUSIVE : JDG_PASS);
  }
}
END_TEST

START_TEST(the_clock_starts_at_the_last_transmission) {
  open_with(MSRD_30, false, false);
  send_at(start, FIRST);
  send_at(start + 40 * S, FIRST); /* a copy */
  send_at(start + 300 * S, OTHER);
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_FAIL);
  open_with(MSRD_30, false, false);
  send_at(start, FIRST);
  send_at(start + 40 * S, NON(GET, 5, "aabb", .path = "/x")); /* a repeat */
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_replay_by_somebody_else_moves_no_clock) {
  open_with(MSRD_30, false, false);
  uint32_t attacker = fx_tester(&t.fx, "attacker", "2001:db8::99");
  send_at(start, FIRST);
  fx_at_ns(&t.fx, start + 200 * S);
  fx_send(&t.fx, attacker, CLIENT, GROUP, FIRST);
  send_at(start + 281 * S, OTHER);
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_PASS);
}
END_TEST

START_TEST(the_same_request_anew_is_reuse_if_the_application_says_so) {
  open_with(MSRD_30, false, false);
  for (int i = 0; i < 2; i++) {
    const struct fx_message *m = NON(GET, 1 + i, "aabb", .path = "/x");
    send_at(start + (chorus_time)i * 60 * S, m);
    cfx_say(&t, CHORUS_EVENT_REQUEST, "q", GROUP, true, m, NULL, 20 * S);
  }
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_FAIL);
}
END_TEST

START_TEST(an_observation_goes_on_under_its_token) {
  const struct fx_message *observe = NON(GET, 1, "aabb", .path = "/x", .options = {{6, ""}});
  const struct fx_message *again =
      NON(GET, 2, "aabb", .path = "/x", .options = {{6, ""}, {DIS_ETAG, "01"}});
  const struct fx_message *cancel = NON(GET, 3, "aabb", .path = "/x", .options = {{6, "01"}});
  const struct fx_message *elsewhere = NON(GET, 4, "aabb", .path = "/y", .options = {{6, ""}});
  open_with(MSRD_30, false, false);
  send_at(start, observe);
  send_at(start + 30 * S, again);
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_NOT_EXERCISED);
  open_with(MSRD_30, false, false);
  send_at(start, observe);
  send_at(start + 60 * S, cancel);
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_NOT_EXERCISED);
  open_with(MSRD_30, false, false);
  send_at(start, observe);
  send_at(start + 60 * S, elsewhere);
  ck_verdict(&t, 2000000, "GC-2.3.1-23", JDG_FAIL);
}
END_TEST

START_TEST(a_restart_leaves_it_open) {
  static const char *const rules[] = {"GC-2.3.1-23", "GC-2.3.1-24", "GC-2.3.1-26"};
  for (size_t i = 0; i < 3; i++) {
    open_with(NO_MSRD, false, false);
    send_at(start, FIRST);
    cfx_restart(&t, 1010000);
    send_at(start + 20 * S, OTHER);
    ck_verdict(&t, 2000000, rules[i], JDG_INCONCLUSIVE);
  }
}
END_TEST

START_TEST(fifty_requests_without_reuse_pass) {
  for (unsigned n = 49; n <= 50; n++) {
    open_with(NONE, false, false);
    for (unsigned i = 0; i < n; i++) {
      char token[12];
      snprintf(token, sizeof token, "%04x", i * 977 % 65536);
      send_at(start + i * 8 * S, NON(GET, (int)i, token, .path = "/x"));
    }
    ck_verdict(&t, 2000000, "GC-2.3.1-23", n < 50 ? JDG_NOT_EXERCISED : JDG_PASS);
  }
}
END_TEST

START_TEST(new_tokens_are_counted) {
  open_with(NONE, false, false);
  send_at(start, FIRST);
  send_at(start + S, NON(GET, 2, "cc", .path = "/x"));
  send_at(start + 2 * S, OTHER);
  fx_close_at(&t.fx, 2000000);
  const struct jdg_result *r = fx_result(&t.fx, "GC-2.3.1-25", t.c);
  ck_assert_int_eq(r->verdict, JDG_PASS);
  ck_assert_str_eq(r->findings[0].message,
                   "3 group requests, 1 of them under a Token used before.");
  fx_free(&t.fx);
  open_with(NONE, false, false);
  send_at(start, FIRST);
  ck_verdict(&t, 2000000, "GC-2.3.1-25", JDG_NOT_EXERCISED);
}
END_TEST

#define PUT_NR(mid, path_, nr) \
  NON(PUT, mid, "aabb", .path = path_, .payload = "1", .options = {{DIS_NO_RESPONSE, nr}})

static enum jdg_verdict reuse_with_no_response(const char *first, const char *second,
                                               chorus_time gap, enum statement statement,
                                               const char *rule) {
  open_with(statement, false, false);
  send_at(start, PUT_NR(1, "/x", first));
  send_at(start + gap, second ? PUT_NR(2, "/y", second) : OTHER);
  enum jdg_verdict verdict = cfx_end(&t, 2000000, rule);
  fx_free(&t.fx);
  return verdict;
}

START_TEST(tokens_of_requests_with_no_response) {
  ck_assert_int_eq(reuse_with_no_response("1a", NULL, 16 * S, MSRD_30, "NR-10"), JDG_WARN);
  ck_assert_int_eq(reuse_with_no_response("02", "1a", 275 * S, MSRD_30, "NR-10"), JDG_WARN);
  ck_assert_int_eq(reuse_with_no_response("1a", NULL, 281 * S, MSRD_30, "NR-10"), JDG_PASS);
  ck_assert_int_eq(reuse_with_no_response("1a", "1a", 16 * S, MSRD_30, "NR-10"),
                   JDG_NOT_EXERCISED); /* it never cares */
  ck_assert_int_eq(reuse_with_no_response("1a", NULL, 300 * S, NO_MSRD, "NR-12"), JDG_WARN);
  ck_assert_int_eq(reuse_with_no_response("1a", NULL, 501 * S, NO_MSRD, "NR-12"), JDG_PASS);
  ck_assert_int_eq(reuse_with_no_response("1a", NULL, 16 * S, MSRD_30, "NR-12"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(reuse_with_no_response("1a", NULL, 16 * S, NONE, "NR-12"), JDG_NOT_EXERCISED);
}
END_TEST

static enum jdg_verdict estimate(chorus_time msrd, chorus_time leisure, const char *rule) {
  struct jdg_ics client = cfx_ics(), server = cfx_ics();
  client.msrd_declared = msrd != 0;
  client.msrd = msrd;
  server.leisure_declared = leisure ? JDG_YES : JDG_UNKNOWN;
  server.leisure = leisure ? leisure : 5 * S;
  cfx_open(&t, JDG_DIJK_03);
  jdg_set_ics(t.fx.judge, t.c, &client);
  jdg_set_ics(t.fx.judge, t.s1, &server);
  cfx_ask(&t, 0, GROUP, FIRST, 20);
  fx_receive(&t.fx, t.s1, CLIENT, GROUP, FIRST);
  cfx_answered(&t, 1000, S1, NON(CODE_205, 9, "aabb"));
  enum jdg_verdict verdict = cfx_end(&t, 60000, rule);
  fx_free(&t.fx);
  return verdict;
}

START_TEST(the_estimate_of_the_response_delay) {
  ck_assert_int_eq(estimate(6 * S, 20 * S, "GC-2.3.1-27"), JDG_WARN);
  ck_assert_int_eq(estimate(20 * S, 20 * S, "GC-2.3.1-27"), JDG_PASS);
  ck_assert_int_eq(estimate(6 * S, 0, "GC-2.3.1-27"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(estimate(0, 20 * S, "GC-2.3.1-27"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(estimate(5 * S, 0, "NR-11"), JDG_FAIL);
  ck_assert_int_eq(estimate(5 * S + 1, 0, "NR-11"), JDG_PASS);
  ck_assert_int_eq(estimate(0, 0, "NR-11"), JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(tokens_belong_to_a_port) {
  open_with(NONE, false, false);
  send_at(start, FIRST);
  fx_send(&t.fx, t.c, "[2001:db8::c]:40001", GROUP, OTHER);
  fx_close_at(&t.fx, 2000000);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-31", t.c), JDG_PASS);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-23", t.c), JDG_NOT_EXERCISED);
  fx_free(&t.fx);
  open_with(NONE, false, false);
  send_at(start, FIRST);
  send_at(start + S, OTHER);
  ck_verdict(&t, 2000000, "GC-2.3.1-31", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(tokens_among_outstanding_unicast_requests) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, S1, CON(GET, 1, "aa", .path = "/x"), 93);
  cfx_ask(&t, 100, S1, CON(GET, 2, "aa", .path = "/y"), 93);
  ck_verdict(&t, 200000, "COAP-5.3.1-02", JDG_WARN);
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, S1, CON(GET, 1, "aa", .path = "/x"), 93);
  cfx_ask(&t, 100, S1, CON(GET, 2, "bb", .path = "/y"), 93);
  ck_verdict(&t, 200000, "COAP-5.3.1-02", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03); /* one after the other */
  cfx_ask(&t, 0, S1, CON(GET, 1, "", .path = "/x"), 93);
  cfx_done(&t, 50, S1, CON(GET, 1, ""), "answered");
  cfx_ask(&t, 100, S1, CON(GET, 2, "", .path = "/y"), 93);
  ck_verdict(&t, 200000, "COAP-5.3.1-02", JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* to another server */
  cfx_ask(&t, 0, S1, CON(GET, 1, "aa", .path = "/x"), 93);
  cfx_ask(&t, 100, S2, CON(GET, 2, "aa", .path = "/y"), 93);
  ck_verdict(&t, 200000, "COAP-5.3.1-02", JDG_NOT_EXERCISED);
}
END_TEST

#define ELSEWHERE_CLIENT "[2001:db8::77]:50000"
#define ELSEWHERE_SERVER "[2001:db8::88]:5683"

/* Two requests, |gap| ms apart, and the answers to them from |first| ms after the first one on. */
static enum jdg_verdict seen_elsewhere(unsigned gap, unsigned first, unsigned answers,
                                       const char *option) {
  cfx_open(&t, JDG_DIJK_03);
  fx_at(&t.fx, 1000);
  fx_see(&t.fx, ELSEWHERE_CLIENT, ELSEWHERE_SERVER, NON(GET, 1, "aa", .path = "/x"));
  struct fx_message second = *NON(GET, 2, "aa", .path = "/y");
  if (option) second.options[0] = (struct fx_option){DIS_OBSERVE, option};
  bool before = first < gap;
  if (!before) fx_at(&t.fx, 1000 + gap);
  if (!before) fx_see(&t.fx, ELSEWHERE_CLIENT, ELSEWHERE_SERVER, &second);
  for (unsigned i = 0; i < answers; i++) {
    fx_at(&t.fx, 1000 + (i && before ? gap : 0) + first + i);
    fx_see(&t.fx, ELSEWHERE_SERVER, ELSEWHERE_CLIENT, NON(CODE_205, 100 + (int)i, "aa"));
    if (i || !before) continue;
    fx_at(&t.fx, 1000 + gap);
    fx_see(&t.fx, ELSEWHERE_CLIENT, ELSEWHERE_SERVER, &second);
  }
  fx_close_at(&t.fx, 900000);
  enum jdg_verdict verdict =
      fx_verdict(&t.fx, "COAP-5.3.1-02", fx_node_named(&t.fx, "2001:db8::77"));
  fx_free(&t.fx);
  return verdict;
}

START_TEST(elsewhere_both_answers_show_a_shared_token) {
  ck_assert_int_eq(seen_elsewhere(100, 500, 2, NULL), JDG_WARN);
  ck_assert_int_eq(seen_elsewhere(100, 500, 1, NULL), JDG_NOT_EXERCISED); /* one was lost */
  ck_assert_int_eq(seen_elsewhere(100, 50, 2, NULL), JDG_NOT_EXERCISED);  /* one after the other */
  ck_assert_int_eq(seen_elsewhere(100, 105, 2, NULL), JDG_NOT_EXERCISED); /* other order? */
  ck_assert_int_eq(seen_elsewhere(30000, 31000, 2, NULL), JDG_NOT_EXERCISED); /* given up */
  ck_assert_int_eq(seen_elsewhere(100, 500, 2, ""), JDG_NOT_EXERCISED);       /* notifications */
}
END_TEST

/* Blocks have one Token; the first answer and the third request were not captured. */
START_TEST(elsewhere_an_answer_to_a_third_request_shows_nothing) {
  cfx_open(&t, JDG_DIJK_03);
  for (int i = 0; i < 2; i++) {
    fx_at(&t.fx, 1000 + (unsigned)i * 20);
    fx_see(&t.fx, ELSEWHERE_CLIENT, ELSEWHERE_SERVER,
           CON(GET, 1 + i, "aa", .path = "/x", .options = {{DIS_BLOCK2, i ? "16" : "06"}}));
  }
  for (int i = 0; i < 2; i++) {
    fx_at(&t.fx, 1030 + (unsigned)i * 20);
    fx_see(&t.fx, ELSEWHERE_SERVER, ELSEWHERE_CLIENT,
           ACK(CODE_205, i ? (_i ? 1 : 3) : 2, "aa", .payload = "x"));
  }
  fx_close_at(&t.fx, 900000);
  ck_assert_int_eq(fx_verdict(&t.fx, "COAP-5.3.1-02", fx_node_named(&t.fx, "2001:db8::77")),
                   _i ? JDG_WARN : JDG_NOT_EXERCISED);
  fx_free(&t.fx);
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("Tokens");
  tcase_add_test(tc, reuse_times);
  tcase_add_test(tc, strict_runs_fail_between_the_two_bounds);
  tcase_add_test(tc, real_time_leaves_room);
  tcase_add_test(tc, captures_made_elsewhere_leave_room_as_they_are_far_away);
  tcase_add_test(tc, another_request_under_the_same_message_id_is_reuse_once_that_is_free);
  tcase_add_test(tc, the_same_datagram_is_a_copy_until_its_message_id_is_free);
  tcase_add_test(tc, unicast_in_between_hides_no_reuse);
  tcase_add_test(tc, a_protected_repeat_looks_like_another_request);
  tcase_add_test(tc, an_observation_has_its_token_until_it_ends);
  tcase_add_test(tc, the_clock_starts_at_the_last_transmission);
  tcase_add_test(tc, a_replay_by_somebody_else_moves_no_clock);
  tcase_add_test(tc, the_same_request_anew_is_reuse_if_the_application_says_so);
  tcase_add_test(tc, an_observation_goes_on_under_its_token);
  tcase_add_test(tc, a_restart_leaves_it_open);
  tcase_add_test(tc, fifty_requests_without_reuse_pass);
  tcase_add_test(tc, new_tokens_are_counted);
  tcase_add_test(tc, tokens_of_requests_with_no_response);
  tcase_add_test(tc, the_estimate_of_the_response_delay);
  tcase_add_test(tc, tokens_belong_to_a_port);
  tcase_add_test(tc, tokens_among_outstanding_unicast_requests);
  tcase_add_test(tc, elsewhere_both_answers_show_a_shared_token);
  tcase_add_loop_test(tc, elsewhere_an_answer_to_a_third_request_shows_nothing, 0, 2);
  return cfx_main(tc);
}
