/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on how long clients listen, what they report, and their use of No-Response. */
#include "rules_client_fixture.h"

static struct cfx t;
#define PUT_NR(...) NON(PUT, 1, "aa", .path = "/x", .payload = "1", .options = {__VA_ARGS__})
#define NR(hex)     PUT_NR({DIS_NO_RESPONSE, hex})

static enum jdg_verdict sent(const char *to, const struct fx_message *m, const char *rule) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, to, m);
  enum jdg_verdict verdict = cfx_end(&t, 1000, rule);
  fx_free(&t.fx);
  return verdict;
}

START_TEST(the_option_itself) {
  static const char *const rules[] = {"GC-2.3.1-07", "NR-01"};
  for (size_t i = 0; i < 2; i++) {
    ck_assert_int_eq(sent(GROUP, NR("1a"), rules[i]), JDG_PASS);
    ck_assert_int_eq(sent(GROUP, NR(""), rules[i]), JDG_PASS);
    ck_assert_int_eq(sent(GROUP, NR("001a"), rules[i]), JDG_WARN);
    ck_assert_int_eq(
        sent(GROUP, PUT_NR({DIS_NO_RESPONSE, "02"}, {DIS_NO_RESPONSE, "08"}), rules[i]), JDG_WARN);
    ck_assert_int_eq(sent(GROUP, PUT_NR({284, "1a"}), rules[i]), JDG_NOT_EXERCISED);
    ck_assert_int_eq(sent(GROUP, NON(GET, 1, "aa"), rules[i]), JDG_NOT_EXERCISED);
  }
  ck_assert_int_eq(sent(GROUP, NR("01"), "GC-2.3.1-07"), JDG_WARN); /* class 1.xx is none */
  ck_assert_int_eq(sent(GROUP, NR("01"), "NR-01"), JDG_PASS);
  ck_assert_int_eq(sent(S1, NR("001a"), "NR-01"), JDG_WARN);
}
END_TEST

START_TEST(a_get_for_content_is_remarked_on) {
  const struct fx_message *get = NON(GET, 1, "aa", .options = {{DIS_NO_RESPONSE, "1a"}});
  const struct fx_message *cancel =
      NON(GET, 1, "aa", .options = {{6, "01"}, {DIS_NO_RESPONSE, "1a"}});
  for (int i = 0; i < 2; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, GROUP, i ? cancel : get);
    fx_close_at(&t.fx, 1000);
    const struct jdg_result *r = fx_result(&t.fx, "NR-17", t.c);
    ck_assert_int_eq(r->verdict, JDG_PASS);
    ck_assert_uint_eq(r->finding_count, i ? 0 : 1);
    fx_free(&t.fx);
  }
  ck_assert_int_eq(sent(GROUP, NR("1a"), "NR-17"), JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(nobody_listens_after_26) {
  static const struct {
    const char *no_response;
    bool delivered;
    enum jdg_verdict verdict;
  } cases[] = {{"1a", true, JDG_WARN},
               {"1a", false, JDG_PASS},
               {"02", true, JDG_NOT_EXERCISED},
               {"02", false, JDG_NOT_EXERCISED}};
  for (size_t i = 0; i < 4; i++) {
    const struct fx_message *q = NR(cases[i].no_response);
    cfx_open(&t, JDG_DIJK_03);
    cfx_ask(&t, 0, GROUP, q, 20);
    cfx_answer(&t, 3000, S1, NON(CODE_204, 9, "aa"));
    if (cases[i].delivered) cfx_deliver(&t, S1, NON(CODE_204, 9, "aa"));
    ck_verdict(&t, 30000, "NR-07", cases[i].verdict);
  }
}
END_TEST

static enum jdg_verdict ended(const struct fx_message *q, uint64_t ms, const char *detail,
                              const char *rule) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, q, 20);
  cfx_done(&t, ms, GROUP, q, detail);
  enum jdg_verdict verdict = cfx_end(&t, 60000, rule);
  fx_free(&t.fx);
  return verdict;
}

START_TEST(listening_lasts_for_the_whole_timeout) {
  ck_assert_int_eq(ended(NR("02"), 5000, "timeout", "NR-08"), JDG_WARN);
  ck_assert_int_eq(ended(NR("02"), 5000, "answered", "NR-08"), JDG_WARN);
  ck_assert_int_eq(ended(NR("02"), 19949, "timeout", "NR-08"), JDG_WARN);
  ck_assert_int_eq(ended(NR("02"), 19950, "timeout", "NR-08"), JDG_PASS);
  ck_assert_int_eq(ended(NR("02"), 35000, "timeout", "NR-08"), JDG_PASS);
  ck_assert_int_eq(ended(NR("02"), 5000, "cancelled", "NR-08"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(ended(NR("1a"), 0, "no-response", "NR-08"), JDG_NOT_EXERCISED);
  ck_assert_int_eq(ended(NON(GET, 1, "aa"), 5000, "timeout", "NR-08"), JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(silence_is_no_success) {
  ck_assert_int_eq(ended(NR("02"), 20000, "answered", "NR-09"), JDG_WARN);
  ck_assert_int_eq(ended(NR("02"), 20000, "2.04", "NR-09"), JDG_WARN);
  ck_assert_int_eq(ended(NR("02"), 20000, "timeout", "NR-09"), JDG_PASS);
  ck_assert_int_eq(ended(NON(GET, 1, "aa"), 20000, "answered", "NR-09"), JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* there was an answer */
  cfx_ask(&t, 0, GROUP, NR("02"), 20);
  cfx_answered(&t, 3000, S1, NON(CODE_404, 9, "aa"));
  cfx_done(&t, 20000, GROUP, NR("02"), "answered");
  ck_verdict(&t, 60000, "NR-09", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_own_timer_ends_a_request) {
  const struct fx_message *q = NON(GET, 1, "aa", .path = "/x");
  ck_assert_int_eq(ended(q, 20000, "timeout", "GC-2.4.1-07"), JDG_PASS);
  ck_assert_int_eq(ended(q, 10000, "cancelled", "GC-2.4.1-07"), JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* it hangs */
  cfx_ask(&t, 0, GROUP, q, 20);
  ck_verdict(&t, 60000, "GC-2.4.1-07", JDG_WARN);
  cfx_open(&t, JDG_DIJK_03); /* the capture ends before */
  cfx_ask(&t, 0, GROUP, q, 20);
  ck_verdict(&t, 21000, "GC-2.4.1-07", JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* a restart forgets */
  cfx_ask(&t, 0, GROUP, q, 20);
  cfx_restart(&t, 5000);
  ck_verdict(&t, 60000, "GC-2.4.1-07", JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* a repeat makes it listen longer */
  cfx_ask(&t, 0, GROUP, q, 20);
  cfx_send(&t, 15000, GROUP, NON(GET, 2, "aa", .path = "/x"));
  cfx_say(&t, CHORUS_EVENT_REPEAT, "aa", GROUP, true, NON(GET, 2, "aa"), "new-mid", 0);
  ck_verdict(&t, 30000, "GC-2.4.1-07", JDG_NOT_EXERCISED);
  const struct fx_message *one = CON(GET, 3, "aa", .path = "/x"); /* the Token serves one member */
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, q, 20);
  cfx_ask(&t, 5000, S1, one, 93);
  ck_verdict(&t, 60000, "GC-2.4.1-07", JDG_NOT_EXERCISED);
}
END_TEST

/* coap-rs: every request has an empty Token, and each server gets a port of its own. */
START_TEST(names_tell_requests_with_one_token_apart) {
  static const char *const done[][2] = {{"group", "one"}, {"one", "group"}, {"one", "one"}};
  const struct fx_message *q = NON(GET, 1, "aa", .path = "/x");
  const struct fx_message *one = NON(GET, 2, "aa", .path = "/x");
  for (size_t i = 0; i < 3; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, GROUP, q);
    cfx_say(&t, CHORUS_EVENT_REQUEST, "group", GROUP, true, q, NULL, 20 * CHORUS_SECOND);
    fx_at(&t.fx, 1000);
    fx_send(&t.fx, t.c, "[2001:db8::c]:40001", S1, one);
    cfx_say(&t, CHORUS_EVENT_REQUEST, "one", S1, false, one, NULL, 20 * CHORUS_SECOND);
    for (uint64_t j = 0; j < 2; j++) {
      fx_at(&t.fx, 20000 + 1000 * j);
      cfx_say(&t, CHORUS_EVENT_DONE, done[i][j], NULL, true, q, "timeout", 0);
    }
    ck_verdict(&t, 60000, "GC-2.4.1-07", i < 2 ? JDG_PASS : JDG_WARN);
  }
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("listening");
  tcase_add_test(tc, the_option_itself);
  tcase_add_test(tc, a_get_for_content_is_remarked_on);
  tcase_add_test(tc, nobody_listens_after_26);
  tcase_add_test(tc, listening_lasts_for_the_whole_timeout);
  tcase_add_test(tc, silence_is_no_success);
  tcase_add_test(tc, the_own_timer_ends_a_request);
  tcase_add_test(tc, names_tell_requests_with_one_token_apart);
  return cfx_main(tc);
}
