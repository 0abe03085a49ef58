/* SPDX-License-Identifier: BSD-2-Clause */
/* One response per server, and one from each: what a client makes of many answers to one request.
 */
#include "rules/checks.h"
#include "rules/client.h"

static void break_missing(struct jdg_look *look, const char *expected) {
  char text[128];
  jdg_break(look, look->arrival->frame, expected, "not delivered: %s",
            rule_arrival_text(look->arrival, text));
}

static void judge_owed(struct jdg_look *look, const char *expected) {
  if (look->arrival->delivered)
    jdg_pass(look);
  else
    break_missing(look, expected);
}

/* ---- GC-2.3.1-06: success and failure side by side ---- */

#define REQUESTS_KEPT 32

struct classes {
  uint64_t serial;
  unsigned seen; /* bit: class of a Response Code */
};

void rule_gc_2_3_1_06(struct jdg_look *look) {
  if (!rule_owed_by_group(look)) return;
  struct classes *table = jdg_state(look, REQUESTS_KEPT * sizeof *table);
  if (!table) return;
  const struct jdg_request *r = look->arrival->request;
  struct classes *c = &table[r->serial % REQUESTS_KEPT];
  if (c->serial != r->serial) *c = (struct classes){r->serial, 0};
  const unsigned success = 1u << 2, failure = 1u << 4 | 1u << 5;
  unsigned own = 1u << dis_class(look->arrival->code);
  if (c->seen & (own & success ? failure : success))
    judge_owed(look, "success and failure responses delivered side by side");
  c->seen |= own;
}

/* ---- GC-2.3.1-22: the first response is not the last ---- */

/* A client that takes the first response for the last says so: "answered" before its timeout. */
static void judge_end(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  const struct jdg_request *r = look->request;
  if (e->type != CHORUS_EVENT_DONE || !e->detail || strcmp(e->detail, "answered") != 0) return;
  if (!r || !r->group || r->client != look->host || !r->announced || !r->delivered) return;
  if (!r->timeout || look->now + jdg_delta(look) >= r->announced_at + r->timeout) return;
  char text[64];
  jdg_break(look, r->first_frame, "group request that goes on until its timeout",
            "ended as answered after %s", jdg_time_text(look->now - r->announced_at, text));
}

void rule_gc_2_3_1_22(struct jdg_look *look) {
  if (look->hook == JDG_ON_EVENT) judge_end(look);
  if (look->hook == JDG_ON_EVENT || !rule_owed_by_group(look)) return;
  const struct jdg_arrival *a = look->arrival;
  if (a->request->delivered <= a->delivered) return; /* no other response so far */
  judge_owed(look, "further response delivered, after one from another server");
}

/* ---- GC-2.3.1-32, -33, -38: a server's second response ---- */

/* Whether the engine's finding stands that the server has answered before (AMB-19, AMB-20). */
static bool is_second(const struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (a->due != JDG_SECOND || !a->certain || !look->host->has_events) return false;
  const struct jdg_request *r = a->request;
  if (!r || !r->group || r->client != look->host || !r->announced) return false;
  return a->observe == DIS_ABSENT && a->leg && !a->leg->observing;
}

static void judge_second(struct jdg_look *look) {
  char text[128];
  if (!look->arrival->delivered)
    jdg_pass(look);
  else
    jdg_break(look, look->arrival->frame, "one response per server delivered", "second one: %s",
              rule_arrival_text(look->arrival, text));
}

void rule_gc_2_3_1_32(struct jdg_look *look) {
  if (is_second(look)) judge_second(look);
}

/* A copy made by the network, delivered once more (AMB-23). */
static void judge_copy(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (look->event->type != CHORUS_EVENT_DELIVER || !a || !a->certain) return;
  if (a->delivered < 2 || !a->copies || a->observe != DIS_ABSENT) return;
  if (!a->request || !a->request->group || a->request->client != look->host) return;
  char text[128];
  jdg_break(look, a->frame, "one response per server delivered", "the same one again: %s",
            rule_arrival_text(a, text));
}

void rule_gc_2_3_1_33(struct jdg_look *look) {
  if (look->hook == JDG_ON_EVENT)
    judge_copy(look);
  else if (is_second(look))
    judge_second(look);
}

void rule_gc_2_3_1_38(struct jdg_look *look) {
  if (is_second(look))
    judge_second(look);
  else if (rule_owed_by_group(look) && look->arrival->observe == DIS_ABSENT)
    judge_owed(look, "one response of each server delivered");
}

/* ---- GC-2.3.1-34: notifications ---- */

#define OBSERVATIONS_KEPT 64
#define SEQUENCE_HALF     (UINT32_C(1) << 23)
#define ORDER_KEPT        (128 * CHORUS_SECOND) /* RFC 7641, section 3.4 */

struct observation {
  uint64_t serial, server;
  uint32_t value;
  chorus_time time;
};

/* Whether a notification is newer than the newest before it (RFC 7641, section 3.4). */
static bool is_newer(const struct observation *o, uint32_t value, chorus_time now) {
  if (o->value < value && value - o->value < SEQUENCE_HALF) return true;
  if (o->value > value && o->value - value > SEQUENCE_HALF) return true;
  return now > o->time + ORDER_KEPT;
}

/* Marks a notification that is owed to the application as soon as it arrives. */
static void note_notification(struct jdg_look *look) {
  struct jdg_arrival *a = look->arrival;
  const struct jdg_request *r = a->request;
  if (look->copy || !a->certain || a->observe != DIS_PRESENT || !r || !r->group) return;
  if (r->previous) return; /* perhaps meant for the request that had the Token before */
  if (r->observe != DIS_PRESENT || r->observe_value != 0 || dis_class(a->code) != 2) return;
  if (a->due != JDG_UNCERTAIN && a->due != JDG_DELIVER) return;
  if (dis_option_count(look->coap, DIS_BLOCK2, NULL)) return;
  struct observation *table = jdg_state(look, OBSERVATIONS_KEPT * sizeof *table);
  if (!table) return;
  uint64_t server = rule_address_key(&a->source);
  struct observation *o = &table[(server ^ r->serial) % OBSERVATIONS_KEPT];
  bool known = o->serial == r->serial && o->server == server;
  if (known && !is_newer(o, a->observe_value, look->now)) return;
  if (known) jdg_once(look, &a->marks); /* a fresh one, after another */
  *o = (struct observation){r->serial, server, a->observe_value, look->now};
}

void rule_gc_2_3_1_34(struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_RECEIVED) {
    note_notification(look);
    return;
  }
  if (!rule_awaited(look) || jdg_once(look, &look->arrival->marks)) return;
  const struct jdg_request *r = look->arrival->request;
  if (r->timeout && look->arrival->time >= r->announced_at + r->timeout) return;
  judge_owed(look, "fresh notification delivered");
}

/* ---- GC-2.3.1-35: only valid responses count ---- */

/* Marks the leg with the first invalid response, and the arrival of a valid one after it. */
static void note_validity(struct jdg_look *look) {
  struct jdg_arrival *a = look->arrival;
  if (look->copy || !a->certain || !a->leg || !a->request || !a->request->group) return;
  if (a->due == JDG_INVALID) {
    jdg_once(look, &a->leg->marks);
    return;
  }
  if (a->due != JDG_DELIVER || a->leg->arrivals < 2) return;
  if (!jdg_once(look, &a->leg->marks)) jdg_once(look, &a->marks);
}

void rule_gc_2_3_1_35(struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_RECEIVED) {
    note_validity(look);
    return;
  }
  if (!rule_owed_by_group(look) || jdg_once(look, &look->arrival->marks)) return;
  judge_owed(look, "valid response delivered, after an invalid one of the same server");
}

/* ---- GC-2.3.1-36, GC-2.3.1-37: the list belongs to one request ---- */

#define SERVERS_KEPT 256

/* The last request that a server's response was delivered for. */
struct answered {
  uint64_t key; /* server, and for GC-2.3.1-37 Token */
  uint64_t serial;
};

static struct answered *answered_at(struct jdg_look *look, uint64_t key) {
  struct answered *table = jdg_state(look, SERVERS_KEPT * sizeof *table);
  return table ? &table[key % SERVERS_KEPT] : NULL;
}

void rule_gc_2_3_1_36(struct jdg_look *look) {
  if (!rule_owed_by_group(look)) return;
  const struct jdg_arrival *a = look->arrival;
  uint64_t key = rule_address_key(&a->source);
  struct answered *known = answered_at(look, key);
  if (!known) return;
  if (known->serial && known->key == key && known->serial != a->request->serial)
    judge_owed(look, "response delivered of a server that answered an earlier request");
  if (a->delivered) *known = (struct answered){key, a->request->serial};
}

void rule_gc_2_3_1_37(struct jdg_look *look) {
  if (!rule_owed_by_group(look)) return;
  const struct jdg_arrival *a = look->arrival;
  const struct jdg_request *r = a->request;
  uint64_t key = rule_address_key(&a->source) ^ rule_token_key(r->token, r->token_length);
  struct answered *known = answered_at(look, key);
  if (!known) return;
  bool answered_previous = known->key == key && r->previous && known->serial == r->previous->serial;
  if (answered_previous)
    judge_owed(look, "response delivered of a server that answered under the Token before");
  if (a->delivered) *known = (struct answered){key, r->serial};
}
