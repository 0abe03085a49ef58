/* SPDX-License-Identifier: BSD-2-Clause */
/* Positive controls of a server: one for each thing that its manifest declares. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "sut/check_session.h"

enum { CONTENT = 0x45, CHANGED = 0x44, NOT_ALLOWED = 0x85, CONFLICT = 0x89, UNAVAILABLE = 0xa3 };
enum { OPTION_OBSERVE = 6 };

static bool has(const struct sut_session *s, uint32_t feature) {
  return (s->part->features & feature) != 0;
}

static bool has_kind(const struct sut_session *s, enum ref_resource_kind kind) {
  return s->part->any_resource && s->part->kinds & 1u << kind;
}

static const char *uri_of(struct sut_session *s, const char *host, const char *path) {
  return scn_print(s->report->arena, "coap://%s%s", host, path);
}

static struct sut_answer unicast(struct sut_session *s, const char *method, const char *path,
                                 const char *const *more) {
  return sut_session_ask(s, s->client, method, uri_of(s, "$ADDRESS", path), more, 1,
                         8 * CHORUS_SECOND);
}

/* The longest that a lone response to a group may take, with what real stacks need. */
static chorus_time group_patience(struct sut_session *s) {
  struct jdg_ics ics;
  jdg_ics_default(&ics);
  sut_ics(s->manifest, SCN_SERVER, &ics);
  chorus_time leisure = has(s, SUT_LEISURE) ? 2 * CHORUS_SECOND : ics.leisure;
  return leisure + SUT_SLACK;
}

static struct sut_answer ask_group(struct sut_session *s, const char *method, const char *path,
                                   const char *const *more) {
  struct sut_answer a = sut_session_ask(s, s->client, method, uri_of(s, "$GROUP", path), more, 1,
                                        2 * group_patience(s));
  return a;
}

static bool is(const struct sut_answer *a, uint8_t code, const char *payload) {
  return a->count > 0 && a->code == code && (!payload || strcmp(a->payload, payload) == 0);
}

/* "no response", "4.04", "2.05 with one": what came instead. */
static const char *seen(struct sut_session *s, const char *wanted, const struct sut_answer *a) {
  char code[16];
  if (a->count == 0) return scn_print(s->report->arena, "expected %s; no response came", wanted);
  return scn_print(s->report->arena, "expected %s; actual %s with \"%.60s\"", wanted,
                   dis_code_text(a->code, code), a->payload);
}

static void expect(struct sut_session *s, const char *name, const struct sut_answer *a,
                   uint8_t code, const char *payload, const char *wanted) {
  sut_judge(s, is(a, code, payload), name, wanted, seen(s, wanted, a));
}

static void expect_silence(struct sut_session *s, const char *name, const struct sut_answer *a,
                           const char *why) {
  char code[16];
  sut_judge(
      s, a->count == 0, name, why,
      scn_print(s->report->arena, "expected silence; actual %s", dis_code_text(a->code, code)));
}

/* That a resource is not for groups is what is declared; whether it says so is for the rules. */
static void expect_refusal(struct sut_session *s, const char *name, const struct sut_answer *a) {
  char code[16];
  bool error = a->code >> 5 == 4 || a->code >> 5 == 5;
  sut_judge(s, a->count == 0 || error, name,
            a->count == 0 ? "not reachable by a group request"
                          : scn_print(s->report->arena, "a group request gets %s",
                                      dis_code_text(a->code, code)),
            scn_print(s->report->arena, "expected silence or an error; actual %s",
                      dis_code_text(a->code, code)));
}

/* ---- resources ---- */

static void check_kinds(struct sut_session *s) {
  struct sut_answer a;
  if (has_kind(s, REF_RESOURCE_STATE)) {
    a = unicast(s, "GET", "/state", NULL);
    expect(s, "kind state: GET", &a, CONTENT, "one", "2.05 with \"one\"");
  }
  if (has_kind(s, REF_RESOURCE_COUNTER)) {
    a = unicast(s, "POST", "/counter", NULL);
    expect(s, "kind counter: POST", &a, CHANGED, NULL, "2.04");
    a = unicast(s, "GET", "/counter", NULL);
    expect(s, "kind counter: GET", &a, CONTENT, "1", "2.05 with \"1\"");
  }
  if (has_kind(s, REF_RESOURCE_FIXED)) {
    a = unicast(s, "GET", "/fixed", NULL);
    expect(s, "kind fixed", &a, CONFLICT, "no", "4.09 with \"no\"");
  }
}

static void check_methods(struct sut_session *s) {
  static const char *const two[] = {"payload", "two", NULL};
  struct sut_answer a;
  if (!has_kind(s, REF_RESOURCE_STATE)) return;
  if (s->part->methods & REF_PUT) {
    a = unicast(s, "PUT", "/state", two);
    expect(s, "method PUT", &a, CHANGED, NULL, "2.04");
    a = unicast(s, "GET", "/state", NULL);
    expect(s, "method PUT: its effect", &a, CONTENT, "two", "2.05 with \"two\"");
  }
  a = unicast(s, "PUT", "/read", two);
  expect(s, "methods that are not listed", &a, NOT_ALLOWED, NULL, "4.05");
}

/* Resources that a stack has whatever a scenario wants. */
static void check_fixed_resources(struct sut_session *s) {
  for (size_t i = 0; i < s->part->resource_count; i++) {
    const struct ref_resource *r = &s->part->resources[i];
    if (r->methods && !(r->methods & REF_GET)) continue;
    struct sut_answer a = unicast(s, "GET", r->path, NULL);
    uint8_t code = r->kind == REF_RESOURCE_FIXED ? r->code : CONTENT;
    char payload[600];
    snprintf(payload, sizeof payload, "%.*s", (int)r->payload_length,
             r->payload_length ? (const char *)r->payload : "");
    expect(s, scn_print(s->report->arena, "resource %s", r->path), &a, code,
           r->payload_length ? payload : NULL, "the answer that the manifest tells");
  }
}

/* A path that a GET of which is answered 2.05. */
static const char *base_path(const struct sut_session *s) {
  if (has_kind(s, REF_RESOURCE_STATE)) return "/state";
  if (has_kind(s, REF_RESOURCE_COUNTER)) return "/counter";
  if (s->part->any_resource) return "/fixed";
  return s->part->resource_count > 0 ? s->part->resources[0].path : "/";
}

/* ---- groups ---- */

static void check_groups(struct sut_session *s) {
  const struct ref_server_config *c = &s->scenario->nodes[s->stack].server;
  for (size_t i = 0; i < c->group_count; i++) {
    char group[CHORUS_ENDPOINT_TEXT];
    chorus_endpoint_text(&c->groups[i], group);
    const char *uri = scn_print(s->report->arena, "coap://%s%s", group, base_path(s));
    struct sut_answer a = sut_session_ask(s, s->client, "GET", uri, NULL, 1, 2 * group_patience(s));
    const char *name = scn_print(s->report->arena, "group %s", group);
    bool deaf = s->part->join_helper && s->ip == 4; /* docs/manifest.md, unmodified servers */
    sut_judge(s, a.count == 1, name, "a request to the group is answered",
              a.count ? "more than one response"
              : deaf  ? "no response to a group request; an IPv6 socket that serves IPv4 as well "
                        "hears no group of IPv4 that a helper joined: declare ip: [6]"
                      : "no response to a group request");
  }
}

static void check_leisure(struct sut_session *s) {
  const chorus_time limit = 2 * CHORUS_SECOND + SUT_SLACK;
  bool within = true, spread = false;
  if (!has(s, SUT_LEISURE) || s->part->groups == 0) return;
  for (int i = 0; i < 4; i++) {
    struct sut_answer a = ask_group(s, "GET", base_path(s), NULL);
    within = within && a.count > 0 && a.after <= limit;
    spread = spread || a.after > 50 * CHORUS_MILLISECOND;
    sut_session_run(s, limit);
  }
  sut_judge(s, within && spread, "feature leisure", "four responses within 2 s, not all at once",
            within ? "all responses come at once, whatever the Leisure"
                   : "responses are missing, or later than the Leisure of 2 s");
}

static void check_policies(struct sut_session *s) {
  static const char *const not_2xx[] = {"no-response", "2", NULL};
  static const char *const all[] = {"no-response", "0", NULL};
  struct sut_answer a;
  if (s->part->groups == 0) return;
  if (has(s, SUT_SUPPRESS) && has_kind(s, REF_RESOURCE_STATE)) {
    a = ask_group(s, "GET", "/quiet", NULL);
    expect_silence(s, "feature suppress", &a, "2xx is withheld from a group");
    a = unicast(s, "GET", "/quiet", NULL);
    expect(s, "feature suppress: control", &a, CONTENT, "one", "2.05 to unicast");
  }
  if (has(s, SUT_NO_RESPONSE)) {
    a = ask_group(s, "GET", base_path(s), not_2xx);
    expect_silence(s, "feature no-response", &a, "No-Response 2 withholds 2.05");
    a = ask_group(s, "GET", base_path(s), all);
    sut_judge(s, a.count > 0, "feature no-response: control", "No-Response 0 withholds nothing",
              "No-Response 0 is not answered");
  }
  if (has(s, SUT_NO_RESPONSE_OFF) && has_kind(s, REF_RESOURCE_STATE)) {
    a = ask_group(s, "GET", "/loud", not_2xx);
    sut_judge(s, a.count > 0, "feature no-response-off", "a resource ignores No-Response 2",
              "No-Response 2 withholds the answer of a resource that ignores it");
  }
  if (has(s, SUT_MULTICAST) && has_kind(s, REF_RESOURCE_STATE)) {
    a = ask_group(s, "GET", "/single", NULL);
    expect_refusal(s, "feature multicast", &a);
    a = unicast(s, "GET", "/single", NULL);
    expect(s, "feature multicast: control", &a, CONTENT, "one", "2.05 to unicast");
  }
}

static void check_dedup(struct sut_session *s) {
  if (!has(s, SUT_DEDUP) || !has_kind(s, REF_RESOURCE_COUNTER) || s->part->groups == 0) return;
  struct sut_answer before = unicast(s, "GET", "/counter", NULL);
  struct sut_answer a = sut_session_ask(s, s->client, "POST", uri_of(s, "$GROUP", "/counter"), NULL,
                                        0, CHORUS_SECOND);
  const char *const again[] = {"of", a.id, "mid", "same", NULL};
  sut_session_command(s, s->client, "repeat", again);
  sut_session_run(s, 2 * group_patience(s));
  struct sut_answer after = unicast(s, "GET", "/counter", NULL);
  unsigned x = 0, y = 0;
  bool ok = sscanf(before.payload, "%u", &x) == 1 && sscanf(after.payload, "%u", &y) == 1;
  sut_judge(s, ok && y == x + 1, "feature dedup", "a message that comes twice counts once",
            "the counter did not go up by one");
}

/* ---- nodes of another configuration ---- */

void sut_check_ports(struct sut_session *s) {
  struct sut_answer a = ask_group(s, "GET", base_path(s), NULL);
  bool own = s->scenario->nodes[s->stack].server.port != CHORUS_COAP_PORT;
  sut_judge(s, a.count > 0, own ? "feature one-port" : "feature ports",
            own ? "a group at its own port 61616 is served" : "a group at port 61616 is served",
            "no response from a group at port 61616");
}

void sut_check_relaxation(struct sut_session *s) {
  static const char *const all[] = {"no-response", "0", NULL};
  static const char *const name = "feature authorised-relaxation-only";
  if (!has(s, SUT_SUPPRESS) || !has_kind(s, REF_RESOURCE_STATE)) {
    sut_say(s, SUT_CHECK_SKIPPED, name, "its control needs suppress and kind state");
    return;
  }
  struct sut_answer a = ask_group(s, "GET", "/quiet", all);
  expect_silence(s, name, &a, "a stranger's No-Response 0 wins nothing");
}

/* Without knowing how a message came, a server rejects a critical option that it does not know. */
void sut_check_unaware(struct sut_session *s) {
  static const char *const critical[] = {"option", "65001=00", NULL};
  bool reset = false;
  sut_session_ask(s, s->client, "GET", uri_of(s, "$GROUP", base_path(s)), critical, 0,
                  2 * CHORUS_SECOND);
  for (size_t i = 0; i < s->seen_count; i++) reset = reset || s->seen[i].type == DIS_RST;
  sut_judge(s, reset, "feature multicast-aware",
            "made unaware, it resets a NON with an unknown critical option",
            "made unaware, it sends no Reset for an unknown critical option");
}

void sut_check_rate(struct sut_session *s) {
  static const char *const non[] = {"type", "NON", NULL};
  chorus_time begin = sut_session_now(s);
  unsigned responses = 0;
  for (int i = 0; i < 8; i++)
    sut_session_ask(s, s->client, "GET", uri_of(s, "$ADDRESS", base_path(s)), non, 0,
                    20 * CHORUS_MILLISECOND);
  sut_session_run(s, CHORUS_SECOND);
  for (size_t i = 0; i < s->seen_count; i++)
    if (s->seen[i].code >> 5 == 2 && s->seen[i].at < begin + CHORUS_SECOND) responses++;
  sut_judge(
      s, responses >= 1 && responses <= 4, "feature response-rate",
      "of 8 requests at once few are answered when 2 a second are allowed",
      scn_print(s->report->arena, "%u of 8 requests were answered within a second", responses));
}

/* ---- the rest ---- */

static void check_separate(struct sut_session *s) {
  static const char *const confirmable[] = {"type", "CON", NULL};
  if (!has(s, SUT_SEPARATE) || !has_kind(s, REF_RESOURCE_STATE)) return;
  struct sut_answer a = unicast(s, "GET", "/slow", confirmable);
  bool late = is(&a, CONTENT, "one") && a.after >= 3 * CHORUS_SECOND;
  bool acknowledged = false;
  for (size_t i = 0; i < s->seen_count; i++)
    acknowledged = acknowledged || (s->seen[i].type == DIS_ACK && s->seen[i].code == 0);
  sut_judge(s, late && acknowledged, "feature separate", "an Empty ACK, then 2.05 after 4 s",
            late ? "no Empty ACK before the response" : seen(s, "2.05 after 4 s", &a));
}

static void check_discovery(struct sut_session *s) {
  struct sut_answer a;
  bool ours = has_kind(s, REF_RESOURCE_STATE);
  if (has(s, SUT_DISCOVERY)) {
    a = unicast(s, "GET", "/.well-known/core", NULL);
    bool listed = is(&a, CONTENT, NULL) && (!ours || strstr(a.payload, "</state>"));
    sut_judge(s, listed, "feature discovery", "/.well-known/core lists the resources",
              seen(s, "2.05 with a link </state>", &a));
  }
  if (has(s, SUT_FILTER) && ours) {
    a = unicast(s, "GET", "/.well-known/core?rt=chorus-check", NULL);
    bool right =
        is(&a, CONTENT, NULL) && strstr(a.payload, "</state>") && !strstr(a.payload, "</read>");
    sut_judge(s, right, "feature filter", "rt=chorus-check gives the one resource that has it",
              seen(s, "</state> and nothing else", &a));
  }
}

static void check_observe(struct sut_session *s) {
  static const char *const observe[] = {"observe", "0", NULL};
  static const char *const set[] = {"path", "/state", "payload", "seen", NULL};
  unsigned notifications = 0;
  if (!has(s, SUT_OBSERVE) || !has_kind(s, REF_RESOURCE_STATE)) return;
  size_t before = s->seen_count;
  unicast(s, "GET", "/state", observe);
  if (sut_verb_find(s->part, "set")) sut_session_command(s, s->stack, "set", set);
  sut_session_run(s, 2 * CHORUS_SECOND);
  for (size_t i = before; i < s->seen_count; i++)
    notifications += sut_seen_option(&s->seen[i], OPTION_OBSERVE) != NULL;
  sut_judge(s, notifications >= 1, "feature observe", "responses carry the Observe option",
            "no response carries the Observe option");
}

static void check_set(struct sut_session *s) {
  static const char *const payload[] = {"path", "/state", "payload", "three", NULL};
  static const char *const hex[] = {"path", "/state", "payload-hex", "666f7572", NULL};
  static const char *const code[] = {"path", "/state", "code", "5.03", NULL};
  static const char *const normal[] = {"path", "/state", "code", "auto", NULL};
  const struct sut_verb *verb = sut_verb_find(s->part, "set");
  struct sut_answer a;
  if (!verb || !has_kind(s, REF_RESOURCE_STATE)) return;
  if (sut_verb_takes(verb, "payload")) {
    sut_session_command(s, s->stack, "set", payload);
    a = unicast(s, "GET", "/state", NULL);
    expect(s, "verb set: payload", &a, CONTENT, "three", "2.05 with \"three\"");
  }
  if (sut_verb_takes(verb, "payload-hex")) {
    sut_session_command(s, s->stack, "set", hex);
    a = unicast(s, "GET", "/state", NULL);
    expect(s, "verb set: payload-hex", &a, CONTENT, "four", "2.05 with \"four\"");
  }
  if (!sut_verb_takes(verb, "code")) return;
  sut_session_command(s, s->stack, "set", code);
  a = unicast(s, "GET", "/state", NULL);
  expect(s, "verb set: code", &a, UNAVAILABLE, NULL, "5.03");
  sut_session_command(s, s->stack, "set", normal);
  a = unicast(s, "GET", "/state", NULL);
  expect(s, "verb set: code auto", &a, CONTENT, NULL, "2.05");
}

/* In the room that the groups of the start leave. */
static void check_membership(struct sut_session *s) {
  const char *group = s->ip == 4 ? "239.255.0.77:5683" : "[ff35::77]:5683";
  const char *const arguments[] = {"group", group, NULL};
  const char *uri = scn_print(s->report->arena, "coap://%s%s", group, base_path(s));
  const struct ref_server_config *c = &s->scenario->nodes[s->stack].server;
  struct sut_answer a;
  if (!sut_verb_find(s->part, "join") || s->part->groups <= c->group_count) return;
  int status = sut_session_command(s, s->stack, "join", arguments);
  sut_session_run(s, CHORUS_SECOND); /* until the report of it was everywhere */
  a = sut_session_ask(s, s->client, "GET", uri, NULL, 1, 2 * group_patience(s));
  sut_judge(s, status == CHORUS_OK && a.count > 0, "verb join", "heard in the group from then on",
            seen(s, "an answer in the joined group", &a));
  if (!sut_verb_find(s->part, "leave")) return;
  sut_session_run(s, group_patience(s));
  status = sut_session_command(s, s->stack, "leave", arguments);
  sut_session_run(s, CHORUS_SECOND);
  a = sut_session_ask(s, s->client, "GET", uri, NULL, 1, group_patience(s));
  expect_silence(s, "verb leave", &a, "silent in the group from then on");
}

static void check_restart(struct sut_session *s) {
  if (!sut_verb_find(s->part, "restart")) return;
  int status = sut_session_command(s, s->stack, "restart", NULL);
  sut_session_run(s, CHORUS_SECOND);
  struct sut_answer a = unicast(s, "GET", base_path(s), NULL);
  bool state = has_kind(s, REF_RESOURCE_STATE);
  sut_judge(s, status == CHORUS_OK && is(&a, a.code, state ? "one" : NULL), "verb restart",
            "answers again, as at its start",
            status == CHORUS_OK ? seen(s, "the representation of its start", &a)
                                : "the command was turned down");
}

void sut_check_server(struct sut_session *s) {
  check_kinds(s);
  check_methods(s);
  check_fixed_resources(s);
  check_separate(s);
  check_discovery(s);
  check_observe(s);
  check_set(s);
  check_restart(s);
}

void sut_check_groups(struct sut_session *s) {
  check_groups(s);
  check_membership(s);
}

void sut_check_times(struct sut_session *s) {
  check_leisure(s);
  check_dedup(s);
}

void sut_check_silence(struct sut_session *s) {
  check_policies(s);
}
