/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done once although its message comes twice, and what may be done again without effect. */
#include "rules/checks.h"
#include "rules/message.h"

/* ---- COAP-4.5-01, COAP-4.5-02 ---- */

/* Methods whose repetition has an effect (RFC 7252, section 5.1; RFC 8132, section 3.1). */
static bool repetition_counts(const struct jdg_look *look, const struct jdg_reception *r) {
  if (r->code != RULE_CODE_POST && r->code != RULE_CODE_PATCH) return false;
  const struct jdg_ics_resource *resource =
      r->request ? jdg_resource(look->host, r->request) : NULL;
  return !resource || resource->idempotent_post != JDG_YES;
}

static bool executed_again(const struct jdg_look *look, const struct jdg_reception *r) {
  if (!r || look->event->type != CHORUS_EVENT_EXECUTE || r->duplicate_of_known) return false;
  return r->copies && r->executed > 1 && !rule_restarted_since(look->host, r->time);
}

static bool delivered_again(const struct jdg_look *look, const struct jdg_arrival *a) {
  if (!a || look->event->type != CHORUS_EVENT_DELIVER || a->delivered < 2 || !a->copies)
    return false;
  return chorus_same_address(&a->source, &look->event->peer);
}

static void judge_event(struct jdg_look *look, enum dis_type type) {
  struct jdg_reception *r = look->reception;
  struct jdg_arrival *a = look->arrival;
  if (executed_again(look, r) && r->type == type && repetition_counts(look, r) &&
      jdg_once(look, &r->marks))
    jdg_break(look, r->frame, "executed once", "executed %u times, mid=0x%04x received %u times",
              r->executed, r->mid, r->copies + 1);
  if (delivered_again(look, a) && a->type == type && jdg_once(look, &a->marks))
    jdg_break(look, a->frame, "delivered once", "delivered %u times, mid=0x%04x received %u times",
              a->delivered, a->mid, a->copies + 1);
}

/*
 * A capture made elsewhere has no executions. It shows that a duplicate was not taken for one when
 * it is answered otherwise than the message was: a Confirmable one in another ACK, and a
 * Non-confirmable one, which is to be ignored, at all.
 */
static bool another_ack(const struct jdg_look *look, const struct jdg_reception *r) {
  return look->coap->type == DIS_ACK && r->mid == look->coap->mid && r->copies &&
         r->responses > 1 && look->now < r->time + JDG_EXCHANGE_LIFETIME;
}

static bool another_response(const struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  const struct jdg_request *q = leg->request;
  if (look->coap->type == DIS_ACK || !q->copies || q->mid_count != 1) return false;
  /* Several responses may be due: to an observation, to one block after the other, by a proxy. */
  if (leg->observing || q->observe != DIS_ABSENT || q->blockwise || q->proxied) return false;
  /* Of two servers at one address, one at least answers from another port. */
  if (look->frame_info->source.port != q->destination.port) return false;
  return leg->receptions == 1 && leg->responses > 1 && look->now < q->first_time + JDG_NON_LIFETIME;
}

static void judge_answer(struct jdg_look *look, enum dis_type type) {
  struct jdg_reception *r = look->reception;
  if (look->certain || !look->leg || !r || r->type != type || r->bad != JDG_GOOD) return;
  if (r->request != look->leg->request || r->duplicate_of_known || !repetition_counts(look, r))
    return;
  if (rule_token_in_doubt(look->leg->request, look->now)) return;
  if (look->copy) {
    if (type == DIS_CON && r->copies) jdg_pass(look);
    return;
  }
  bool again = type == DIS_CON ? another_ack(look, r) : another_response(look);
  if (again && jdg_once(look, &look->leg->marks))
    jdg_break(look, look->frame,
              type == DIS_CON ? "the same ACK for each copy" : "copies ignored, one response",
              "another response, mid=0x%04x, after copies of the request with mid=0x%04x",
              look->coap->mid, r->mid);
}

/*
 * A copy that comes after its message was acknowledged or reset says that this got lost: it is
 * acknowledged or reset once more. The first such copy counts, if an ACK to it would be here by
 * now.
 */
#define ACK_DUE_MS 2000u

static void note_copy(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r || !r->copies || r->type != DIS_CON || r->group || !look->certain) return;
  if (r->acks + r->rsts != 1 || rule_noted_state(look, r->frame, NULL)) return;
  rule_note_state(look, r->frame, (uint32_t)(look->now / CHORUS_MILLISECOND));
}

static bool copies_unanswered(struct jdg_look *look, const struct jdg_reception *r) {
  uint32_t came;
  if (r->acks + r->rsts != 1 || !rule_noted_state(look, r->frame, &came)) return false;
  return (uint32_t)(look->now / CHORUS_MILLISECOND) - came >= ACK_DUE_MS;
}

static void judge_window(struct jdg_look *look, enum dis_type type) {
  const struct jdg_reception *r = look->reception;
  if (r->type != type || !r->copies || r->bad != JDG_GOOD) return;
  if (type == DIS_CON && copies_unanswered(look, r))
    jdg_break(look, r->frame, "the same ACK or RST for each copy",
              "one only, mid=0x%04x received %u times", r->mid, r->copies + 1);
  else if (r->executed <= 1 || !repetition_counts(look, r))
    jdg_pass(look);
}

static void judge_duplicate(struct jdg_look *look, enum dis_type type) {
  const struct jdg_arrival *a = look->arrival;
  if (look->hook == JDG_ON_EVENT) {
    judge_event(look, type);
  } else if (look->hook == JDG_ON_RESPONSE_SENT) {
    judge_answer(look, type);
  } else if (!look->certain || !look->host->has_events) {
    return;
  } else if (look->hook == JDG_ON_WINDOW) {
    judge_window(look, type);
  } else if (a->type == type && a->copies && a->delivered <= 1) {
    jdg_pass(look);
  }
}

void rule_coap_4_5_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_RECEIVED)
    note_copy(look);
  else
    judge_duplicate(look, DIS_CON);
}

void rule_coap_4_5_02(struct jdg_look *look) {
  judge_duplicate(look, DIS_NON);
}

/* ---- COAP-5.1-01 ---- */

/* A change right after one GET can be the application's own, if nobody says that a request did it;
 * after two it is the GET's. */
#define CHANGES_BY_GET 2u
#define PATHS          8u

struct resource {
  uint64_t path;        /* digest; 0: unused */
  unsigned get_changes; /* GETs that a change of state came right after */
  uint64_t put, state;  /* the last PUT, and what it led to; 0: something else has happened since */
};

struct effects {
  struct resource resources[PATHS];
  unsigned next;
  /* the last event, if it was an execution */
  bool fresh;
  uint8_t code;
  chorus_time time;
  uint64_t path, request, frame;
  bool repeats_put;
};

static uint64_t digest(const void *octets, size_t length) {
  const uint8_t *p = octets;
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
  return h | 1; /* 0 means none */
}

static struct resource *resource_at(struct effects *e, uint64_t path) {
  for (unsigned i = 0; i < PATHS; i++)
    if (e->resources[i].path == path) return &e->resources[i];
  struct resource *r = &e->resources[e->next++ % PATHS];
  *r = (struct resource){.path = path};
  return r;
}

/* The last execution changed nothing that it must not: its rule held. */
static void conclude(struct jdg_look *look, struct effects *e) {
  if (e->fresh && (e->code == RULE_CODE_GET || e->repeats_put)) jdg_pass(look);
  e->fresh = false;
}

static void executed(struct jdg_look *look, struct effects *e, uint64_t path) {
  struct resource *r = resource_at(e, path);
  uint64_t request =
      look->reception && look->reception->request ? look->reception->request->digest | 1 : 0;
  e->fresh = true;
  e->code = look->event->code;
  e->time = look->now;
  e->path = path;
  e->request = request;
  e->frame = look->frame;
  e->repeats_put = e->code == RULE_CODE_PUT && request && r->put == request && r->state;
  if (e->code != RULE_CODE_GET && e->code != RULE_CODE_FETCH && !e->repeats_put)
    r->put = r->state = 0;
}

/* The state changed right after a GET had been executed. */
static void changed_by_get(struct jdg_look *look, const struct effects *e, struct resource *r) {
  bool told = look->event->detail && strcmp(look->event->detail, "request") == 0;
  if (++r->get_changes == (told ? 1 : CHANGES_BY_GET))
    jdg_break(look, e->frame, "GET changes nothing", "state of %s changed by each of %u GET%s",
              look->event->path, r->get_changes, r->get_changes == 1 ? "" : "s");
}

static void changed_by_put(struct jdg_look *look, const struct effects *e, struct resource *r) {
  uint64_t state = digest(look->event->payload, look->event->payload_length);
  if (e->repeats_put && state != r->state)
    jdg_break(look, e->frame, "the same PUT again leads to the same state",
              "another state of %s after the second PUT", look->event->path);
  else if (e->repeats_put)
    jdg_pass(look);
  r->put = e->request;
  r->state = e->request ? state : 0;
}

static void changed(struct jdg_look *look, struct effects *e, uint64_t path) {
  struct resource *r = resource_at(e, path);
  const char *why = look->event->detail; /* NULL: nobody says */
  bool by_request = !why || strcmp(why, "request") == 0;
  bool caused = by_request && e->fresh && e->time == look->now && e->path == path;
  if (!caused) {
    conclude(look, e);
    r->put = r->state = 0;
    return;
  }
  if (e->code == RULE_CODE_GET) changed_by_get(look, e, r);
  if (e->code == RULE_CODE_PUT)
    changed_by_put(look, e, r);
  else
    r->put = r->state = 0;
  e->fresh = false;
}

static void forget_effects(struct jdg_look *look) {
  struct effects *e = jdg_state(look, sizeof *e);
  if (e) memset(e, 0, sizeof *e);
}

void rule_coap_5_1_01(struct jdg_look *look) {
  const struct chorus_event *event = look->event;
  bool state = event && event->type == CHORUS_EVENT_STATE;
  bool execute = event && event->type == CHORUS_EVENT_EXECUTE;
  bool restart = event && event->type == CHORUS_EVENT_RESTART; /* resets what no request changed */
  if (restart) forget_effects(look);
  if (event && !((state || execute) && event->path)) return;
  if (!event && !look->host->has_events) return;
  struct effects *e = jdg_state(look, sizeof *e);
  if (!e) return;
  uint64_t path = event ? digest(event->path, strcspn(event->path, "?")) : 0;
  if (!state) conclude(look, e);
  if (execute) executed(look, e, path);
  if (state) changed(look, e, path);
}
