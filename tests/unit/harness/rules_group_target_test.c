/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on what a group request asks for: its target, its options, and that it is really sent. */
#include "rules_client_fixture.h"

static struct cfx t;

struct one_request {
  const char *to;
  const struct fx_message *message;
  enum jdg_profile profile;
  enum jdg_verdict verdict;
};

static void check(const char *rule, const struct one_request *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    cfx_open(&t, cases[i].profile);
    cfx_send(&t, 0, cases[i].to, cases[i].message);
    enum jdg_verdict verdict = cfx_end(&t, 1000, rule);
    ck_assert_msg(verdict == cases[i].verdict, "%s, case %zu: %s", rule, i,
                  jdg_verdict_name(verdict));
    fx_free(&t.fx);
  }
}
#define CHECK_ALL(rule, ...)                               \
  do {                                                     \
    const struct one_request cases_[] = {__VA_ARGS__};     \
    check(rule, cases_, sizeof cases_ / sizeof cases_[0]); \
  } while (0)
#define GET_WITH(...) NON(GET, 1, "aa", .path = "/x", .options = {__VA_ARGS__})

START_TEST(no_host_for_a_literal) {
  CHECK_ALL("COAP-5.10.1-01", /* "[ff35::1]", "ff35::1", "lamps.example", "Lamps.example" */
            {GROUP, GET_WITH({DIS_URI_HOST, "5b666633353a3a315d"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_URI_HOST, "666633353a3a31"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_URI_HOST, "4c616d70732e6578616d706c65"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_URI_HOST, "6c616d70732e6578616d706c65"}), JDG_DIJK_03, JDG_PASS},
            {GROUP, GET_WITH({DIS_URI_PORT, "1633"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_URI_PORT, "1634"}), JDG_DIJK_03, JDG_PASS},
            {GROUP, NON(GET, 1, "aa", .path = "/x"), JDG_DIJK_03, JDG_PASS},
            {S1, GET_WITH({DIS_URI_PORT, "1633"}), JDG_DIJK_03, JDG_NOT_EXERCISED});
}
END_TEST

START_TEST(no_etag_in_a_group_get) {
  CHECK_ALL("COAP-8.2.1-05", {GROUP, GET_WITH({DIS_ETAG, "01"}), JDG_DIJK_03, JDG_FAIL},
            {GROUP, GET_WITH({DIS_ETAG, "01"}), JDG_RFC7390, JDG_FAIL},
            {GROUP, GET_WITH({DIS_ETAG, "01"}), JDG_BIS_18, JDG_NOT_EXERCISED},
            {GROUP, NON(GET, 1, "aa", .path = "/x"), JDG_DIJK_03, JDG_PASS},
            {S1, GET_WITH({DIS_ETAG, "01"}), JDG_DIJK_03, JDG_NOT_EXERCISED},
            {GROUP, NON(PUT, 1, "aa", .path = "/x"), JDG_DIJK_03, JDG_NOT_EXERCISED});
}
END_TEST

#define DISCOVER NON(GET, 1, "aa", .path = "/.well-known/core")

START_TEST(all_coap_nodes) {
  CHECK_ALL("COAP-12.8-01", {"[ff02::fd]:5683", DISCOVER, JDG_DIJK_03, JDG_PASS},
            {"[ff05::fd]:5683", DISCOVER, JDG_DIJK_03, JDG_PASS},
            {"[ff02::fe]:5683", DISCOVER, JDG_DIJK_03, JDG_WARN},
            {"[ff02::1]:5683", DISCOVER, JDG_DIJK_03, JDG_NOT_EXERCISED},
            {"[ff02::158]:5683", DISCOVER, JDG_DIJK_03, JDG_NOT_EXERCISED},
            {GROUP, DISCOVER, JDG_DIJK_03, JDG_NOT_EXERCISED},
            {"[ff02::fe]:5683", NON(GET, 1, "aa", .path = "/x"), JDG_DIJK_03, JDG_NOT_EXERCISED});
  static const struct {
    const char *group;
    enum jdg_verdict verdict;
  } v4[] = {{"224.0.1.187:5683", JDG_PASS},
            {"224.0.1.188:5683", JDG_WARN},
            {"239.255.0.1:5683", JDG_NOT_EXERCISED}};
  for (size_t i = 0; i < 3; i++) {
    cfx_open(&t, JDG_DIJK_03);
    uint32_t node = fx_node(&t.fx, "c4", "192.0.2.9");
    fx_send(&t.fx, node, "192.0.2.9:40000", v4[i].group, DISCOVER);
    fx_close_at(&t.fx, 1000);
    ck_assert_int_eq(fx_verdict(&t.fx, "COAP-12.8-01", node), v4[i].verdict);
    fx_free(&t.fx);
  }
}
END_TEST

START_TEST(block2_in_a_group_get) {
  CHECK_ALL("GC-2.3.6-01", {GROUP, GET_WITH({DIS_BLOCK2, "02"}), JDG_DIJK_03, JDG_PASS},
            {GROUP, GET_WITH({DIS_BLOCK2, ""}), JDG_DIJK_03, JDG_PASS},
            {GROUP, GET_WITH({DIS_BLOCK2, "12"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_BLOCK2, "12"}), JDG_BIS_18, JDG_PASS},
            {GROUP, GET_WITH({DIS_BLOCK2, "0a"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_BLOCK2, "07"}), JDG_BIS_18, JDG_WARN},
            {GROUP, GET_WITH({DIS_BLOCK2, "02"}, {DIS_BLOCK2, "02"}), JDG_DIJK_03, JDG_WARN},
            {S1, GET_WITH({DIS_BLOCK2, "12"}), JDG_DIJK_03, JDG_NOT_EXERCISED},
            {GROUP, NON(GET, 1, "aa", .path = "/x"), JDG_DIJK_03, JDG_NOT_EXERCISED});
}
END_TEST

START_TEST(further_blocks_by_unicast) {
  CHECK_ALL("GC-2.3.6-02", {GROUP, GET_WITH({DIS_BLOCK2, "12"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, GET_WITH({DIS_BLOCK2, "12"}), JDG_BIS_18, JDG_NOT_EXERCISED},
            {GROUP, GET_WITH({DIS_BLOCK2, "02"}), JDG_DIJK_03, JDG_NOT_EXERCISED},
            {S1, GET_WITH({DIS_BLOCK2, "12"}), JDG_DIJK_03, JDG_NOT_EXERCISED});
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, GROUP, NON(GET, 1, "aa", .path = "/x"));
  cfx_answer(&t, 100, S1,
             NON(CODE_205, 7, "aa", .options = {{DIS_BLOCK2, "0a"}}, .payload = "0123"));
  cfx_send(&t, 200, S1, CON(GET, 2, "bb", .path = "/x", .options = {{DIS_BLOCK2, "12"}}));
  ck_verdict(&t, 1000, "GC-2.3.6-02", JDG_PASS);
}
END_TEST

START_TEST(no_block1_to_groups) {
#define PUT_WITH(...) NON(PUT, 1, "aa", .path = "/x", .payload = "on", .options = {__VA_ARGS__})
  CHECK_ALL("GC-2.3.6-05", {GROUP, PUT_WITH({DIS_BLOCK1, "0a"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, PUT_WITH({DIS_SIZE1, "02"}), JDG_DIJK_03, JDG_WARN},
            {GROUP, PUT_WITH({DIS_CONTENT_FORMAT, ""}), JDG_DIJK_03, JDG_PASS},
            {GROUP, NON(GET, 1, "aa", .path = "/x"), JDG_DIJK_03, JDG_NOT_EXERCISED},
            {S1, PUT_WITH({DIS_BLOCK1, "0a"}), JDG_DIJK_03, JDG_NOT_EXERCISED});
}
END_TEST

START_TEST(a_cache_never_stands_in_for_the_request) {
  const struct fx_message *first = NON(GET, 1, "aa", .path = "/x");
  const struct fx_message *second = NON(GET, 2, "bb", .path = "/x");
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, first, 20);
  cfx_answered(&t, 500, S1, NON(CODE_205, 7, "aa"));
  fx_at(&t.fx, 1000);
  cfx_say(&t, CHORUS_EVENT_REQUEST, "q2", GROUP, true, second, NULL, 20 * CHORUS_SECOND);
  cfx_say(&t, CHORUS_EVENT_DELIVER, "q2", S1, true, NON(CODE_205, 7, "bb"), NULL, 0);
  ck_verdict(&t, 30000, "COAP-8.2.1-01", JDG_WARN);
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, GROUP, first, 20);
  cfx_answered(&t, 500, S1, NON(CODE_205, 7, "aa"));
  cfx_ask(&t, 1000, GROUP, second, 20);
  cfx_answered(&t, 1500, S1, NON(CODE_205, 8, "bb"));
  ck_verdict(&t, 30000, "COAP-8.2.1-01", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03); /* a program that never sent it has no Token to tell */
  struct chorus_event asked = {.type = CHORUS_EVENT_REQUEST, .request = "q2", .code = GET};
  struct chorus_event given = {.type = CHORUS_EVENT_DELIVER, .request = "q2"};
  asked.group = true;
  asked.peer = fx_endpoint(GROUP);
  given.peer = fx_endpoint(S1);
  jdg_event(t.fx.judge, t.c, t.fx.now, &asked);
  jdg_event(t.fx.judge, t.c, t.fx.now, &given);
  ck_verdict(&t, 30000, "COAP-8.2.1-01", JDG_WARN);
  cfx_open(&t, JDG_DIJK_03); /* announced a little before it is sent */
  cfx_say(&t, CHORUS_EVENT_REQUEST, "q1", GROUP, true, first, NULL, 20 * CHORUS_SECOND);
  cfx_send(&t, 1, GROUP, first);
  cfx_say(&t, CHORUS_EVENT_DELIVER, "q1", S1, true, NON(CODE_205, 9, "aa"), NULL, 0);
  ck_verdict(&t, 30000, "COAP-8.2.1-01", JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_BIS_18);
  cfx_ask(&t, 0, GROUP, first, 20);
  cfx_ask(&t, 1000, GROUP, second, 20);
  ck_verdict(&t, 30000, "COAP-8.2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("targets of group requests");
  tcase_add_test(tc, no_host_for_a_literal);
  tcase_add_test(tc, no_etag_in_a_group_get);
  tcase_add_test(tc, all_coap_nodes);
  tcase_add_test(tc, block2_in_a_group_get);
  tcase_add_test(tc, further_blocks_by_unicast);
  tcase_add_test(tc, no_block1_to_groups);
  tcase_add_test(tc, a_cache_never_stands_in_for_the_request);
  return cfx_main(tc);
}
