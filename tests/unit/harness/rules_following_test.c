/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-8.2-09: a link in a response to a group request leads to the server that responded. */
#include "rules_client_fixture.h"

static struct cfx t;
#define RULE   "COAP-8.2-09"
#define ASK    NON(GET, 1, "aa", .path = "/.well-known/core")
#define LINKS  NON(CODE_205, 9, "aa", .payload = "</s/1>")
#define NEXT   CON(GET, 2, "bb", .path = "/s/1")
#define BEYOND "[2001:db8::1]:6000"
#define OTHER  "[2001:db8::1:1]:5683" /* another address of the host of S1 */

/* The application follows |target| of |response| from |peer|; the request will be called f#1. */
static void follow(const char *target, const char *peer, bool group,
                   const struct fx_message *response) {
  struct chorus_event e = {.type = CHORUS_EVENT_FOLLOW,
                           .request = "aa",
                           .path = target,
                           .detail = "f#1",
                           .group = group};
  if (peer) e.peer = fx_endpoint(peer);
  if (response) {
    e.has_message = true;
    e.token_length = (uint8_t)fx_hex(response->token, e.token);
    e.mid = (uint16_t)response->mid;
    e.message_type = (uint8_t)response->type;
    e.code = (uint8_t)response->code;
  }
  jdg_event(t.fx.judge, t.c, t.fx.now, &e);
}

static void say_request(const char *to, const struct fx_message *m) {
  cfx_say(&t, CHORUS_EVENT_REQUEST, "f#1", to, strstr(to, "[ff") == to, m, NULL,
          20 * CHORUS_SECOND);
}

static void open_with_answer(enum jdg_profile profile, const char *group, const char *responder) {
  cfx_open(&t, profile);
  cfx_ask(&t, 0, group, ASK, 20);
  cfx_answered(&t, 500, responder, LINKS);
}

static void goes(const char *to, const struct fx_message *m) {
  cfx_send(&t, 600, to, m);
  say_request(to, m);
}

START_TEST(a_link_leads_to_the_responder) {
  static const struct {
    const char *target, *to;
    enum jdg_verdict verdict;
  } cases[] = {
      {"/s/1", S1, JDG_PASS},
      {"s/1", S1, JDG_PASS},
      {"?rt=a:b", S1, JDG_PASS},
      {"/s/1", S2, JDG_WARN},     /* another server */
      {"/s/1", BEYOND, JDG_WARN}, /* neither the group's port nor the responder's */
      {"s/1", GROUP, JDG_WARN},
      /* These name a host themselves. */
      {"coap://[2001:db8::2]/s/1", S2, JDG_NOT_EXERCISED},
      {"//[2001:db8::2]/s/1", S2, JDG_NOT_EXERCISED},
      {"coap://[ff35::1]/s/1", GROUP, JDG_NOT_EXERCISED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    open_with_answer(JDG_DIJK_03, GROUP, S1);
    follow(cases[i].target, S1, true, LINKS);
    goes(cases[i].to, strstr(cases[i].to, "[ff") ? NON(GET, 2, "bb", .path = "/s/1") : NEXT);
    enum jdg_verdict verdict = cfx_end(&t, 30000, RULE);
    ck_assert_msg(verdict == cases[i].verdict, "case %zu: %s", i, jdg_verdict_name(verdict));
    fx_free(&t.fx);
  }
}
END_TEST

START_TEST(in_every_profile) {
  for (int profile = 0; profile < JDG_PROFILE_COUNT; profile++) {
    open_with_answer((enum jdg_profile)profile, GROUP, S1);
    follow("/s/1", S1, true, LINKS);
    goes(GROUP, NON(GET, 2, "bb", .path = "/s/1"));
    ck_verdict(&t, 30000, RULE, JDG_WARN);
  }
}
END_TEST

START_TEST(without_the_event_nothing_is_judged) {
  open_with_answer(JDG_DIJK_03, GROUP, S1);
  goes(GROUP, NON(GET, 2, "bb", .path = "/s/1"));
  ck_verdict(&t, 30000, RULE, JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* the link of a unicast response */
  cfx_ask(&t, 0, S1, CON(GET, 1, "aa", .path = "/.well-known/core"), 20);
  cfx_answered(&t, 500, S1, LINKS);
  follow("/s/1", S1, false, LINKS);
  goes(S2, NEXT);
  ck_verdict(&t, 30000, RULE, JDG_NOT_EXERCISED);
}
END_TEST

/* The Host component is replaced (8.2), or the whole authority (8.2.1). */
START_TEST(two_ports_are_right) {
  static const char *const to[] = {"[2001:db8::1]:6000", "[2001:db8::1]:49152",
                                   "[2001:db8::1]:5683"};
  for (size_t i = 0; i < 3; i++) {
    open_with_answer(JDG_DIJK_03, "[ff35::1]:6000", to[1]);
    follow("/s/1", to[1], true, LINKS);
    goes(to[i], NEXT);
    ck_verdict(&t, 30000, RULE, i < 2 ? JDG_PASS : JDG_WARN);
  }
}
END_TEST

START_TEST(an_adapter_need_not_know_tokens) {
  static const struct {
    const char *to;
    bool group;
    enum jdg_verdict verdict;
  } cases[] = {{S1, true, JDG_PASS},
               {BEYOND, true, JDG_INCONCLUSIVE}, /* perhaps the group's port */
               {S2, true, JDG_WARN},
               {S2, false, JDG_NOT_EXERCISED}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    open_with_answer(JDG_DIJK_03, GROUP, S1);
    follow("/s/1", S1, cases[i].group, NULL);
    goes(cases[i].to, NEXT);
    ck_verdict(&t, 30000, RULE, cases[i].verdict);
  }
}
END_TEST

START_TEST(what_cannot_be_told) {
  open_with_answer(JDG_DIJK_03, GROUP, S1); /* whose link it was */
  follow("/s/1", GROUP, true, LINKS);
  goes(GROUP, NON(GET, 2, "bb", .path = "/s/1"));
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
  open_with_answer(JDG_DIJK_03, GROUP, S1);
  follow("/s/1", NULL, true, LINKS);
  goes(S2, NEXT);
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
  open_with_answer(JDG_DIJK_03, GROUP, S1); /* no event `request` */
  follow("/s/1", S1, true, LINKS);
  cfx_send(&t, 600, GROUP, NON(GET, 2, "bb", .path = "/s/1"));
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
  open_with_answer(JDG_DIJK_03, GROUP, S1); /* no packet */
  follow("/s/1", S1, true, LINKS);
  fx_at(&t.fx, 600);
  say_request(GROUP, NON(GET, 2, "bb", .path = "/s/1"));
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
  open_with_answer(JDG_DIJK_03, GROUP, S1); /* no packet but an old one under that Token */
  cfx_send(&t, 600, GROUP, NON(GET, 2, "bb", .path = "/s/1"));
  fx_at(&t.fx, 5000);
  follow("/s/1", S1, true, LINKS);
  say_request(S1, NEXT);
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
  open_with_answer(JDG_DIJK_03, GROUP, S1); /* the application says something else */
  follow("/s/1", S1, true, LINKS);
  cfx_send(&t, 600, S2, NEXT);
  say_request(S1, NEXT);
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(proxies_decide_for_themselves) {
  open_with_answer(JDG_DIJK_03, GROUP, S1);
  follow("/s/1", S1, true, LINKS);
  goes(S3, CON(GET, 2, "bb", .options = {{DIS_PROXY_URI, "636f61703a2f2f78"}}));
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
  cfx_open(&t, JDG_DIJK_03); /* the group was asked by a proxy, which has one address */
  cfx_ask(&t, 0, S3, CON(GET, 1, "aa", .options = {{DIS_PROXY_URI, "636f61703a2f2f78"}}), 20);
  cfx_answered(&t, 500, S3, LINKS);
  follow("/s/1", S3, true, LINKS);
  goes(S1, NEXT);
  ck_verdict(&t, 30000, RULE, JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_server_may_have_several_addresses) {
  const struct chorus_endpoint addresses[] = {fx_endpoint("2001:db8::1"),
                                              fx_endpoint("2001:db8::1:1")};
  fx_open(&t.fx, JDG_DIJK_03);
  t.c = fx_node(&t.fx, "c1", CLIENT);
  t.s1 = jdg_add_node(t.fx.judge, "s1", addresses, 2, true);
  jdg_bind_interface(t.fx.judge, t.s1, t.s1);
  cfx_ask(&t, 0, GROUP, ASK, 20);
  cfx_answered(&t, 500, S1, LINKS);
  follow("/s/1", S1, true, LINKS);
  goes(OTHER, NEXT);
  ck_verdict(&t, 30000, RULE, JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(a_request_need_not_go_out) {
  static const enum chorus_event_type ends[] = {CHORUS_EVENT_REFUSED, CHORUS_EVENT_DONE};
  for (size_t i = 0; i < 2; i++) {
    open_with_answer(JDG_DIJK_03, GROUP, S1);
    follow("/s/1", S1, true, LINKS);
    cfx_say(&t, ends[i], "f#1", NULL, false, NULL, "no Token is free", 0);
    ck_verdict(&t, 30000, RULE, JDG_NOT_EXERCISED);
  }
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("following");
  tcase_add_test(tests, a_link_leads_to_the_responder);
  tcase_add_test(tests, in_every_profile);
  tcase_add_test(tests, without_the_event_nothing_is_judged);
  tcase_add_test(tests, two_ports_are_right);
  tcase_add_test(tests, an_adapter_need_not_know_tokens);
  tcase_add_test(tests, what_cannot_be_told);
  tcase_add_test(tests, proxies_decide_for_themselves);
  tcase_add_test(tests, a_server_may_have_several_addresses);
  tcase_add_test(tests, a_request_need_not_go_out);
  return cfx_main(tests);
}
