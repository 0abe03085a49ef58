/* SPDX-License-Identifier: BSD-2-Clause */
/* Responses at clients: what arrives, what is due to the application, and what it was given. */
#include "judge/internal.h"

/*
 * A Token may be in use for an old and a new request at once for as long as this, plus
 * MAX_SERVER_RESPONSE_DELAY, which is taken for 250 s if it is not declared (seed 2.3.1).
 */
#define TOKEN_AMBIGUITY (250 * CHORUS_SECOND)
#define UNKNOWN_DELAY   (250 * CHORUS_SECOND)

struct arrival_key {
  const struct jdg_host *client;
  const struct chorus_endpoint *source;
  uint16_t mid;
};

static bool same_arrival(const void *object, const void *key) {
  const struct jdg_arrival *a = &((const struct arrival *)object)->arrival;
  const struct arrival_key *k = key;
  return a->client == k->client && a->mid == k->mid && chorus_same_endpoint(&a->source, k->source);
}

static uint64_t arrival_hash(const struct judge *judge, const struct arrival_key *key) {
  return jdg_mix(hash_of(judge, key->source), (uint64_t)key->client->index << 32 | key->mid);
}

struct arrival *arrival_find(const struct judge *judge, const struct jdg_host *client,
                             const struct chorus_endpoint *source, uint16_t mid) {
  struct arrival_key key = {client, source, mid};
  return jdg_table_find(&judge->arrivals, arrival_hash(judge, &key), same_arrival, &key);
}

void arrival_unchain(struct host *host, struct arrival *a) {
  if (!a->is_due_chained) return;
  if (a->newer) a->newer->older = a->older;
  if (a->older) a->older->newer = a->newer;
  if (host->latest_arrivals == a) host->latest_arrivals = a->older;
  a->older = a->newer = NULL;
  a->is_due_chained = false;
}

static void chain(struct host *host, struct arrival *a) {
  a->older = host->latest_arrivals;
  if (a->older) a->older->newer = a;
  host->latest_arrivals = a;
  a->is_due_chained = true;
}

void arrival_settle(struct jdg_arrival *a) {
  if (a->due != JDG_DELIVER || a->delivered || !a->request) return;
  chorus_time done = a->request->done_at;
  if (done != CHORUS_NEVER && done <= a->time) a->due = JDG_UNCERTAIN;
}

void arrivals_expire(struct judge *judge) {
  for (;;) {
    struct arrival *a = jdg_fifo_peek(&judge->arrival_ages);
    if (!a || a->arrival.time + KEEP_RECEPTION > judge->now) return;
    jdg_fifo_pop(&judge->arrival_ages);
    if (a->indexed) jdg_table_remove(&judge->arrivals, a->hash, a);
    arrival_unchain((struct host *)a->arrival.client, a);
    jdg_pool_give(&judge->arrival_pool, a);
  }
}

/* ---- what is due ---- */

static bool still_listening(const struct jdg_request *q, const struct host *client, chorus_time now,
                            bool *edge) {
  chorus_time restart = client->host.restarted_at;
  if (restart && q->first_time < restart) {
    *edge = q->first_time + 1 >= restart; /* both in one instant, in whatever order */
    return false;
  }
  if (restart && q->first_time == restart) *edge = true;
  if (q->done_at != CHORUS_NEVER) {
    *edge |= q->done_at == now;
    return q->done_at > now;
  }
  if (!q->announced || !q->timeout) return true;
  chorus_time end = q->announced_at + q->timeout;
  *edge |= end == now;
  return now < end;
}

/* Further responses of a server that has answered (seed 2.3.1, 2.3.5). */
static enum jdg_due due_again(const struct jdg_request *q, const struct jdg_leg *leg,
                              const struct jdg_arrival *a) {
  if (!chorus_same_address(&leg->answered_from, &a->source)) return JDG_UNCERTAIN;
  if (!q->group) return JDG_UNCERTAIN;
  if (a->observe == DIS_ABSENT) return leg->observing ? JDG_UNCERTAIN : JDG_SECOND;
  return JDG_UNCERTAIN; /* a notification: whether it is fresh is decided by the rules of RFC 7641
                         */
}

static enum jdg_due due_unicast(const struct jdg_request *q, const struct dis_coap *m,
                                const struct jdg_arrival *a) {
  if (q->proxied || q->observe == DIS_PRESENT) return JDG_UNCERTAIN;
  if (!chorus_same_endpoint(&q->destination, &a->source)) return JDG_WRONG_SOURCE;
  if (m->type != DIS_ACK) return JDG_DELIVER;
  return jdg_request_has_mid(q, m->mid) ? JDG_DELIVER : JDG_UNCERTAIN;
}

/* Critical options that are defined for requests only count as unrecognized here (RFC 7252, 5.4).
 */
static bool has_request_option(const struct dis_coap *m, uint16_t *culprit) {
  static const uint16_t numbers[] = {DIS_IF_MATCH, DIS_URI_HOST,  DIS_IF_NONE_MATCH,
                                     DIS_URI_PORT, DIS_URI_PATH,  DIS_URI_QUERY,
                                     DIS_ACCEPT,   DIS_PROXY_URI, DIS_PROXY_SCHEME};
  for (unsigned i = 0; i < m->option_count; i++) {
    for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++) {
      if (m->options[i].number != numbers[j]) continue;
      *culprit = numbers[j];
      return true;
    }
  }
  return false;
}

static bool unusable(const struct dis_coap *m, struct jdg_arrival *a) {
  if (m->errors) return true;
  if (!m->option_count) return false;
  return dis_options_reject(m, &a->culprit) || has_request_option(m, &a->culprit);
}

/* Whether responses to the request that had the Token before may still be on their way. */
static bool token_in_doubt(const struct jdg_request *q, chorus_time now) {
  if (!q->previous) return false;
  const struct jdg_ics *ics = &q->client->ics;
  chorus_time span = TOKEN_AMBIGUITY + (ics->msrd_declared ? ics->msrd : UNKNOWN_DELAY);
  return now - q->previous->last_time < span;
}

/*
 * What the odd numbers below 64 are. A client need not know any critical option of a response, and
 * one that does not rejects it (RFC 7252, section 5.4.1). Of Block2 and OSCORE the application may
 * get the body later, or something else.
 */
#define CRITICAL UINT64_C(0xaaaaaaaaaaaaaaaa)

static enum jdg_due what_is_due(const struct jdg_look *look, struct jdg_arrival *a) {
  const struct dis_coap *m = look->coap;
  const struct jdg_request *q = a->request;
  if (unusable(m, a)) return JDG_INVALID;
  if (a->to_group) return JDG_UNCERTAIN;
  if (!q || q->client != look->host) return JDG_UNMATCHED;
  if (token_in_doubt(q, look->now)) return JDG_UNCERTAIN;
  bool edge = false;
  bool listening = still_listening(q, (struct host *)look->host, look->now, &edge);
  if (edge) return JDG_UNCERTAIN;
  if (!listening) return JDG_LATE;
  if (m->option_mask & CRITICAL) return JDG_UNCERTAIN;
  if (a->leg && a->leg->answered && q->group) return due_again(q, a->leg, a);
  if (a->leg && a->leg->doubtful) return JDG_UNCERTAIN;
  /* No ACK can belong to a NON request; a client may take it for a stray one (RFC 7252, 4.2). */
  if (q->group) return m->type == DIS_ACK ? JDG_UNCERTAIN : JDG_DELIVER;
  if (a->leg && a->leg->answered) return JDG_UNCERTAIN;
  return due_unicast(q, m, a);
}

static void note_answer(struct jdg_arrival *a) {
  struct jdg_leg *leg = a->leg;
  if (!leg) return;
  leg->arrivals++;
  /* If this one was taken, the next is a second one: nobody knows until the application speaks. */
  if (a->due == JDG_UNCERTAIN && !a->to_group) leg->doubtful = true;
  if (a->due != JDG_DELIVER || leg->answered) return;
  leg->answered = true;
  leg->answered_from = a->source;
}

/* ---- arrivals ---- */

static uint64_t payload_digest(const struct dis_coap *m) {
  uint64_t h = m->code;
  for (size_t i = 0; i < m->payload_length; i++) h = jdg_mix(h, m->payload[i]);
  return h;
}

static void fill(struct jdg_arrival *a, const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  a->client = look->host;
  a->sender = look->peer;
  a->source = look->frame_info->source;
  a->destination = look->frame_info->destination;
  a->certain = look->certain;
  a->to_group = look->group;
  a->type = m->type;
  a->code = m->code;
  a->token_length = copy_token(a->token, m);
  a->mid = m->mid;
  a->errors = m->errors;
  a->observe = dis_option_uint(m, DIS_OBSERVE, 3, &a->observe_value);
  a->payload_digest = payload_digest(m);
  a->frame = look->frame;
  a->time = look->now;
}

static void attach(struct judge *judge, struct jdg_look *look, struct jdg_arrival *a) {
  bool readable = !(a->errors & (DIS_ERROR_SHORT | DIS_ERROR_TOKEN_LENGTH | DIS_ERROR_TOKEN_CUT |
                                 DIS_ERROR_VERSION));
  struct request *request =
      readable ? request_find(judge, &look->frame_info->destination, a->token, a->token_length)
               : NULL;
  if (!request) return;
  request->last_seen = look->now;
  a->request = &request->request;
  struct leg *leg = look->peer ? leg_of(judge, request, look->peer) : NULL;
  a->leg = leg ? &leg->leg : NULL;
}

/* |known_mid|: this source has used the Message ID before; a client may take this for a duplicate.
 */
static struct arrival *new_arrival(struct judge *judge, struct jdg_look *look, bool known_mid) {
  struct arrival *a = jdg_pool_take_unset(&judge->arrival_pool);
  if (!a) {
    judge->no_memory = true;
    return NULL;
  }
  zero(a, sizeof *a);
  fill(&a->arrival, look);
  a->last_time = look->now;
  a->digest = judge->digest;
  attach(judge, look, &a->arrival);
  a->arrival.due = what_is_due(look, &a->arrival);
  bool plain = a->arrival.due == JDG_DELIVER || a->arrival.due == JDG_INVALID;
  if (known_mid && plain) a->arrival.due = JDG_UNCERTAIN;
  note_answer(&a->arrival);
  struct arrival_key key = {look->host, &look->frame_info->source, a->arrival.mid};
  a->hash = arrival_hash(judge, &key);
  a->indexed = jdg_table_add(&judge->arrivals, a->hash, a);
  if (!a->indexed || jdg_fifo_push(&judge->arrival_ages, a) != 0) judge->no_memory = true;
  if (look->certain || a->arrival.type == DIS_CON) {
    chain((struct host *)look->host, a);
    if (jdg_timers_set(&judge->timers, look->now + ACK_LIMIT + jdg_delta(look), JDG_TIMER_ARRIVAL,
                       a) != 0)
      judge->no_memory = true;
  }
  return a;
}

void client_received(struct judge *judge, struct jdg_look *look) {
  struct arrival *a = arrival_find(judge, look->host, &look->frame_info->source, look->coap->mid);
  chorus_time life = look->coap->type == DIS_CON ? JDG_EXCHANGE_LIFETIME : JDG_NON_LIFETIME;
  bool copy = a && a->digest == look->judge->digest && look->now - a->arrival.time < life;
  if (copy) {
    look->copy = true;
    a->arrival.copies++;
    a->last_time = look->now;
  } else {
    bool known_mid = a && look->now - a->arrival.time < JDG_EXCHANGE_LIFETIME;
    if (a) jdg_table_remove(&judge->arrivals, a->hash, a);
    if (a) a->indexed = false;
    a = new_arrival(judge, look, known_mid);
    if (!a) return;
  }
  look->arrival = &a->arrival;
  look->request = a->arrival.request;
  look->leg = a->arrival.leg;
  judge_call(judge, look, JDG_ON_RESPONSE_RECEIVED, look->host);
}

/* ---- what clients' applications say ---- */

static uint64_t name_digest(const struct chorus_event *e) {
  uint64_t h = 1;
  if (!e->request) return 0;
  for (const char *p = e->request; *p; p++) h = jdg_mix(h, (uint8_t)*p);
  return h;
}

/* Of two requests under one Token, from several ports, the one that has the name, or the latest. */
static bool rather(const struct request *r, const struct request *best, uint64_t name) {
  if (!best) return true;
  bool named = name && r->name == name, best_named = name && best->name == name;
  return named == best_named ? r->request.last_time > best->request.last_time : named;
}

/* The request of the node under the event's Token, over its addresses and source ports. */
static struct request *request_of_event(struct judge *judge, struct host *host,
                                        const struct chorus_event *e) {
  struct request *best = NULL;
  /* A new request has no name yet, and the name may have been another one's before. */
  uint64_t name = e->type == CHORUS_EVENT_REQUEST ? 0 : name_digest(e);
  for (size_t i = 0; i < host->host.address_count; i++) {
    for (size_t j = 0; j < host->client_port_count; j++) {
      struct chorus_endpoint source = host->host.addresses[i];
      source.port = host->client_ports[j];
      struct request *r = request_find(judge, &source, e->token, e->token_length);
      if (r && rather(r, best, name)) best = r;
    }
  }
  return best;
}

static void announce(struct judge *judge, struct jdg_look *look, struct request *r) {
  if (r->request.announced && r->request.last_time == look->now) {
    /* The application asks anew, in the very words of the last request, under its Token. */
    struct request *again = request_again(judge, r, look->now);
    if (!again) return;
    look->relation = JDG_REUSE;
    look->gap = look->now - again->request.previous->last_time;
    r = again;
  }
  r->name = name_digest(look->event);
  r->request.announced = true;
  r->request.announced_at = look->now;
  r->request.timeout = look->event->timeout;
  look->request = &r->request;
}

#define FALLBACK_SEARCH 64

static uint64_t payload_digest_of(const struct chorus_event *e) {
  uint64_t h = e->code;
  for (size_t i = 0; i < e->payload_length; i++) h = jdg_mix(h, e->payload[i]);
  return h;
}

/* A client may hand over a code that it does not know as the generic one of the class: 4.00, 5.00
 * (RFC 7252, section 5.2), and for a success no more than that. */
static bool may_become(uint8_t received, uint8_t told) {
  return received == told || told == (received & 0xe0u);
}

/* How well the arrival fits what the application says it was given; 0: not at all. */
static unsigned likeness(const struct jdg_arrival *a, const struct chorus_event *e,
                         uint64_t payload) {
  if (a->mid != e->mid || !may_become(a->code, e->code)) return 0;
  bool token = same_token(a->token, a->token_length, e->token, e->token_length);
  if (!token && a->delivered) return 0;
  return 1u + 32u * token + 16u * chorus_same_address(&a->source, &e->peer) +
         8u * (a->code == e->code) + 4u * (a->payload_digest == payload) +
         2u * (a->delivered == 0) +
         (a->due != JDG_INVALID); /* in doubt the application is believed to have the right one */
}

/* The most likely of the latest arrivals; of several the first, as a client drops later ones. */
static struct arrival *likeliest(struct host *host, const struct chorus_event *e) {
  struct arrival *best = NULL, *a = host->latest_arrivals;
  uint64_t payload = payload_digest_of(e);
  unsigned best_score = 1;
  for (int i = 0; a && i < FALLBACK_SEARCH; a = a->older, i++) {
    unsigned score = likeness(&a->arrival, e, payload);
    if (score < best_score) continue;
    best = a;
    best_score = score;
  }
  return best;
}

/* The arrival that was delivered: by its true source and Token, else the one that fits best. */
static struct arrival *delivered_arrival(const struct judge *judge, struct host *host,
                                         const struct chorus_event *e) {
  struct arrival *best = likeliest(host, e);
  if (best) return best;
  struct arrival *a = arrival_find(judge, &host->host, &e->peer, e->mid);
  return a && same_token(a->arrival.token, a->arrival.token_length, e->token, e->token_length) &&
                 may_become(a->arrival.code, e->code)
             ? a
             : NULL;
}

/* What was taken and should not have been stands in the way of no valid response (seed 2.3.1). */
static void note_delivery(const struct jdg_arrival *a) {
  struct jdg_leg *leg = a->leg;
  if (a->due == JDG_INVALID) {
    leg->doubtful = true;
    return;
  }
  if (!leg->answered) leg->answered_from = a->source;
  leg->answered = true;
}

static void deliver(struct judge *judge, struct jdg_look *look) {
  struct host *host = (struct host *)look->host;
  struct arrival *a = delivered_arrival(judge, host, look->event);
  if (!a) return;
  struct jdg_arrival *q = &a->arrival;
  q->delivered++;
  q->delivered_at = look->now;
  q->delivered_identity_ok = chorus_same_address(&q->source, &look->event->peer);
  if (q->leg) {
    q->leg->delivered++;
    note_delivery(q);
  }
  if (q->request) q->request->delivered++;
  look->arrival = q;
  look->leg = q->leg;
  look->request = q->request;
  look->frame = q->frame;
}

/* Without the message the Token says nothing, unless there is one. */
static bool names_token(const struct chorus_event *e) {
  return e->has_message || e->token_length;
}

void client_event(struct judge *judge, struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  struct host *host = (struct host *)look->host;
  if (e->type == CHORUS_EVENT_RESTART)
    host->host.restarted_at = look->now ? look->now : 1; /* 0: none */
  if (e->type == CHORUS_EVENT_DELIVER) {
    deliver(judge, look);
    return;
  }
  if (e->type != CHORUS_EVENT_REQUEST && e->type != CHORUS_EVENT_DONE &&
      e->type != CHORUS_EVENT_REPEAT && e->type != CHORUS_EVENT_TOKEN_FREED &&
      !(e->type == CHORUS_EVENT_FOLLOW && names_token(e)))
    return;
  struct request *r = request_of_event(judge, host, e);
  if (!r) return;
  look->request = &r->request;
  look->frame = r->request.last_frame;
  if (e->type == CHORUS_EVENT_REQUEST) announce(judge, look, r);
  if (e->type == CHORUS_EVENT_DONE && r->request.done_at == CHORUS_NEVER)
    r->request.done_at = look->now;
}
