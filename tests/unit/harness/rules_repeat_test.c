/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on repeats of group requests, unicast follow-ups, and Message IDs of clients. */
#include "rules_client_fixture.h"

static struct cfx t;
#define Q(mid) NON(GET, mid, "aa", .path = "/x")

static void open_and_send(const struct fx_message *m) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 1000, GROUP, m);
}

START_TEST(copies_are_byte_identical) {
  open_and_send(Q(1));
  cfx_send(&t, 11000, GROUP, NON(GET, 1, "aa", .path = "/y"));
  ck_verdict(&t, 400000, "GC-2.3.1-12", JDG_FAIL);
  open_and_send(Q(1));
  cfx_send(&t, 11000, GROUP, Q(1));
  ck_verdict(&t, 400000, "GC-2.3.1-12", JDG_PASS);
  open_and_send(Q(1));
  cfx_send(&t, 11000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-12", JDG_NOT_EXERCISED);
  open_and_send(Q(1)); /* after NON_LIFETIME it is no copy */
  cfx_send(&t, 1000 + 145000, GROUP, NON(GET, 1, "aa", .path = "/y"));
  ck_verdict(&t, 400000, "GC-2.3.1-12", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(copies_within_max_transmit_span) {
  for (chorus_time late = 0; late <= 1; late++) {
    open_and_send(Q(1));
    cfx_send(&t, 31000, GROUP, Q(1));
    fx_at_ns(&t.fx, 46 * CHORUS_SECOND + late);
    fx_send(&t.fx, t.c, CLIENT, GROUP, Q(1));
    ck_verdict(&t, 400000, "GC-2.3.1-12", late ? JDG_WARN : JDG_PASS);
  }
  open_and_send(Q(1)); /* a copy of the repeat, which is not old */
  cfx_send(&t, 41000, GROUP, Q(2));
  cfx_send(&t, 51000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-12", JDG_PASS);
}
END_TEST

START_TEST(a_copy_is_as_old_as_its_message_id) {
  open_and_send(Q(1)); /* a repeat in between makes it no younger */
  cfx_send(&t, 31000, GROUP, Q(2));
  cfx_send(&t, 61000, GROUP, Q(1));
  ck_verdict(&t, 400000, "GC-2.3.1-12", JDG_WARN);
  open_and_send(Q(1)); /* 247 s after its first use the Message ID is free for a repeat */
  for (uint64_t ms = 61000; ms <= 241000; ms += 60000)
    cfx_send(&t, ms, GROUP, Q((int)(ms / 60000 + 1)));
  cfx_send(&t, 249000, GROUP, Q(1));
  fx_close_at(&t.fx, 400000);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-12", t.c), JDG_NOT_EXERCISED);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-14", t.c), JDG_PASS);
  fx_free(&t.fx);
}
END_TEST

START_TEST(a_follow_ups_message_id_is_in_use) {
  open_and_send(Q(1));
  cfx_send(&t, 5000, S1, CON(GET, 2, "aa", .path = "/x"));
  cfx_send(&t, 11000, GROUP, Q(2));
  fx_close_at(&t.fx, 400000);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-12", t.c), JDG_NOT_EXERCISED);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-14", t.c), JDG_FAIL);
  fx_free(&t.fx);
}
END_TEST

START_TEST(repeats_have_a_message_id_of_their_own) {
  open_and_send(Q(1));
  cfx_send(&t, 2000, S1, CON(GET, 2, "bb", .path = "/y"));
  cfx_send(&t, 11000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-14", JDG_FAIL);
  open_and_send(Q(1));
  cfx_send(&t, 2000, GROUP, NON(GET, 2, "bb", .path = "/y"));
  cfx_send(&t, 11000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-14", JDG_FAIL);
  open_and_send(Q(1)); /* used again after NON_LIFETIME, before EXCHANGE_LIFETIME */
  cfx_send(&t, 2000, GROUP, NON(GET, 2, "bb", .path = "/y"));
  cfx_send(&t, 2000 + 145000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-14", JDG_INCONCLUSIVE);
  open_and_send(Q(1));
  cfx_send(&t, 11000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-14", JDG_PASS);
  open_and_send(Q(1));
  cfx_send(&t, 11000, GROUP, Q(1));
  ck_verdict(&t, 400000, "GC-2.3.1-14", JDG_NOT_EXERCISED);
  open_and_send(Q(1)); /* a restart forgets */
  cfx_send(&t, 2000, GROUP, NON(GET, 2, "bb", .path = "/y"));
  cfx_restart(&t, 5000);
  cfx_send(&t, 11000, GROUP, Q(2));
  ck_verdict(&t, 400000, "GC-2.3.1-14", JDG_INCONCLUSIVE);
}
END_TEST

/* A unicast request of |type| with Message ID 7, then a group request with |mid|, |gap| later. */
static enum jdg_verdict mixed(int type, int mid, chorus_time gap, const char *rule) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 1000, S1, FX(type, GET, 7, "bb", .path = "/y"));
  fx_at_ns(&t.fx, CHORUS_SECOND + gap);
  fx_send(&t.fx, t.c, CLIENT, GROUP, Q(mid));
  enum jdg_verdict verdict = cfx_end(&t, 400000, rule);
  fx_free(&t.fx);
  return verdict;
}

START_TEST(unicast_and_group_message_ids_are_apart) {
  static const char *const rules[] = {"COAP-8.1-05", "COAP-4.4-02"};
  const chorus_time s = CHORUS_SECOND;
  for (size_t i = 0; i < 2; i++) {
    enum jdg_verdict broken = i ? JDG_WARN : JDG_FAIL;
    ck_assert_int_eq(mixed(DIS_NON, 7, 10 * s, rules[i]), broken);
    ck_assert_int_eq(mixed(DIS_NON, 7, 145 * s - 1, rules[i]), broken);
    ck_assert_int_eq(mixed(DIS_NON, 7, 145 * s, rules[i]), JDG_NOT_EXERCISED);
    ck_assert_int_eq(mixed(DIS_CON, 7, 247 * s - 1, rules[i]), broken);
    ck_assert_int_eq(mixed(DIS_CON, 7, 247 * s, rules[i]), JDG_NOT_EXERCISED);
    ck_assert_int_eq(mixed(DIS_CON, 8, 10 * s, rules[i]), JDG_PASS);
    open_and_send(Q(7));
    cfx_send(&t, 2000, S1, CON(GET, 7, "bb", .path = "/y"));
    ck_verdict(&t, 400000, rules[i], broken);
    open_and_send(Q(7)); /* another port is another endpoint */
    fx_send(&t.fx, t.c, "[2001:db8::c]:40001", S1, CON(GET, 7, "bb", .path = "/y"));
    ck_verdict(&t, 400000, rules[i], JDG_NOT_EXERCISED);
    open_and_send(Q(7)); /* a response that echoes a Message ID is no use of the client's */
    fx_send(&t.fx, t.c, CLIENT, S1, NON(CODE_205, 7, "cc"));
    ck_verdict(&t, 400000, rules[i], JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(a_follow_up_has_another_message_id) {
  const struct fx_message *observe = NON(GET, 1, "aa", .path = "/x", .options = {{6, ""}});
  open_and_send(observe);
  cfx_send(&t, 11000, S1, CON(GET, 1, "aa", .path = "/x", .options = {{6, ""}}));
  ck_verdict(&t, 400000, "GC-2.3.5-08", JDG_WARN);
  open_and_send(observe);
  cfx_send(&t, 11000, S1, CON(GET, 2, "aa", .path = "/x", .options = {{6, ""}}));
  ck_verdict(&t, 400000, "GC-2.3.5-08", JDG_PASS);
  open_and_send(observe);
  cfx_send(&t, 11000, GROUP, NON(GET, 1, "aa", .path = "/x", .options = {{6, ""}}));
  ck_verdict(&t, 400000, "GC-2.3.5-08", JDG_NOT_EXERCISED);
  open_and_send(observe); /* another group request's */
  cfx_send(&t, 2000, GROUP, NON(GET, 2, "bb", .path = "/y"));
  cfx_send(&t, 11000, S1, CON(GET, 2, "aa", .path = "/x", .options = {{6, ""}}));
  fx_close_at(&t.fx, 400000);
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.5-08", t.c), JDG_PASS);
  ck_assert_int_eq(fx_verdict(&t.fx, "COAP-8.1-05", t.c), JDG_FAIL);
  fx_free(&t.fx);
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("repeats");
  tcase_add_test(tc, copies_are_byte_identical);
  tcase_add_test(tc, copies_within_max_transmit_span);
  tcase_add_test(tc, a_copy_is_as_old_as_its_message_id);
  tcase_add_test(tc, a_follow_ups_message_id_is_in_use);
  tcase_add_test(tc, repeats_have_a_message_id_of_their_own);
  tcase_add_test(tc, unicast_and_group_message_ids_are_apart);
  tcase_add_test(tc, a_follow_up_has_another_message_id);
  return cfx_main(tc);
}
