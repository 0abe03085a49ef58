/* SPDX-License-Identifier: BSD-2-Clause */
/* Which responses a client takes for which request: Token, source, port, validity. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/checks.h"
#include "rules/client.h"
#include "rules/constants.h"
#include "rules/message.h"

static void break_delivery(struct jdg_look *look, bool expected) {
  char text[128];
  rule_arrival_text(look->arrival, text);
  if (expected)
    jdg_break(look, look->arrival->frame, "response delivered to the application",
              "not delivered: %s", text);
  else
    jdg_break(look, look->arrival->frame, "response not delivered to the application",
              "delivered: %s", text);
}

static void judge_rejected(struct jdg_look *look) {
  if (look->arrival->delivered)
    break_delivery(look, false);
  else
    jdg_pass(look);
}

/* The client's application is heard, and what reached the node is seen. */
static bool observable(const struct jdg_look *look) {
  return look->arrival->certain && look->host->has_events;
}

/* No request of this endpoint, by whomever it was sent, has the Token. */
static bool unmatched(const struct jdg_look *look) {
  return look->arrival->due == JDG_UNMATCHED && !look->arrival->request;
}

/* ---- GC-2.3.1-16: who it was ---- */

void rule_gc_2_3_1_16(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  if (e->type != CHORUS_EVENT_DELIVER || !look->arrival || !look->arrival->certain) return;
  const struct jdg_arrival *a = look->arrival;
  if (!a->request || !a->request->group || a->request->proxied) return;
  if (chorus_is_unspecified(&e->peer)) return; /* told by other means, if at all */
  if (chorus_same_address(&e->peer, &a->source)) {
    jdg_pass(look);
    return;
  }
  char told[CHORUS_ENDPOINT_TEXT], source[CHORUS_ENDPOINT_TEXT], expected[128];
  snprintf(expected, sizeof expected, "response from %s", chorus_address_text(&a->source, source));
  jdg_break(look, a->frame, expected, "response from %s", chorus_address_text(&e->peer, told));
}

/* ---- GC-2.3.1-18, COAP-8.2-08: from whatever unicast endpoint ---- */

void rule_gc_2_3_1_18(struct jdg_look *look) {
  if (!rule_owed_by_group(look)) return;
  const struct jdg_arrival *a = look->arrival;
  if (a->delivered) {
    jdg_pass(look);
    return;
  }
  if (a->type != DIS_NON) return; /* refused for its type, perhaps: COAP-5.2.3-02 judges that */
  /* If others got through from the group's port, something else is the reason. */
  bool other_port = a->source.port != a->request->destination.port;
  if (other_port || !a->request->delivered) break_delivery(look, true);
}

/* ---- GC-2.3.1-19: credited to the right request ---- */

#define NAMES_KEPT 32

struct named_request {
  char name[48];
  uint64_t token;
  chorus_time time;
  bool used, doubtful;
};

static struct named_request *find_name(struct named_request *names, const char *name) {
  for (size_t i = 0; i < NAMES_KEPT; i++)
    if (names[i].used && strcmp(names[i].name, name) == 0) return &names[i];
  return NULL;
}

static void keep_name(struct named_request *names, const struct chorus_event *e, chorus_time now) {
  uint64_t token = rule_token_key(e->token, e->token_length);
  struct named_request *n = find_name(names, e->request);
  if (n) {
    n->doubtful |= n->token != token; /* the scenario uses the name for another request, too */
    return;
  }
  n = &names[0];
  for (size_t i = 0; i < NAMES_KEPT && n->used; i++)
    if (!names[i].used || names[i].time < n->time) n = &names[i];
  snprintf(n->name, sizeof n->name, "%s", e->request);
  n->token = token;
  n->time = now;
  n->used = true;
  n->doubtful = false;
}

static size_t names_in_use(const struct named_request *names) {
  size_t n = 0;
  for (size_t i = 0; i < NAMES_KEPT; i++) n += names[i].used;
  return n;
}

static void judge_credit(struct jdg_look *look, struct named_request *names) {
  const struct chorus_event *e = look->event;
  const struct named_request *n = find_name(names, e->request);
  if (!n || n->doubtful || names_in_use(names) < 2) return;
  const struct jdg_arrival *a = look->arrival;
  uint64_t token = rule_token_key(a->token, a->token_length);
  char text[24];
  if (token == n->token)
    jdg_pass(look);
  else
    jdg_break(look, look->frame, "response credited to the request with its Token",
              "response with Token %s credited to request %s",
              rule_token_text(a->token, a->token_length, text), n->name);
}

void rule_gc_2_3_1_19(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  if (e->type != CHORUS_EVENT_REQUEST && e->type != CHORUS_EVENT_DELIVER &&
      e->type != CHORUS_EVENT_DONE)
    return;
  if (!e->group || !e->has_message || !e->request || strlen(e->request) >= 48) return;
  struct named_request *names = jdg_state(look, NAMES_KEPT * sizeof *names);
  if (!names) return;
  struct named_request *n = find_name(names, e->request);
  if (e->type == CHORUS_EVENT_REQUEST)
    keep_name(names, e, look->now);
  else if (e->type == CHORUS_EVENT_DONE && n)
    n->used = false;
  else if (look->arrival)
    judge_credit(look, names);
}

/* ---- GC-2.3.1-21: on the requester's port alone ---- */

#define PORTS_KEPT 8

struct client_ports {
  uint16_t port[PORTS_KEPT];
  unsigned next;
};

static void note_port(struct jdg_look *look) {
  struct client_ports *state = jdg_state(look, sizeof *state);
  uint16_t port = look->frame_info->source.port;
  for (size_t i = 0; state && i < PORTS_KEPT; i++)
    if (state->port[i] == port) return;
  if (state) state->port[state->next++ % PORTS_KEPT] = port;
}

/* A request of the same address that has the Token, and another port. */
static bool known_at_other_port(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  const struct client_ports *state = jdg_state(look, sizeof *state);
  for (size_t i = 0; state && i < PORTS_KEPT; i++) {
    struct chorus_endpoint endpoint = a->destination;
    endpoint.port = state->port[i];
    if (!endpoint.port || endpoint.port == a->destination.port) continue;
    if (jdg_request_of(look, &endpoint, a->token, a->token_length)) return true;
  }
  return false;
}

void rule_gc_2_3_1_21(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_SENT) {
    if (rule_own_request(look) && look->relation != JDG_COPY) note_port(look);
    return;
  }
  if (unmatched(look) && observable(look) && known_at_other_port(look)) judge_rejected(look);
}

/* ---- GC-5.3-05: answers to what is over ---- */

void rule_gc_5_3_05(struct jdg_look *look) {
  if (look->arrival->due != JDG_LATE || !observable(look) || !rule_ended_before(look)) return;
  judge_rejected(look);
}

/* ---- COAP-5.2.3-02: a Confirmable response to a Non-confirmable request ---- */

/*
 * Elsewhere no application tells whether it still waits. But who asks for a representation wants
 * it, and does not give up so soon on one request after the other.
 */
#define REJECTIONS 2u

struct rejections {
  uint64_t serial; /* of the request that the last one was for */
  unsigned count;  /* without an acknowledgement in between */
};

static bool wanted(const struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (a->certain || look->host->has_events || a->due != JDG_DELIVER) return false;
  const struct jdg_request *q = a->request;
  if (q->spoofed || q->proxied || q->oscore || q->type != DIS_NON) return false;
  if (q->code != RULE_CODE_GET && q->code != RULE_CODE_FETCH) return false;
  if (q->observe != DIS_ABSENT || q->no_response != DIS_ABSENT) return false;
  return q->responders < 2 && a->time - q->last_time < RULE_SOON;
}

static void judge_rejections(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (!a || a->type != DIS_CON || !wanted(look)) return;
  struct rejections *state = jdg_state(look, sizeof *state);
  if (!state) return;
  if (a->acks) {
    state->count = 0;
    return;
  }
  if (state->count && state->serial == a->request->serial) return;
  state->serial = a->request->serial;
  if (++state->count < REJECTIONS)
    jdg_inconclusive(look, "The client may have given up on the request.");
  else
    jdg_break(look, look->frame, "ACK of the Confirmable response", "RST mid=0x%04x", a->mid);
}

void rule_coap_5_2_3_02(struct jdg_look *look) {
  if (look->hook == JDG_ON_EMPTY_SENT) {
    judge_rejections(look);
    return;
  }
  const struct jdg_arrival *a = look->arrival;
  if (a->type != DIS_CON || !rule_owed(look) || a->request->type != DIS_NON) return;
  if (a->rsts)
    jdg_break(look, a->frame, "ACK of the Confirmable response", "RST mid=0x%04x", a->mid);
  else if (!a->acks)
    jdg_break(look, a->frame, "ACK of the Confirmable response", "no reaction, mid=0x%04x", a->mid);
  else if (!a->delivered)
    break_delivery(look, true);
  else
    jdg_pass(look);
}

/* ---- COAP-5.3.2-01, -02, -03: unicast matching ---- */

void rule_coap_5_3_2_01(struct jdg_look *look) {
  if (look->arrival->due != JDG_WRONG_SOURCE || !observable(look)) return;
  if (look->arrival->request->client != look->host) return;
  judge_rejected(look);
}

void rule_coap_5_3_2_02(struct jdg_look *look) {
  if (unmatched(look) && observable(look)) judge_rejected(look);
}

void rule_coap_5_3_2_03(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (a->type != DIS_CON || !unmatched(look) || !observable(look)) return;
  if (a->acks)
    jdg_break(look, a->frame, "RST of an unexpected Confirmable response", "ACK mid=0x%04x",
              a->mid);
  else if (a->rsts)
    jdg_pass(look);
  else
    jdg_inconclusive(look,
                     "No reaction to an unexpected Confirmable response: the port may be closed.");
}

/* ---- COAP-5.4.1-03: critical options ---- */

void rule_coap_5_4_1_03(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (a->due != JDG_INVALID || !a->culprit || a->errors || !observable(look)) return;
  if (!a->request || a->request->client != look->host) return;
  if (!a->delivered) {
    jdg_pass(look);
    return;
  }
  char name[24];
  jdg_break(look, a->frame, "response with an unrecognized critical option rejected",
            "delivered, with option %u (%s)", a->culprit, dis_option_name(a->culprit, name));
}
