/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on how a group request looks: type, transport, ports, group address and scope. */
#include "rules_client_fixture.h"

static struct cfx t;
#define Q(mid, token, ...) NON(GET, mid, token, .path = "/x", ##__VA_ARGS__)

START_TEST(group_requests_are_non_confirmable) {
  static const char *const rules[] = {"GC-2.3.1-02", "GC-2.3.4-04", "COAP-8.1-01"};
  for (size_t i = 0; i < 3; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, GROUP, CON(GET, 1, "aa", .path = "/x"));
    ck_verdict(&t, 1000, rules[i], JDG_FAIL);
    cfx_open(&t, JDG_RFC7390);
    cfx_send(&t, 0, GROUP, Q(1, "aa"));
    ck_verdict(&t, 1000, rules[i], JDG_PASS);
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, S1, CON(GET, 1, "aa", .path = "/x"));
    ck_verdict(&t, 1000, rules[i], JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(a_group_request_in_a_reply_is_not_non_confirmable) {
  static const int types[] = {DIS_ACK, DIS_RST};
  for (size_t i = 0; i < 2; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, GROUP, FX(types[i], GET, 1, "aa", .path = "/x"));
    ck_verdict(&t, 1000, "GC-2.3.1-02", JDG_FAIL);
    cfx_open(&t, JDG_DIJK_03); /* a response to the group is no request */
    cfx_send(&t, 0, GROUP, FX(types[i], CODE_205, 1, "aa"));
    ck_verdict(&t, 1000, "GC-2.3.1-02", JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(a_copy_of_a_confirmable_group_request_is_one_finding) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, GROUP, CON(GET, 1, "aa", .path = "/x"));
  cfx_send(&t, 2500, GROUP, CON(GET, 1, "aa", .path = "/x"));
  fx_close_at(&t.fx, 10000);
  ck_assert_uint_eq(fx_result(&t.fx, "GC-2.3.1-02", t.c)->finding_total, 1);
  ck_assert_str_eq(fx_result(&t.fx, "GC-2.3.1-02", t.c)->findings[0].expected, "request type NON");
  ck_assert_str_eq(fx_result(&t.fx, "GC-2.3.1-02", t.c)->findings[0].actual,
                   "request type CON, mid=0x0001");
  fx_free(&t.fx);
}
END_TEST

START_TEST(somebody_elses_group_request_is_not_the_clients) {
  cfx_open(&t, JDG_DIJK_03);
  uint32_t attacker = fx_tester(&t.fx, "attacker", "2001:db8::99");
  fx_send(&t.fx, attacker, CLIENT, GROUP, CON(GET, 1, "aa", .path = "/x"));
  ck_verdict(&t, 1000, "GC-2.3.1-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(announced_group_requests_go_to_the_group) {
  static const char *const rules[] = {"GC-1.1-01", "GC-2.4-01"};
  for (size_t i = 0; i < 2; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, S1, Q(1, "aa"));
    cfx_say(&t, CHORUS_EVENT_REQUEST, "q", GROUP, true, Q(1, "aa"), NULL, 0);
    ck_verdict(&t, 1000, rules[i], JDG_WARN);
    cfx_open(&t, JDG_DIJK_03);
    cfx_ask(&t, 0, GROUP, Q(1, "aa"), 20);
    ck_verdict(&t, 1000, rules[i], JDG_PASS);
    cfx_open(&t, JDG_DIJK_03); /* by way of a proxy */
    const struct fx_message *m = Q(1, "aa", .options = {{DIS_PROXY_SCHEME, "636f6170"}});
    cfx_send(&t, 0, S1, m);
    cfx_say(&t, CHORUS_EVENT_REQUEST, "q", GROUP, true, m, NULL, 0);
    ck_verdict(&t, 1000, rules[i], JDG_NOT_EXERCISED);
    cfx_open(&t, JDG_DIJK_03);
    cfx_ask(&t, 0, S1, Q(1, "aa"), 20);
    ck_verdict(&t, 1000, rules[i], JDG_NOT_EXERCISED);
  }
}
END_TEST

static void open_pure_client(void) {
  struct jdg_ics ics = cfx_ics();
  ics.groups_declared = true;
  cfx_open(&t, JDG_DIJK_03);
  jdg_set_ics(t.fx.judge, t.c, &ics);
}

START_TEST(a_pure_client_neither_joins_nor_answers) {
  open_pure_client();
  cfx_say(&t, CHORUS_EVENT_JOIN, NULL, GROUP, true, NULL, NULL, 0);
  cfx_send(&t, 1, GROUP, Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.1-04", JDG_WARN);
  open_pure_client();
  cfx_send(&t, 1, GROUP, Q(1, "aa"));
  fx_receive(&t.fx, t.c, CLIENT, GROUP, Q(1, "aa"));
  fx_send(&t.fx, t.c, "[2001:db8::c]:5683", CLIENT, NON(CODE_205, 7, "aa"));
  ck_verdict(&t, 1000, "GC-2.1-04", JDG_WARN);
  open_pure_client();
  cfx_send(&t, 1, GROUP, Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.1-04", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03); /* a member may well be a client, too */
  cfx_say(&t, CHORUS_EVENT_JOIN, NULL, GROUP, true, NULL, NULL, 0);
  cfx_send(&t, 1, GROUP, Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.1-04", JDG_NOT_EXERCISED);
}
END_TEST

static void ask_from(uint64_t ms, const char *from, const struct fx_message *m) {
  fx_at(&t.fx, ms);
  fx_send(&t.fx, t.c, from, GROUP, m);
  cfx_say(&t, CHORUS_EVENT_REQUEST, m->token, GROUP, true, m, NULL, 20 * CHORUS_SECOND);
}

START_TEST(one_source_port_per_client) {
  cfx_open(&t, JDG_DIJK_03);
  ask_from(0, CLIENT, Q(1, "aa"));
  ask_from(1000, "[2001:db8::c]:40001", Q(2, "bb"));
  ck_verdict(&t, 5000, "GC-2.3.1-01", JDG_WARN);
  cfx_open(&t, JDG_DIJK_03);
  ask_from(0, CLIENT, Q(1, "aa"));
  ask_from(1000, CLIENT, Q(2, "bb"));
  ck_verdict(&t, 5000, "GC-2.3.1-01", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03); /* a new socket once nothing is outstanding */
  ask_from(0, CLIENT, Q(1, "aa"));
  cfx_done(&t, 1000, GROUP, Q(1, "aa"), "timeout");
  ask_from(2000, "[2001:db8::c]:40001", Q(2, "bb"));
  ck_verdict(&t, 5000, "GC-2.3.1-01", JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* two clients of one host, in a capture made elsewhere */
  fx_see(&t.fx, "[2001:db8::d]:40000", GROUP, Q(1, "aa"));
  fx_see(&t.fx, "[2001:db8::d]:40001", GROUP, Q(2, "bb"));
  fx_close_at(&t.fx, 5000);
  uint32_t host = fx_node_named(&t.fx, "2001:db8::d");
  ck_assert_int_eq(fx_verdict(&t.fx, "GC-2.3.1-01", host), JDG_NOT_EXERCISED);
  fx_free(&t.fx);
}
END_TEST

START_TEST(the_groups_port_is_used) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, "[ff35::1]:40000", Q(1, "aa"));
  cfx_say(&t, CHORUS_EVENT_REQUEST, "q", GROUP, true, Q(1, "aa"), NULL, 0);
  ck_verdict(&t, 1000, "GC-2.3.2-03", JDG_FAIL);
  cfx_open(&t, JDG_DIJK_03);
  cfx_ask(&t, 0, "[ff35::1]:61616", Q(1, "aa"), 20);
  ck_verdict(&t, 1000, "GC-2.3.2-03", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03); /* two groups on one address, nothing announced */
  cfx_send(&t, 0, "[ff35::1]:61616", Q(1, "aa"));
  cfx_send(&t, 0, GROUP, Q(2, "bb"));
  ck_verdict(&t, 1000, "GC-2.3.2-03", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(port_5684_is_not_for_groups) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, "[ff35::1]:5684", Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.3.2-08", JDG_FAIL);
  cfx_open(&t, JDG_DIJK_03);
  fx_send(&t.fx, t.c, "[2001:db8::c]:5684", GROUP, Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.3.2-08", JDG_FAIL);
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, GROUP, Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.3.2-08", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03); /* DTLS-secured unicast is what the port is for */
  cfx_send(&t, 0, "[2001:db8::1]:5684", Q(1, "aa"));
  ck_verdict(&t, 1000, "GC-2.3.2-08", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(no_dtls_over_multicast) {
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, GROUP,
           RAW("16fefd000000000000000000"
               "10aabb"));
  ck_verdict(&t, 1000, "COAP-8.1-06", JDG_WARN);
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, GROUP, Q(1, "aa"));
  ck_verdict(&t, 1000, "COAP-8.1-06", JDG_PASS);
  cfx_open(&t, JDG_DIJK_03);
  cfx_send(&t, 0, S1,
           RAW("16fefd000000000000000000"
               "10aabb"));
  ck_verdict(&t, 1000, "COAP-8.1-06", JDG_NOT_EXERCISED);
}
END_TEST

static void open_scoped(unsigned needed) {
  struct jdg_ics ics = cfx_ics();
  ics.needed_scope = needed;
  cfx_open(&t, JDG_DIJK_03);
  jdg_set_ics(t.fx.judge, t.c, &ics);
}

/* By a client of its own: t.c from here on. */
static void ask_by_ipv4(unsigned needed, const char *group) {
  struct jdg_ics ics = cfx_ics();
  ics.needed_scope = needed;
  t.c = fx_node(&t.fx, "c4", "192.0.2.9");
  jdg_set_ics(t.fx.judge, t.c, &ics);
  fx_send(&t.fx, t.c, "192.0.2.9:40000", group, Q(1, "aa"));
}

START_TEST(the_smallest_scope_that_suffices) {
  static const struct {
    const char *group;
    unsigned needed;
    enum jdg_verdict smallest, preferred;
  } cases[] = {
      {"[ff02::fd]:5683", 2, JDG_PASS, JDG_NOT_EXERCISED},
      {"[ff03::fd]:5683", 2, JDG_WARN, JDG_PASS},
      {"[ff05::fd]:5683", 3, JDG_WARN, JDG_WARN},
      {"[ff05::fd]:5683", 5, JDG_PASS, JDG_PASS},
      {"[ff0e::fd]:5683", 5, JDG_WARN, JDG_WARN},
      {"[ff0e::fd]:5683", 8, JDG_WARN, JDG_PASS},
      {"[ff0e::fd]:5683", 14, JDG_PASS, JDG_PASS},
      {"[ff0e::fd]:5683", 0, JDG_NOT_EXERCISED, JDG_NOT_EXERCISED},
      {"224.0.1.187:5683", 2, JDG_NOT_EXERCISED, JDG_NOT_EXERCISED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool v4 = cases[i].group[0] != '[';
    for (int rule = 0; rule < 2; rule++) {
      open_scoped(cases[i].needed);
      if (v4)
        ask_by_ipv4(cases[i].needed, cases[i].group);
      else
        fx_send(&t.fx, t.c, CLIENT, cases[i].group, Q(1, "aa"));
      ck_verdict(&t, 1000, rule ? "GC-2.3.4-13" : "GC-2.3.4-12",
                 rule ? cases[i].preferred : cases[i].smallest);
    }
  }
}
END_TEST

START_TEST(a_hop_limit_of_one_reaches_the_link_only) {
  for (unsigned hops = 1; hops <= 2; hops++) {
    uint8_t coap[256], packet[512];
    struct chorus_endpoint from = fx_endpoint(CLIENT), to = fx_endpoint("[ff05::fd]:5683");
    open_scoped(5);
    size_t length = fx_packet(&from, &to, coap, fx_build(Q(1, "aa"), coap), packet);
    packet[7] = (uint8_t)hops;
    struct cap_packet p = {.frame = 1,
                           .interface = t.c,
                           .link_type = 101,
                           .direction = DIS_OUTBOUND,
                           .data = packet,
                           .length = length,
                           .original_length = length};
    jdg_packet(t.fx.judge, &p);
    ck_verdict(&t, 1000, "GC-2.3.4-12", hops == 1 ? JDG_WARN : JDG_PASS);
  }
}
END_TEST

static void ask_on_6lowpan(enum jdg_tristate sixlowpan, const char *group, size_t payload,
                           const char *oscore) {
  char text[200];
  struct jdg_ics ics = cfx_ics();
  ics.sixlowpan = sixlowpan;
  memset(text, 'x', sizeof text);
  text[payload] = '\0';
  cfx_open(&t, JDG_DIJK_03);
  jdg_set_ics(t.fx.judge, t.c, &ics);
  if (oscore)
    cfx_send(&t, 0, group, NON(POST, 1, "aa", .payload = text, .options = {{DIS_OSCORE, oscore}}));
  else
    cfx_send(&t, 0, group, NON(POST, 1, "aa", .payload = text));
}

START_TEST(a_group_request_fits_one_frame) {
  /* 6LoWPAN: IPHC 2, address 1, NHC 1, ports 4, checksum 2; CoAP: 5, marker 1. 102 in all. */
  ask_on_6lowpan(JDG_YES, "[ff02::fd]:5683", 102 - 16, NULL);
  ck_verdict(&t, 1000, "GC-2.4.3-01", JDG_PASS);
  ask_on_6lowpan(JDG_YES, "[ff02::fd]:5683", 102 - 16 + 1, NULL);
  ck_verdict(&t, 1000, "GC-2.4.3-01", JDG_WARN);
  ask_on_6lowpan(JDG_YES, "[ff03::fd]:5683", 102 - 19, NULL);
  ck_verdict(&t, 1000, "GC-2.4.3-01", JDG_PASS);
  ask_on_6lowpan(JDG_YES, "[ff03::fd]:5683", 102 - 19 + 1, NULL);
  ck_verdict(&t, 1000, "GC-2.4.3-01", JDG_WARN);
  ask_on_6lowpan(JDG_YES, "[ff02::fd]:5683", 150, "19");
  ck_verdict(&t, 1000, "GC-2.4.3-01", JDG_INCONCLUSIVE);
  ask_on_6lowpan(JDG_UNKNOWN, "[ff02::fd]:5683", 150, NULL);
  ck_verdict(&t, 1000, "GC-2.4.3-01", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("group requests");
  tcase_add_test(tc, group_requests_are_non_confirmable);
  tcase_add_test(tc, a_group_request_in_a_reply_is_not_non_confirmable);
  tcase_add_test(tc, a_copy_of_a_confirmable_group_request_is_one_finding);
  tcase_add_test(tc, somebody_elses_group_request_is_not_the_clients);
  tcase_add_test(tc, announced_group_requests_go_to_the_group);
  tcase_add_test(tc, a_pure_client_neither_joins_nor_answers);
  tcase_add_test(tc, one_source_port_per_client);
  tcase_add_test(tc, the_groups_port_is_used);
  tcase_add_test(tc, port_5684_is_not_for_groups);
  tcase_add_test(tc, no_dtls_over_multicast);
  tcase_add_test(tc, the_smallest_scope_that_suffices);
  tcase_add_test(tc, a_hop_limit_of_one_reaches_the_link_only);
  tcase_add_test(tc, a_group_request_fits_one_frame);
  return cfx_main(tc);
}
