/* SPDX-License-Identifier: BSD-2-Clause */
/* The conversation model: relations of requests, receptions, legs, arrivals and what is due. */
#include "check_run.h"
#include "judge_fixture.h"

static struct fx fx;
static uint32_t c, s;

#define CLIENT "[2001:db8::c]:40000"
#define SERVER "[2001:db8::1]:5683"
#define GROUP  "[ff35::1]:5683"

static void setup(void) {
  fx_open(&fx, JDG_DIJK_03);
  c = fx_node(&fx, "c1", CLIENT);
  s = fx_node(&fx, "s1", SERVER);
}

static void teardown(void) {
  fx_free(&fx);
}

START_TEST(counts_what_it_sees) {
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_at(&fx, 5);
  fx_receive(&fx, s, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_at(&fx, 100);
  fx_send(&fx, s, SERVER, CLIENT, NON(CODE_205, 9, "aa", .payload = "on"));
  fx_close_at(&fx, 20000);
  struct jdg_counts n = jdg_counts_get(fx.judge);
  ck_assert_uint_eq(n.packets, 3);
  ck_assert_uint_eq(n.group_requests, 1);
  ck_assert_uint_eq(n.responses, 1);
  ck_assert_uint_eq(jdg_node_roles(fx.judge, c), JDG_CLIENT);
  ck_assert_uint_eq(jdg_node_roles(fx.judge, s), JDG_SERVER);
}
END_TEST

START_TEST(finds_hosts_of_a_capture_made_elsewhere) {
  fx_see(&fx, "[2001:db8::77]:50000", GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_at(&fx, 100);
  fx_see(&fx, "[2001:db8::88]:5683", "[2001:db8::77]:50000", NON(CODE_205, 9, "aa"));
  fx_close_at(&fx, 20000);
  uint32_t client = fx_node_named(&fx, "2001:db8::77"), server = fx_node_named(&fx, "2001:db8::88");
  ck_assert_uint_ne(client, UINT32_MAX);
  ck_assert_uint_eq(jdg_node_roles(fx.judge, client), JDG_CLIENT);
  ck_assert_uint_eq(jdg_node_roles(fx.judge, server), JDG_SERVER);
}
END_TEST

START_TEST(ignores_what_is_not_coap) {
  fx_see(&fx, "[2001:db8::77]:5353", "[ff02::fb]:5353", RAW("000000000001000000000000"));
  fx_close_at(&fx, 1000);
  ck_assert_uint_eq(jdg_counts_get(fx.judge).coap_messages, 0);
}
END_TEST

START_TEST(one_transmission_seen_at_two_interfaces_counts_once) {
  fx_frame(&fx, 2000, DIS_DIRECTION_UNKNOWN, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_frame(&fx, 2001, DIS_DIRECTION_UNKNOWN, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_close_at(&fx, 1000);
  ck_assert_uint_eq(jdg_counts_get(fx.judge).coap_messages, 1);
}
END_TEST

static void seen_at(uint64_t ms, uint32_t interface) {
  fx_at(&fx, ms);
  fx_frame(&fx, interface, DIS_DIRECTION_UNKNOWN, CLIENT, SERVER, CON(GET, 1, "aa", .path = "/x"));
}

static void expect_transmissions(uint64_t count) {
  fx_close_at(&fx, 60000);
  ck_assert_uint_eq(jdg_counts_get(fx.judge).coap_messages, count);
}

/* Captures of two hosts in one file: a slow network lies between. */
START_TEST(retransmissions_in_a_merged_capture_count_once) {
  seen_at(0, 2000);
  seen_at(1200, 2001);
  seen_at(2500, 2000);
  seen_at(7500, 2000);
  seen_at(8700, 2001); /* the second was lost */
  expect_transmissions(3);
}
END_TEST

START_TEST(the_same_place_twice_is_another_transmission) {
  seen_at(0, 2000);
  seen_at(1, 2001);
  seen_at(300, 2001);
  seen_at(301, 2000);
  seen_at(302, 2002);
  expect_transmissions(2);
}
END_TEST

START_TEST(so_many_places_are_a_bridge) {
  for (uint32_t i = 0; i < 20; i++) seen_at(i, 2000 + i);
  expect_transmissions(1);
}
END_TEST

START_TEST(what_is_seen_elsewhere_much_later_is_new) {
  seen_at(0, 2000);
  seen_at(21000, 2001);
  expect_transmissions(2);
}
END_TEST

#define FOREIGN_CLIENT "[2001:db8::77]:50000"
#define FOREIGN_SERVER "[2001:db8::88]:5683"

static enum jdg_verdict foreign(const char *rule) {
  fx_close_at(&fx, 60000);
  return fx_verdict(&fx, rule, fx_node_named(&fx, "2001:db8::88"));
}

START_TEST(elsewhere_a_reset_tells_that_a_group_message_was_received) {
  fx_see(&fx, FOREIGN_CLIENT, GROUP, NON(GET, 7, "aa", .path = "/x", .options = {{65001, ""}}));
  fx_at(&fx, 100);
  fx_see(&fx, FOREIGN_SERVER, FOREIGN_CLIENT, RST(7));
  ck_assert_int_eq(foreign("COAP-8.1-03"), JDG_FAIL);
}
END_TEST

/* On a bridge; |host| is the last octet of the sender's link-layer address. */
static void on_ethernet(uint8_t host, const char *from, const char *to,
                        const struct fx_message *m) {
  uint8_t coap[256], frame[512] = {0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, host, 0x86, 0xdd};
  struct chorus_endpoint source = fx_endpoint(from), destination = fx_endpoint(to);
  size_t length = 14 + fx_packet(&source, &destination, coap, fx_build(m, coap), frame + 14);
  jdg_packet(fx.judge, &(struct cap_packet){.frame = ++fx.frame,
                                            .interface = FX_MEDIUM,
                                            .link_type = 1,
                                            .time = fx.now,
                                            .data = frame,
                                            .length = length,
                                            .original_length = length});
}

START_TEST(elsewhere_who_sends_from_the_group_is_known_by_the_link_layer) {
  on_ethernet(1, FOREIGN_CLIENT, GROUP, NON(GET, 7, "aa", .path = "/x"));
  fx_at(&fx, 1000);
  on_ethernet(2, FOREIGN_SERVER, FOREIGN_CLIENT, NON(CODE_205, 9, "aa"));
  fx_at(&fx, 20000);
  on_ethernet(1, FOREIGN_CLIENT, GROUP, NON(GET, 8, "ab", .path = "/x"));
  fx_at(&fx, 21000);
  on_ethernet(3, GROUP, FOREIGN_CLIENT, NON(CODE_205, 10, "ab")); /* nobody else is known by this */
  fx_at(&fx, 22000);
  on_ethernet(2, GROUP, FOREIGN_CLIENT, NON(CODE_205, 11, "ab"));
  ck_assert_int_eq(foreign("GC-1-01"), JDG_WARN);
  const struct jdg_result *r = fx_result(&fx, "GC-1-01", fx_node_named(&fx, "2001:db8::88"));
  ck_assert_uint_eq(r->finding_count, 1);
  ck_assert_uint_eq(r->findings[0].frame, 5);
  r = fx_result(&fx, "GC-1-01", fx_node_named(&fx, "ff35::1"));
  ck_assert_uint_eq(r->finding_count, 1);
  ck_assert_uint_eq(r->findings[0].frame, 4);
}
END_TEST

/* The Message ID may have named another message since, one that nobody saw. */
START_TEST(elsewhere_a_reset_after_non_lifetime_tells_nothing) {
  const uint64_t times[] = {144000, 145000};
  const enum jdg_verdict verdicts[] = {JDG_FAIL, JDG_NOT_EXERCISED};
  for (int i = 0; i < 2; i++) {
    if (i) teardown();
    if (i) setup();
    fx_see(&fx, FOREIGN_CLIENT, GROUP, NON(GET, 7, "aa", .path = "/x"));
    fx_at(&fx, times[i]);
    fx_see(&fx, FOREIGN_SERVER, FOREIGN_CLIENT, RST(7));
    fx_close_at(&fx, 300000);
    ck_assert_int_eq(fx_verdict(&fx, "COAP-8.1-03", fx_node_named(&fx, "2001:db8::88")),
                     verdicts[i]);
  }
}
END_TEST

START_TEST(elsewhere_an_error_to_a_bad_group_message_is_seen) {
  fx_see(&fx, FOREIGN_CLIENT, GROUP, NON(GET, 7, "aa", .path = "/x", .options = {{65001, ""}}));
  fx_at(&fx, 2000);
  fx_see(&fx, FOREIGN_SERVER, FOREIGN_CLIENT, NON(CODE_402, 9, "aa"));
  ck_assert_int_eq(foreign("COAP-5.4.1-02"), JDG_FAIL);
}
END_TEST

START_TEST(elsewhere_an_ack_to_a_group_message_is_seen) {
  fx_see(&fx, FOREIGN_CLIENT, GROUP, NON(GET, 7, "aa", .path = "/x"));
  fx_at(&fx, 2000);
  fx_see(&fx, FOREIGN_SERVER, FOREIGN_CLIENT, ACK(CODE_205, 7, "aa"));
  ck_assert_int_eq(foreign("COAP-4.3-01"), JDG_FAIL);
}
END_TEST

START_TEST(elsewhere_an_ordinary_answer_is_no_deviation) {
  fx_see(&fx, FOREIGN_CLIENT, GROUP, NON(GET, 7, "aa", .path = "/x"));
  fx_at(&fx, 2000);
  fx_see(&fx, FOREIGN_SERVER, FOREIGN_CLIENT, NON(CODE_205, 7, "aa", .payload = "on"));
  fx_close_at(&fx, 60000);
  for (size_t i = 0; i < jdg_result_count(fx.judge); i++) {
    const struct jdg_result *r = jdg_result_get(fx.judge, i);
    ck_assert_msg(r->verdict != JDG_FAIL && r->verdict != JDG_WARN, "%s", r->rule->id);
  }
}
END_TEST

START_TEST(a_reset_judge_is_as_new) {
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_close_at(&fx, 1000);
  jdg_reset(fx.judge, &(struct jdg_config){.profile = JDG_BIS_18});
  ck_assert_uint_eq(jdg_node_count(fx.judge), 0);
  ck_assert_uint_eq(jdg_result_count(fx.judge), 0);
  fx.now = 0;
  c = fx_node(&fx, "c1", CLIENT);
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_close_at(&fx, 1000);
  ck_assert_uint_eq(jdg_counts_get(fx.judge).packets, 1);
}
END_TEST

START_TEST(unknown_rules_cannot_be_selected) {
  const char *ids[] = {"GC-2.3.1-02", "GC-9.9.9-99"};
  ck_assert_str_eq(jdg_select(fx.judge, ids, 2), "GC-9.9.9-99");
  ck_assert_ptr_null(jdg_select(fx.judge, ids, 1));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("judge");
  TCase *tc = tcase_create("conversation");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, counts_what_it_sees);
  tcase_add_test(tc, finds_hosts_of_a_capture_made_elsewhere);
  tcase_add_test(tc, ignores_what_is_not_coap);
  tcase_add_test(tc, one_transmission_seen_at_two_interfaces_counts_once);
  tcase_add_test(tc, retransmissions_in_a_merged_capture_count_once);
  tcase_add_test(tc, the_same_place_twice_is_another_transmission);
  tcase_add_test(tc, so_many_places_are_a_bridge);
  tcase_add_test(tc, what_is_seen_elsewhere_much_later_is_new);
  tcase_add_test(tc, elsewhere_a_reset_tells_that_a_group_message_was_received);
  tcase_add_test(tc, elsewhere_a_reset_after_non_lifetime_tells_nothing);
  tcase_add_test(tc, elsewhere_who_sends_from_the_group_is_known_by_the_link_layer);
  tcase_add_test(tc, elsewhere_an_error_to_a_bad_group_message_is_seen);
  tcase_add_test(tc, elsewhere_an_ack_to_a_group_message_is_seen);
  tcase_add_test(tc, elsewhere_an_ordinary_answer_is_no_deviation);
  tcase_add_test(tc, a_reset_judge_is_as_new);
  tcase_add_test(tc, unknown_rules_cannot_be_selected);
  suite_add_tcase(suite, tc);
  return check_run(suite);
}
