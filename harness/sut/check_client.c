/* SPDX-License-Identifier: BSD-2-Clause */
/* Positive controls of a client: each declared argument has to show on the wire. */
#include <stdio.h>
#include <stdlib.h>

#include "sut/check_session.h"

enum {
  OPTION_OBSERVE = 6,
  OPTION_CONTENT_FORMAT = 12,
  OPTION_ACCEPT = 17,
  OPTION_NO_RESPONSE = 258
};
#define PATIENCE (4 * CHORUS_SECOND)

/* How an argument shows itself. */
enum show { IN_OPTION, IN_TYPE, IN_TOKEN, IN_CODE, IN_HOPS, IN_PAYLOAD, IN_TIMEOUT };

static const struct argument_control {
  const char *argument, *value, *method, *path;
  enum show show;
  uint16_t option;
  const char *wanted; /* on the wire */
  bool group;
} controls[] = {
    {"method", "POST", "POST", "/counter", IN_CODE, 0, "02", false},
    {"type", "NON", "GET", "/state", IN_TYPE, 0, "1", false},
    {"type", "CON", "GET", "/state", IN_TYPE, 0, "0", false},
    {"payload", "hello", "PUT", "/state", IN_PAYLOAD, 0, "hello", false},
    {"payload-hex", "776f726c64", "PUT", "/state", IN_PAYLOAD, 0, "world", false},
    {"token", "c0ffee", "GET", "/state", IN_TOKEN, 0, "c0ffee", false},
    {"no-response", "26", "GET", "/state", IN_OPTION, OPTION_NO_RESPONSE, "1a", true},
    {"accept", "50", "GET", "/state", IN_OPTION, OPTION_ACCEPT, "32", false},
    {"content-format", "50", "PUT", "/state", IN_OPTION, OPTION_CONTENT_FORMAT, "32", false},
    {"observe", "0", "GET", "/state", IN_OPTION, OPTION_OBSERVE, "", false},
    {"option", "65004=abcd", "GET", "/state", IN_OPTION, 65004, "abcd", false},
    {"hop-limit", "7", "GET", "/state", IN_HOPS, 0, "7", true},
    {"timeout", "2s", "GET", "/state", IN_TIMEOUT, 0, "2 s", true},
};

/* The first message of the stack after number |from|. */
static const struct sut_seen *message_after(const struct sut_session *s, size_t from) {
  for (size_t i = from; i < s->seen_count; i++)
    if (s->seen[i].code > 0 && s->seen[i].code < 32) return &s->seen[i];
  return NULL;
}

static bool token_is(const struct sut_seen *m, const char *hex) {
  char text[20] = "";
  for (size_t i = 0; i < m->token_length; i++) snprintf(text + 2 * i, 3, "%02x", m->token[i]);
  return strcmp(text, hex) == 0;
}

static bool server_has(const struct sut_session *s, const char *payload) {
  const struct sut_said *last = NULL;
  for (uint32_t i = 0; i < s->scenario->node_count; i++)
    if (i != s->stack) sut_session_events(s, i, CHORUS_EVENT_STATE, NULL, &last);
  for (size_t i = 0; i < s->said_count; i++)
    if (s->said[i].type == CHORUS_EVENT_STATE && strcmp(s->said[i].payload, payload) == 0)
      return true;
  return false;
}

static bool ended_in_time(const struct sut_session *s, const struct sut_answer *a,
                          const struct sut_seen *m) {
  const struct sut_said *done = NULL;
  if (sut_session_events(s, s->stack, CHORUS_EVENT_DONE, a->id, &done) == 0) return false;
  chorus_time after = done->at - m->at;
  return after >= 1900 * CHORUS_MILLISECOND && after <= 2 * CHORUS_SECOND + SUT_SLACK;
}

static bool shows(const struct sut_session *s, const struct argument_control *c,
                  const struct sut_answer *a, const struct sut_seen *m) {
  const char *value = c->show == IN_OPTION ? sut_seen_option(m, c->option) : NULL;
  switch (c->show) {
    case IN_OPTION: return value && strcmp(value, c->wanted) == 0;
    case IN_TYPE: return m->type == (uint8_t)(c->wanted[0] - '0');
    case IN_TOKEN: return token_is(m, c->wanted);
    case IN_CODE: return m->code == (uint8_t)strtoul(c->wanted, NULL, 16);
    case IN_HOPS: return m->hop_limit == (uint8_t)strtoul(c->wanted, NULL, 10);
    case IN_PAYLOAD: return server_has(s, c->wanted);
    case IN_TIMEOUT: return ended_in_time(s, a, m);
  }
  return false;
}

static void check_argument(struct sut_session *s, const struct argument_control *c) {
  const char *more[] = {c->argument, c->value, NULL};
  bool method = strcmp(c->argument, "method") == 0;
  bool long_wait = c->show == IN_TIMEOUT;
  size_t from = s->seen_count;
  const char *uri =
      scn_print(s->report->arena, "coap://%s%s", c->group ? "$GROUP" : "$ADDRESS", c->path);
  struct sut_answer a = sut_session_ask(s, s->stack, c->method, uri, method ? NULL : more,
                                        long_wait || c->show == IN_OPTION ? 0 : 1, PATIENCE);
  const struct sut_seen *m = message_after(s, from);
  const char *name = scn_print(s->report->arena, "request: %s %s", c->argument, c->value);
  sut_judge(s, m && shows(s, c, &a, m), name, "shows as it should",
            m ? "the request left, and does not show it" : "no request left");
}

static void check_arguments(struct sut_session *s, const struct sut_verb *request) {
  for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
    const struct argument_control *c = &controls[i];
    bool needs_method = strcmp(c->method, "GET") != 0 && !sut_verb_takes(request, "method");
    if (sut_verb_takes(request, c->argument) && !needs_method) check_argument(s, c);
  }
}

static void check_requests(struct sut_session *s) {
  char code[16];
  struct sut_answer a =
      sut_session_ask(s, s->stack, "GET", "coap://$ADDRESS/state", NULL, 1, PATIENCE);
  sut_judge(s, a.count == 1 && strcmp(a.payload, "one") == 0, "request: unicast",
            "the response is delivered with its payload",
            scn_print(s->report->arena, "%u deliveries; the last: %s \"%.60s\"", a.count,
                      dis_code_text(a.code, code), a.payload));
  bool told = sut_session_events(s, s->stack, CHORUS_EVENT_REQUEST, a.id, NULL) == 1;
  sut_judge(s, told, "event request", "said once", "not said once for one request");
  a = sut_session_ask(s, s->stack, "GET", "coap://$GROUP/state", NULL, 2, PATIENCE);
  sut_judge(s, a.count == 2, "request: group", "the responses of both members are delivered",
            scn_print(s->report->arena, "%u of 2 responses are delivered", a.count));
}

static void check_forget(struct sut_session *s) {
  if (!sut_verb_find(s->part, "forget")) return;
  struct sut_answer a =
      sut_session_ask(s, s->stack, "GET", "coap://$GROUP/state", NULL, 1, PATIENCE);
  const char *const of[] = {"of", a.id, NULL};
  int status = sut_session_command(s, s->stack, "forget", of);
  unsigned before = sut_session_events(s, s->stack, CHORUS_EVENT_DELIVER, a.id, NULL);
  sut_session_run(s, PATIENCE);
  unsigned after = sut_session_events(s, s->stack, CHORUS_EVENT_DELIVER, a.id, NULL);
  bool done = sut_session_events(s, s->stack, CHORUS_EVENT_DONE, a.id, NULL) == 1;
  sut_judge(s, status == CHORUS_OK && done && after == before, "verb forget",
            "the request is done, and nothing more is delivered",
            status != CHORUS_OK ? "the command was turned down"
            : done              ? "something was delivered afterwards"
                                : "no event done");
}

static void check_repeat(struct sut_session *s) {
  const struct sut_verb *verb = sut_verb_find(s->part, "repeat");
  if (!verb) return;
  struct sut_answer a =
      sut_session_ask(s, s->stack, "GET", "coap://$GROUP/state", NULL, 1, PATIENCE);
  const struct sut_seen *first = s->seen_count ? &s->seen[s->seen_count - 1] : NULL;
  uint16_t mid = first ? first->mid : 0;
  size_t from = s->seen_count;
  const char *const of[] = {"of", a.id, NULL};
  int status = sut_session_command(s, s->stack, "repeat", of);
  sut_session_run(s, PATIENCE);
  const struct sut_seen *m = message_after(s, from);
  sut_judge(s, status == CHORUS_OK && m && m->mid != mid, "verb repeat",
            "sent again under a new Message ID",
            m ? "under the same Message ID" : "nothing was sent again");
}

static void check_restart(struct sut_session *s) {
  if (!sut_verb_find(s->part, "restart")) return;
  int status = sut_session_command(s, s->stack, "restart", NULL);
  sut_session_run(s, CHORUS_SECOND);
  struct sut_answer a =
      sut_session_ask(s, s->stack, "GET", "coap://$ADDRESS/state", NULL, 1, PATIENCE);
  sut_judge(s, status == CHORUS_OK && a.count == 1, "verb restart", "asks and hears again",
            status == CHORUS_OK ? "no response after it" : "the command was turned down");
}

void sut_check_client(struct sut_session *s) {
  check_requests(s);
  check_arguments(s, sut_verb_find(s->part, "request"));
  check_repeat(s);
  check_forget(s);
  check_restart(s);
}
