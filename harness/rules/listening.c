/* SPDX-License-Identifier: BSD-2-Clause */
/* How long clients listen, what they report at the end, and their use of No-Response (RFC 7967). */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/client.h"

#define ALL_CLASSES  26u /* 2.xx, 4.xx and 5.xx (RFC 7967, section 2.1) */
#define CLASS_2XX    2u
#define DRAFT_NUMBER 284u /* of No-Response, before it became RFC 7967 */

enum { GET = 1 };

static bool wants_nothing(const struct jdg_request *r) {
  return r->no_response == DIS_PRESENT && (r->no_response_value & ALL_CLASSES) == ALL_CLASSES;
}

/* ---- GC-2.3.1-07, NR-01: the option itself ---- */

void rule_gc_2_3_1_07(struct jdg_look *look) {
  if (!rule_new_group_request(look)) return;
  if (dis_option_count(look->coap, DRAFT_NUMBER, NULL))
    jdg_remark(look, look->frame,
               "Option 284 was the number of No-Response in its drafts; it is 258.");
  uint32_t value = 0;
  enum dis_presence presence = dis_option_uint(look->coap, DIS_NO_RESPONSE, 1, &value);
  if (presence == DIS_ABSENT) return;
  if (presence == DIS_MALFORMED)
    jdg_break(look, look->frame, "No-Response of 0 or 1 octet, once",
              "No-Response longer, or repeated");
  else if (value & ~ALL_CLASSES)
    jdg_break(look, look->frame, "No-Response of bits 1, 3 and 4", "No-Response=%u", value);
  else
    jdg_pass(look);
}

void rule_nr_01(struct jdg_look *look) {
  if (!rule_own_request(look) || look->copy) return;
  const struct dis_option *option;
  unsigned count = dis_option_count(look->coap, DIS_NO_RESPONSE, &option);
  if (!count) return;
  if (count > 1)
    jdg_break(look, look->frame, "No-Response once", "No-Response %u times", count);
  else if (option->length > 1)
    jdg_break(look, look->frame, "No-Response of 0 or 1 octet", "No-Response of %u octets",
              option->length);
  else
    jdg_pass(look);
}

/* ---- NR-17: not with a GET for content ---- */

void rule_nr_17(struct jdg_look *look) {
  if (!rule_own_request(look) || look->relation == JDG_COPY) return;
  const struct jdg_request *r = look->request;
  if (r->code != GET || r->no_response != DIS_PRESENT) return;
  bool cancels = r->observe == DIS_PRESENT && r->observe_value == 1;
  if ((r->no_response_value & CLASS_2XX) && !cancels && jdg_once(look, &look->request->marks))
    jdg_remark(look, look->frame, "GET %s disclaims 2.xx responses, its content.", r->path);
  jdg_pass(look); /* a suggestion: told, not graded */
}

/* ---- NR-07: 26 means nobody listens ---- */

void rule_nr_07(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (!a->certain || !look->host->has_events || !a->request) return;
  if (a->request->client != look->host || !wants_nothing(a->request)) return;
  if (a->due == JDG_INVALID || (a->request->no_response_value & ~ALL_CLASSES)) return;
  char text[128];
  if (!a->delivered)
    jdg_pass(look);
  else
    jdg_break(look, a->frame, "no response delivered to a request with No-Response=26",
              "delivered: %s", rule_arrival_text(a, text));
}

/* ---- NR-08, NR-09: the end of a request ---- */

static bool detail_is(const struct chorus_event *e, const char *text) {
  return e->detail && strcmp(e->detail, text) == 0;
}

/* JDG_ON_EVENT: a group request of this client ended; NULL: it is something else. */
static const struct jdg_request *ended(const struct jdg_look *look) {
  if (look->event->type != CHORUS_EVENT_DONE) return NULL;
  const struct jdg_request *r = look->request;
  return r && r->group && r->client == look->host && r->announced ? r : NULL;
}

void rule_nr_08(struct jdg_look *look) {
  const struct jdg_request *r = ended(look);
  if (!r || r->no_response != DIS_PRESENT || wants_nothing(r) || !r->timeout) return;
  /* What the application or a restart ends is no matter of listening. */
  if (!detail_is(look->event, "timeout") && !detail_is(look->event, "answered")) return;
  chorus_time listened = look->now - r->announced_at;
  if (listened + jdg_delta(look) >= r->timeout) {
    jdg_pass(look);
    return;
  }
  char text[32], wanted[32], expected[64];
  snprintf(expected, sizeof expected, "listening for %s", jdg_time_text(r->timeout, wanted));
  jdg_break(look, r->first_frame, expected, "listening for %s", jdg_time_text(listened, text));
}

static bool claims_success(const struct chorus_event *e) {
  const char *detail = e->detail ? e->detail : "";
  return detail_is(e, "answered") || detail_is(e, "success") || strncmp(detail, "2.", 2) == 0;
}

void rule_nr_09(struct jdg_look *look) {
  const struct jdg_request *r = ended(look);
  if (!r || r->no_response != DIS_PRESENT || r->delivered) return;
  if (claims_success(look->event))
    jdg_break(look, r->first_frame, "result \"timeout\"", "result \"%s\"", look->event->detail);
  else if (look->event->detail)
    jdg_pass(look);
}

/* ---- GC-2.4.1-07: only the own timer ends a request ---- */

#define WAITS_KEPT 64

struct wait {
  uint64_t serial; /* 0: free */
  chorus_time until;
};

static struct wait *wait_of(struct jdg_look *look, uint64_t serial) {
  struct wait *waits = jdg_state(look, WAITS_KEPT * sizeof *waits);
  return waits ? &waits[serial % WAITS_KEPT] : NULL;
}

static void wait_on(struct jdg_look *look, const struct jdg_request *r) {
  struct wait *w = wait_of(look, r->serial);
  if (!w) return;
  if (w->serial == r->serial && !w->until) return; /* has ended */
  *w = (struct wait){r->serial, look->now + r->timeout};
}

static void stop_waiting(struct jdg_look *look, const struct jdg_request *r) {
  struct wait *w = wait_of(look, r->serial);
  if (w && w->serial == r->serial) w->until = 0;
}

/* Nothing ever ended these, long after their time. */
static void judge_waits(struct jdg_look *look) {
  struct wait *waits = jdg_state(look, WAITS_KEPT * sizeof *waits);
  chorus_time grace = JDG_PROCESSING_DELAY + jdg_delta(look);
  for (size_t i = 0; waits && i < WAITS_KEPT; i++) {
    if (!waits[i].until || waits[i].until + grace >= look->now) continue;
    char text[32];
    jdg_break(look, 0, "end of the request by its timer", "no end, %s after its timeout",
              jdg_time_text(look->now - waits[i].until, text));
    return;
  }
}

void rule_gc_2_4_1_07(struct jdg_look *look) {
  if (look->hook == JDG_ON_END) {
    judge_waits(look);
    return;
  }
  const struct chorus_event *e = look->event;
  if (e->type == CHORUS_EVENT_RESTART) {
    struct wait *waits = jdg_state(look, WAITS_KEPT * sizeof *waits);
    if (waits) memset(waits, 0, WAITS_KEPT * sizeof *waits);
    return;
  }
  const struct jdg_request *r = look->request;
  if (!r || r->client != look->host) return;
  /* Later events under the Token are about the new request, also one by unicast, not about the one
   * before. */
  if (e->type == CHORUS_EVENT_REQUEST && r->previous) stop_waiting(look, r->previous);
  if (!r->group || !r->timeout || r->observe == DIS_PRESENT || wants_nothing(r)) return;
  if (e->type == CHORUS_EVENT_REQUEST || e->type == CHORUS_EVENT_REPEAT) wait_on(look, r);
  if (e->type != CHORUS_EVENT_DONE && e->type != CHORUS_EVENT_TOKEN_FREED) return;
  stop_waiting(look, r);
  if (detail_is(e, "timeout") && !r->delivered && !r->responders) jdg_pass(look);
}
