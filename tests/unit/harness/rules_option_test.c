/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-5.4.1-01 and -02, COAP-5.4.5-01, COAP-5.7.2-01, OBS-2-01: options. */
#include "rules_message.h"

#define ELECTIVE  65000
#define CRITICAL  65001
#define FORGOTTEN 2049 /* critical, and in use somewhere */
#define SILENCE   0
#define EXECUTED  1
#define RESET     2
#define CODE_505  0xa5
#define CODE_501  0xa1

static const struct request_case {
  const char *rule;
  int type;
  const char *to;
  struct fx_option options[3];
  int reaction; /* a Response Code, or one of the above */
  enum jdg_verdict verdict;
} request_cases[] = {
    {"COAP-5.4.1-01", DIS_NON, GROUP, {{ELECTIVE, "01"}}, CODE_205, JDG_PASS},
    {"COAP-5.4.1-01", DIS_NON, GROUP, {{ELECTIVE, "01"}}, CODE_402, JDG_FAIL},
    {"COAP-5.4.1-01", DIS_CON, SERVER, {{ELECTIVE, "01"}}, CODE_402, JDG_FAIL},
    {"COAP-5.4.1-01", DIS_NON, GROUP, {{ELECTIVE, "01"}}, SILENCE, JDG_NOT_EXERCISED},
    {"COAP-5.4.1-01", DIS_NON, GROUP, {{DIS_ETAG, "01"}}, CODE_205, JDG_NOT_EXERCISED},
    /* the 4.02 can be about Accept */
    {"COAP-5.4.1-01",
     DIS_NON,
     GROUP,
     {{ELECTIVE, "01"}, {DIS_ACCEPT, "28"}},
     CODE_402,
     JDG_NOT_EXERCISED},
    {"COAP-5.4.1-02", DIS_NON, GROUP, {{CRITICAL, "01"}}, SILENCE, JDG_PASS},
    {"COAP-5.4.1-02", DIS_NON, GROUP, {{CRITICAL, "01"}}, CODE_402, JDG_FAIL},
    {"COAP-5.4.1-02", DIS_NON, GROUP, {{CRITICAL, "01"}}, CODE_205, JDG_FAIL},
    {"COAP-5.4.1-02", DIS_NON, GROUP, {{CRITICAL, "01"}}, EXECUTED, JDG_FAIL},
    {"COAP-5.4.1-02", DIS_NON, GROUP, {{CRITICAL, "01"}}, RESET, JDG_WARN},
    {"COAP-5.4.1-02", DIS_NON, SERVER, {{CRITICAL, "01"}}, RESET, JDG_PASS},
    {"COAP-5.4.1-02", DIS_NON, SERVER, {{CRITICAL, "01"}}, CODE_402, JDG_FAIL},
    {"COAP-5.4.1-02", DIS_CON, SERVER, {{CRITICAL, "01"}}, CODE_402, JDG_PASS},
    {"COAP-5.4.1-02", DIS_CON, SERVER, {{CRITICAL, "01"}}, CODE_205, JDG_FAIL},
    {"COAP-5.4.1-02", DIS_NON, SERVER, {{FORGOTTEN, "01"}}, CODE_205, JDG_INCONCLUSIVE},
    {"COAP-5.4.1-02", DIS_NON, GROUP, {{ELECTIVE, "01"}}, CODE_205, JDG_NOT_EXERCISED},
    {"COAP-5.4.5-01", DIS_NON, GROUP, {{DIS_ACCEPT, ""}, {DIS_ACCEPT, "28"}}, SILENCE, JDG_PASS},
    {"COAP-5.4.5-01", DIS_NON, GROUP, {{DIS_ACCEPT, ""}, {DIS_ACCEPT, "28"}}, CODE_205, JDG_FAIL},
    {"COAP-5.4.5-01", DIS_NON, GROUP, {{DIS_ACCEPT, ""}, {DIS_ACCEPT, "28"}}, EXECUTED, JDG_FAIL},
    {"COAP-5.4.5-01", DIS_CON, SERVER, {{DIS_ACCEPT, ""}, {DIS_ACCEPT, "28"}}, CODE_402, JDG_PASS},
    {"COAP-5.4.5-01", DIS_CON, SERVER, {{DIS_ACCEPT, ""}, {DIS_ACCEPT, "28"}}, CODE_205, JDG_FAIL},
    {"COAP-5.4.5-01", DIS_NON, GROUP, {{DIS_ACCEPT, "28"}}, SILENCE, JDG_NOT_EXERCISED},
    {"COAP-5.4.5-01",
     DIS_NON,
     GROUP,
     {{DIS_IF_MATCH, "28"}, {DIS_IF_MATCH, "29"}},
     CODE_205,
     JDG_NOT_EXERCISED}, /* repeatable */
    {"COAP-5.7.2-01",
     DIS_CON,
     SERVER,
     {{DIS_PROXY_URI, "636f61703a2f2f612f62"}},
     CODE_505,
     JDG_PASS},
    {"COAP-5.7.2-01",
     DIS_CON,
     SERVER,
     {{DIS_PROXY_URI, "636f61703a2f2f612f62"}},
     CODE_402,
     JDG_FAIL},
    {"COAP-5.7.2-01",
     DIS_CON,
     SERVER,
     {{DIS_PROXY_URI, "636f61703a2f2f612f62"}},
     CODE_501,
     JDG_NOT_EXERCISED},
    /* a 4.02 of a proxy that does not know the option, and of a server that has no No-Response */
    {"COAP-5.7.2-01",
     DIS_CON,
     SERVER,
     {{DIS_PROXY_URI, "636f61703a2f2f612f62"}, {DIS_NO_RESPONSE, "02"}},
     CODE_402,
     JDG_NOT_EXERCISED},
    {"COAP-5.7.2-01", DIS_CON, SERVER, {{DIS_ETAG, "01"}}, CODE_402, JDG_NOT_EXERCISED},
};

static void answer(int type, int reaction, const struct fx_message *request) {
  later(100);
  if (reaction == EXECUTED)
    fx_event(&fx, s, CHORUS_EVENT_EXECUTE, TESTER, request, "/x", NULL, 0);
  else if (reaction == RESET)
    fx_send(&fx, s, SERVER, TESTER, RST(1));
  else if (reaction != SILENCE && type == DIS_CON)
    fx_send(&fx, s, SERVER, TESTER, ACK(reaction, 1, "aa"));
  else if (reaction != SILENCE)
    fx_send(&fx, s, SERVER, TESTER, NON(reaction, 9, "aa"));
}

START_TEST(of_a_request) {
  const struct request_case *k = &request_cases[_i];
  bool proxied = k->options[0].number == DIS_PROXY_URI;
  struct fx_message m = {.type = k->type, .code = GET, .mid = 1, .token = "aa"};
  m.path = proxied ? NULL : "/x";
  memcpy(m.options, k->options, sizeof k->options);
  to_server(TESTER, k->to, &m);
  answer(k->type, k->reaction, &m);
  EXPECT(k->rule, s, k->verdict);
}
END_TEST

/* ---- COAP-5.7.2-01: a proxy hands on what its server says ---- */

static const struct relay_case {
  bool asks;  /* a server, between request and response */
  bool apart; /* from the ACK */
  int code;
  enum jdg_verdict verdict;
} relay_cases[] = {
    {false, false, CODE_402, JDG_FAIL},         {true, false, CODE_402, JDG_NOT_EXERCISED},
    {false, true, CODE_402, JDG_NOT_EXERCISED}, {true, true, CODE_402, JDG_NOT_EXERCISED},
    {false, true, CODE_505, JDG_PASS},
};

START_TEST(of_a_proxy) {
  const struct relay_case *k = &relay_cases[_i];
  to_server(TESTER, SERVER,
            CON(GET, 1, "aa", .options = {{DIS_PROXY_URI, "636f61703a2f2f612f62"}}));
  if (k->apart) fx_send(&fx, s, SERVER, TESTER, FX(DIS_ACK, 0, 1, ""));
  later(100);
  if (k->asks) fx_send(&fx, s, SERVER, "[2001:db8::9]:5683", CON(GET, 5, "bb", .path = "/b"));
  later(100);
  fx_send(&fx, s, SERVER, TESTER, k->apart ? CON(k->code, 9, "aa") : ACK(k->code, 1, "aa"));
  EXPECT("COAP-5.7.2-01", s, k->verdict);
}
END_TEST

/* ---- clients ---- */

START_TEST(of_a_response) {
  struct fx_message *m = (struct fx_message *)NON(CODE_205, 7, "aa");
  if (_i < 2) m->options[0] = (struct fx_option){ELECTIVE, "01"};
  note(c);
  fx_send(&fx, c, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_receive(&fx, c, SERVER, CLIENT, m);
  if (_i == 0) fx_event(&fx, c, CHORUS_EVENT_DELIVER, SERVER, m, NULL, NULL, 0);
  static const enum jdg_verdict verdicts[] = {JDG_PASS, JDG_FAIL, JDG_NOT_EXERCISED};
  EXPECT("COAP-5.4.1-01", c, verdicts[_i]);
}
END_TEST

/* ---- COAP-5.4.5-01: senders, and No-Response ---- */

static const struct sent_case {
  struct fx_option options[2];
  const char *path;
  enum jdg_verdict verdict;
} sent_cases[] = {
    {{{DIS_ACCEPT, ""}, {DIS_ACCEPT, "28"}}, "/x", JDG_FAIL},
    {{{DIS_NO_RESPONSE, "02"}, {DIS_NO_RESPONSE, "1a"}}, "/x", JDG_FAIL},
    {{{DIS_ETAG, "01"}, {DIS_ETAG, "02"}}, "/a/b", JDG_PASS},
    {{{ELECTIVE, "01"}, {ELECTIVE, "02"}}, "/x", JDG_PASS}, /* unknown: who knows */
    {{{0, NULL}}, NULL, JDG_NOT_EXERCISED},
};

START_TEST(of_options_sent) {
  const struct sent_case *k = &sent_cases[_i];
  struct fx_message m = {.type = DIS_NON, .code = GET, .mid = 1, .token = "aa", .path = k->path};
  memcpy(m.options, k->options, sizeof k->options);
  fx_send(&fx, c, CLIENT, GROUP, &m);
  EXPECT("COAP-5.4.5-01", c, k->verdict);
}
END_TEST

static void honours_no_response(struct jdg_ics *ics) {
  snprintf(ics->resources[0].path, sizeof ics->resources[0].path, "/x");
  ics->resources[0].no_response = JDG_YES;
  ics->resource_count = 1;
}

static const struct twice_case {
  const char *first, *second;
  bool declared;
  bool response, broken;
} twice_cases[] = {
    {"02", "00", true, true, true},   /* 2.xx disclaimed by the first */
    {"08", "02", true, true, false},  /* 4.xx by the first, 2.xx by the second */
    {"02", "00", false, true, false}, /* a server that says nothing of No-Response */
};

START_TEST(of_two_no_response_options) {
  const struct twice_case *k = &twice_cases[_i];
  if (k->declared) declare(s, honours_no_response);
  to_server(TESTER, GROUP,
            NON(GET, 1, "aa", .path = "/x",
                .options = {{DIS_NO_RESPONSE, k->first}, {DIS_NO_RESPONSE, k->second}}));
  later(100);
  fx_send(&fx, s, SERVER, TESTER, NON(CODE_205, 9, "aa"));
  EXPECT("COAP-5.4.5-01", s, k->broken ? JDG_FAIL : k->declared ? JDG_PASS : JDG_NOT_EXERCISED);
}
END_TEST

/* A capture made elsewhere shows nobody receive a group request: the request itself tells. */
START_TEST(of_a_group_request_elsewhere) {
  static const struct {
    struct fx_option options[2];
    int code;
    enum jdg_verdict verdict;
  } cases[] = {
      {{{ELECTIVE, "01"}}, CODE_402, JDG_FAIL},
      {{{ELECTIVE, "01"}}, CODE_205, JDG_PASS},
      {{{DIS_ETAG, "01"}}, CODE_402, JDG_NOT_EXERCISED},
      {{{DIS_ACCEPT, "28"}, {ELECTIVE, "01"}}, CODE_402, JDG_NOT_EXERCISED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) {
      teardown();
      setup();
    }
    struct fx_message q = {.type = DIS_NON, .code = GET, .mid = 1, .token = "aa", .path = "/x"};
    memcpy(q.options, cases[i].options, sizeof cases[i].options);
    fx_see(&fx, MEDIUM1, GROUP, &q);
    later(1000);
    fx_see(&fx, MEDIUM2, MEDIUM1, NON(cases[i].code, 9, "aa"));
    EXPECT("COAP-5.4.1-01", fx_node_named(&fx, "2001:db8::88"), cases[i].verdict);
  }
}
END_TEST

/* ETag is repeatable in a request, and not in a response (RFC 7252, section 5.10.6). */
START_TEST(of_two_entity_tags) {
  struct fx_option twice[2] = {{DIS_ETAG, "01"}, {DIS_ETAG, "02"}};
  to_server(CLIENT, SERVER, CON(GET, 1, "aa", .path = "/x", .options = {twice[0], twice[1]}));
  later(100);
  fx_send(&fx, s, SERVER, CLIENT,
          _i ? ACK(CODE_205, 1, "aa", .options = {twice[0], twice[1]})
             : ACK(CODE_205, 1, "aa", .options = {twice[0]}));
  EXPECT("COAP-5.4.5-01", s, _i ? JDG_FAIL : JDG_PASS);
}
END_TEST

/* ---- OBS-2-01 ---- */

static const struct observe_case {
  int code;
  struct fx_option options[2];
  enum jdg_verdict verdict;
} observe_cases[] = {
    {GET, {{DIS_OBSERVE, ""}}, JDG_PASS},
    {GET, {{DIS_OBSERVE, "01"}}, JDG_PASS},
    {5, {{DIS_OBSERVE, ""}}, JDG_PASS},                      /* FETCH */
    {GET, {{DIS_OBSERVE, "02"}}, JDG_WARN},                  /* neither register nor deregister */
    {GET, {{DIS_OBSERVE, "00"}}, JDG_WARN},                  /* an octet too many */
    {GET, {{DIS_OBSERVE, "0001"}}, JDG_WARN},                /* the same */
    {GET, {{DIS_OBSERVE, ""}, {DIS_OBSERVE, ""}}, JDG_WARN}, /* twice */
    {GET, {{DIS_ETAG, "01"}}, JDG_NOT_EXERCISED},
    {PUT, {{DIS_OBSERVE, "02"}}, JDG_NOT_EXERCISED},
};

START_TEST(of_observe) {
  const struct observe_case *k = &observe_cases[_i];
  struct fx_message m = {.type = DIS_NON, .code = k->code, .mid = 1, .token = "aa", .path = "/x"};
  memcpy(m.options, k->options, sizeof k->options);
  fx_send(&fx, c, CLIENT, GROUP, &m);
  EXPECT("OBS-2-01", c, k->verdict);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_option");
  TCase *tests = new_case(suite, "option");
  tcase_add_loop_test(tests, of_a_request, 0, COUNT(request_cases));
  tcase_add_loop_test(tests, of_a_response, 0, 3);
  tcase_add_loop_test(tests, of_a_proxy, 0, COUNT(relay_cases));
  tcase_add_loop_test(tests, of_options_sent, 0, COUNT(sent_cases));
  tcase_add_loop_test(tests, of_two_no_response_options, 0, COUNT(twice_cases));
  tcase_add_loop_test(tests, of_observe, 0, COUNT(observe_cases));
  tcase_add_test(tests, of_a_group_request_elsewhere);
  tcase_add_loop_test(tests, of_two_entity_tags, 0, 2);
  return run_suite(suite);
}
