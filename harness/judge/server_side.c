/* SPDX-License-Identifier: BSD-2-Clause */
/* What servers receive, do and answer: receptions and legs. */
#include "judge/internal.h"

/* ---- legs ---- */

struct leg_key {
  const struct jdg_request *request;
  const struct jdg_host *server;
};

static bool same_leg(const void *object, const void *key) {
  const struct jdg_leg *leg = &((const struct leg *)object)->leg;
  const struct leg_key *k = key;
  return leg->request == k->request && leg->server == k->server;
}

static uint64_t leg_hash(const struct request *request, const struct jdg_host *server) {
  return jdg_mix(request->request.serial, (uint64_t)server->index << 32);
}

struct leg *leg_find(const struct judge *judge, const struct request *request,
                     const struct jdg_host *server) {
  struct leg_key key = {&request->request, server};
  return jdg_table_find(&judge->legs, leg_hash(request, server), same_leg, &key);
}

bool jdg_has_answered(const struct jdg_look *look, const struct jdg_request *request) {
  const struct leg *leg = leg_find(look->judge, (const struct request *)request, look->host);
  return leg && leg->leg.responses > 0;
}

struct leg *leg_of(struct judge *judge, struct request *request, struct jdg_host *server) {
  struct leg *leg = leg_find(judge, request, server);
  if (leg) return leg;
  leg = jdg_pool_take_unset(&judge->leg_pool);
  if (!leg) {
    judge->no_memory = true;
    return NULL;
  }
  zero(leg, sizeof *leg);
  leg->leg.request = &request->request;
  leg->leg.server = server;
  leg->leg.received = CHORUS_NEVER;
  leg->hash = leg_hash(request, server);
  leg->next_of_request = request->legs;
  request->legs = leg;
  if (!jdg_table_add(&judge->legs, leg->hash, leg)) judge->no_memory = true;
  return leg;
}

/* ---- receptions ---- */

struct reception_key {
  const struct jdg_host *server;
  const struct chorus_endpoint *source;
  uint32_t mid; /* above 65535: any, the latest stimulus */
};

static bool same_reception(const void *object, const void *key) {
  const struct jdg_reception *r = &((const struct reception *)object)->reception;
  const struct reception_key *k = key;
  return r->server == k->server && (k->mid > UINT16_MAX || r->mid == k->mid) &&
         chorus_same_endpoint(&r->source, k->source);
}

static uint64_t reception_hash(uint64_t source_hash, const struct jdg_host *server, uint32_t mid) {
  return jdg_mix(source_hash, (uint64_t)server->index << 32 | mid);
}

static struct reception *find(const struct judge *judge, const struct jdg_table *table,
                              const struct jdg_host *server, const struct chorus_endpoint *source,
                              uint32_t mid) {
  struct reception_key key = {server, source, mid};
  uint64_t hash = reception_hash(hash_of(judge, source), server, mid);
  return jdg_table_find(table, hash, same_reception, &key);
}

struct reception *reception_find(const struct judge *judge, const struct jdg_host *server,
                                 const struct chorus_endpoint *source, uint16_t mid) {
  return find(judge, &judge->receptions, server, source, mid);
}

static struct reception *stimulus_find(const struct judge *judge, const struct jdg_host *server,
                                       const struct chorus_endpoint *source) {
  return find(judge, &judge->stimuli, server, source, UINT32_MAX);
}

static void unindex(struct judge *judge, struct reception *r) {
  if (r->indexed) jdg_table_remove(&judge->receptions, r->hash, r);
  r->indexed = false;
}

static void unstimulate(struct judge *judge, struct reception *r) {
  if (r->is_stimulus) jdg_table_remove(&judge->stimuli, r->stimulus_hash, r);
  r->is_stimulus = false;
}

/* Makes |r| the latest stimulus of its source, in the place of the one before. */
static void stimulate(struct judge *judge, struct reception *r, struct reception *old) {
  if (old) {
    old->is_stimulus = false;
    jdg_table_replace(&judge->stimuli, r->stimulus_hash, old, r);
  }
  r->is_stimulus = old || jdg_table_add(&judge->stimuli, r->stimulus_hash, r);
}

static uint64_t conditions(const struct jdg_reception *q) {
  uint64_t have = destination_conditions(&q->destination);
  if (q->bad || q->errors) have |= JDG_IF_BAD;
  if (q->type == DIS_CON) have |= JDG_IF_CON;
  if (q->type == DIS_NON) have |= JDG_IF_NON_CAUSE;
  return have;
}

void reception_index(struct judge *judge, struct reception *r,
                     const struct chorus_endpoint *source) {
  struct jdg_reception *q = &r->reception;
  uint64_t source_hash = hash_of(judge, source);
  r->conditions = conditions(q);
  r->hash = reception_hash(source_hash, q->server, q->mid);
  r->indexed = jdg_table_add(&judge->receptions, r->hash, r);
  r->stimulus_hash = reception_hash(source_hash, q->server, UINT32_MAX);
  stimulate(judge, r, stimulus_find(judge, q->server, source));
  if (!r->indexed || !r->is_stimulus || jdg_fifo_push(&judge->reception_ages, r) != 0)
    judge->no_memory = true;
}

void receptions_expire(struct judge *judge) {
  for (;;) {
    struct reception *r = jdg_fifo_peek(&judge->reception_ages);
    /* A long Leisure can make the window outlive the usual time. */
    if (!r || r->reception.time + KEEP_RECEPTION > judge->now ||
        (r->reception.window_end >= judge->now && r->reception.window_end != CHORUS_NEVER))
      return;
    jdg_fifo_pop(&judge->reception_ages);
    unindex(judge, r);
    unstimulate(judge, r);
    if (r->reception.leg) {
      struct leg *leg = (struct leg *)r->reception.leg;
      if (leg->latest == r) leg->latest = NULL;
    }
    jdg_pool_give(&judge->reception_pool, r);
  }
}

/* Counts what came shortly before from the same source and to the same group, and remembers this
 * one. */
static void note_recent(const struct judge *judge, struct host *host, struct jdg_reception *q) {
  uint64_t source = judge->source_address_hash;
  uint64_t group = q->group ? judge->destination_hash : 0;
  chorus_time leisure = host->host.ics.leisure;
  chorus_time span = leisure > CHORUS_SECOND ? leisure : CHORUS_SECOND;
  /* From the latest back, as far as it can matter. */
  for (size_t i = 1; i <= RECENT_REQUESTS; i++) {
    const struct recent_request *r = &host->recent[(host->recent_next - i) % RECENT_REQUESTS];
    if (!r->source || r->time + span <= q->time) break;
    if (r->source == source && r->time + CHORUS_SECOND > q->time) q->recent++;
    if (group && r->group == group && r->time + leisure > q->time) q->earlier_in_leisure++;
  }
  if (q->recent >= RECENT_REQUESTS) q->recent = RECENT_REQUESTS - 1;
  host->recent[host->recent_next++ % RECENT_REQUESTS] =
      (struct recent_request){q->time, group, source};
}

/*
 * A server may give each group request a Leisure period of its own, one after the other (RFC 7252,
 * section 8.2): until then an answer can still come.
 */
static bool note_leisure(struct host *host, bool group, chorus_time now) {
  bool isolated = host->busy_until <= now;
  if (!group) return isolated;
  if (isolated) host->busy_until = now;
  host->busy_until += host->host.ics.leisure;
  return isolated;
}

static struct reception *new_reception(struct judge *judge, struct jdg_look *look,
                                       enum jdg_bad bad) {
  struct reception *r = jdg_pool_take_unset(&judge->reception_pool);
  if (!r) {
    judge->no_memory = true;
    return NULL;
  }
  const struct dis_coap *m = look->coap;
  zero(r, sizeof *r);
  struct jdg_reception *q = &r->reception;
  q->server = look->host;
  q->source = look->frame_info->source;
  q->destination = look->frame_info->destination;
  q->group = look->group;
  q->certain = look->certain;
  q->bad = bad;
  q->errors = m->errors;
  q->type = m->type;
  q->code = m->code;
  q->mid = m->mid;
  q->size = m->length;
  q->frame = look->frame;
  q->time = q->last_time = look->now;
  q->window_end = CHORUS_NEVER;
  q->token_length = copy_token(q->token, m);
  copy_token_front(q->token, m);
  if (bad == JDG_BAD_OPTION) dis_options_reject(m, &q->culprit);
  r->digest = judge->digest;
  return r;
}

static void note_membership(struct jdg_look *look, struct jdg_reception *q) {
  if (!q->group) return;
  enum jdg_tristate member = host_member((struct host *)look->host, &q->destination);
  q->member = member == JDG_YES;
  q->member_known = member != JDG_UNKNOWN;
}

/* Receptions of this instant: an event of the same instant may say otherwise of the membership. */
static void note_instant(struct host *host, struct jdg_reception *q) {
  if (host->instant != q->time) host->instant_count = 0;
  host->instant = q->time;
  if (q->group && host->instant_count < INSTANT_RECEPTIONS)
    host->at_instant[host->instant_count++] = q;
}

static void doubt_membership(struct host *host, const struct chorus_endpoint *group,
                             chorus_time now) {
  if (host->instant != now) return;
  for (size_t i = 0; i < host->instant_count; i++)
    if (chorus_same_endpoint(&host->at_instant[i]->destination, group))
      host->at_instant[i]->member_known = false;
}

static void attach_request(struct judge *judge, struct jdg_look *look, struct reception *r) {
  bool has_token = look->coap->token_length <= 8 && look->coap->length >= 4u &&
                   !(look->coap->errors & (DIS_ERROR_SHORT | DIS_ERROR_TOKEN_LENGTH |
                                           DIS_ERROR_TOKEN_CUT | DIS_ERROR_VERSION)) &&
                   dis_is_request(look->coap);
  struct request *request = has_token ? request_received(judge, look) : NULL;
  if (!request) return;
  struct leg *leg = leg_of(judge, request, look->host);
  request->conditions |= judge->message_conditions & JDG_IF_ODD; /* in any of its messages */
  r->reception.request = &request->request;
  r->reception.leg = leg ? &leg->leg : NULL;
  if (!leg) return;
  if (leg->leg.received == CHORUS_NEVER) leg->leg.received = look->now;
  leg->leg.last_received = look->now;
  leg->leg.receptions++;
  leg->latest = r;
}

static void count_copy(struct reception *r, const struct jdg_look *look) {
  r->reception.copies++;
  r->reception.last_time = look->now;
  if (!r->reception.leg) return;
  r->reception.leg->copies++;
  r->reception.leg->last_received = look->now;
}

static void open_window(struct judge *judge, struct jdg_look *look, struct jdg_reception *q) {
  const struct jdg_ics *ics = &look->host->ics;
  const struct host *host = (const struct host *)look->host;
  chorus_time leisure_end = look->now + ics->leisure;
  if (q->group && host->busy_until > leisure_end) leisure_end = host->busy_until;
  q->window_end = leisure_end + ics->processing + jdg_delta(look);
  if (jdg_timers_set(&judge->timers, q->window_end, JDG_TIMER_WINDOW, q) != 0)
    judge->no_memory = true;
}

void server_received(struct judge *judge, struct jdg_look *look, enum jdg_bad bad) {
  struct reception *r =
      reception_find(judge, look->host, &look->frame_info->source, look->coap->mid);
  bool expired = !r || look->now - r->reception.time >= JDG_NON_LIFETIME;
  /* A restart may have forgotten it, or not: then what follows proves nothing. */
  chorus_time restart = look->host->restarted_at;
  bool fresh = expired || (restart && r->reception.time <= restart);
  bool identical = r && r->digest == look->judge->digest && r->reception.group == look->group;
  if (!fresh && identical) {
    look->copy = true;
    count_copy(r, look);
    /* Without de-duplication a copy is a request like any other. */
    note_leisure((struct host *)look->host, look->group, look->now);
  } else {
    struct reception *old = r;
    r = new_reception(judge, look, bad);
    if (!r) return;
    r->reception.duplicate_of_known = !expired;
    if (old) unindex(judge, old);
    attach_request(judge, look, r);
    note_membership(look, &r->reception);
    note_instant((struct host *)look->host, &r->reception);
    note_recent(judge, (struct host *)look->host, &r->reception);
    r->reception.isolated = note_leisure((struct host *)look->host, look->group, look->now);
    reception_index(judge, r, &look->frame_info->source);
    if (look->certain) open_window(judge, look, &r->reception);
  }
  look->reception = &r->reception;
  look->leg = r->reception.leg;
  look->request = r->reception.request;
  judge_call(judge, look, JDG_ON_REQUEST_RECEIVED, look->host);
}

/* ---- what servers send ---- */

/* Who reacts has received. */
static void react(struct jdg_reception *reception, uint64_t frame) {
  reception->certain = true;
  if (!reception->reaction_frame) reception->reaction_frame = frame;
}

#define RESPONSE_MEMORY 8

/* Whether this response is a retransmission of one that the leg has seen. */
static bool sent_before(const struct jdg_leg *leg, const struct jdg_look *look) {
  unsigned n = leg->responses < RESPONSE_MEMORY ? leg->responses : RESPONSE_MEMORY;
  uint64_t digest = look->judge->digest;
  for (unsigned i = 0; i < n; i++)
    if (leg->response_mids[i] == look->coap->mid && leg->response_digests[i] == digest) return true;
  return false;
}

static void remember_response(struct jdg_leg *leg, const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  leg->response_mids[leg->responses % RESPONSE_MEMORY] = m->mid;
  leg->response_digests[leg->responses % RESPONSE_MEMORY] = look->judge->digest;
  if (leg->responses++ == 0) {
    leg->first_response = look->now;
    leg->first_response_frame = look->frame;
    leg->request->responders++;
  }
  leg->last_response = look->now;
  leg->response_code = m->code;
  leg->response_type = m->type;
  leg->response_mid = m->mid;
  if (dis_class(m->code) != 2 || !dis_option_count(m, DIS_OBSERVE, NULL)) return;
  leg->observing = true;
  leg->request->notified_at = look->now;
}

/* The message that an ACK or RST belongs to, by its Message ID. */
static struct reception *reacted_to(struct judge *judge, const struct jdg_look *look) {
  const struct chorus_endpoint *to = &look->frame_info->destination;
  struct reception *r = reception_find(judge, look->host, to, look->coap->mid);
  return r ? r : group_sight_by_mid(judge, look->host, to, look->coap->mid);
}

/* The message that a response answers: the latest of its leg, or the latest from there at all. */
static struct reception *cause_of(struct judge *judge, const struct jdg_look *look,
                                  struct leg *leg) {
  const struct chorus_endpoint *to = &look->frame_info->destination;
  if (leg)
    return leg->latest ? leg->latest : group_sight_by_request(judge, look->host, leg->leg.request);
  struct reception *r = stimulus_find(judge, look->host, to);
  struct reception *seen = group_sight_latest(judge, look->host, to, r ? r->reception.time : 0);
  return seen ? seen : r;
}

/* Whether an answer is still to be expected; what was suppressed is owed no longer than a window.
 */
static bool owes(const struct leg *leg, chorus_time now) {
  if (!leg || !leg->latest || leg->leg.responses + leg->leg.suppressed >= leg->leg.receptions)
    return false;
  return leg->latest->reception.window_end >= now;
}

/*
 * The request that a response answers. A server cannot tell the owner's from one that is kept apart
 * (forged, or malformed) under the same Token: it owes the owner's answer first.
 */
static struct request *answered_request(const struct judge *judge, const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  const struct chorus_endpoint *to = &look->frame_info->destination;
  struct request *own = request_find(judge, to, m->token, m->token_length);
  struct request *apart = request_find_apart(judge, to, m->token, m->token_length);
  if (!own || !apart) return own ? own : apart;
  const struct leg *a = leg_find(judge, own, look->host);
  const struct leg *b = leg_find(judge, apart, look->host);
  if (owes(a, look->now) || !b) return own;
  if (owes(b, look->now) || !a) return apart;
  return b->leg.last_received > a->leg.last_received ? apart : own;
}

/* A piggybacked response names its request by Message ID and Token, any other one by its Token. */
static struct request *responded_to(const struct judge *judge, const struct jdg_look *look,
                                    struct reception *by_mid) {
  struct jdg_request *q = by_mid ? by_mid->reception.request : NULL;
  const struct dis_coap *m = look->coap;
  bool echoed = q && same_token(q->token, q->token_length, m->token, m->token_length);
  return echoed ? (struct request *)q : answered_request(judge, look);
}

void server_responded(struct judge *judge, struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  struct reception *by_mid = m->type == DIS_ACK ? reacted_to(judge, look) : NULL;
  if (by_mid) by_mid->reception.acks++;
  if (by_mid) react(&by_mid->reception, look->frame);
  struct request *request = responded_to(judge, look, by_mid);
  struct leg *leg = request ? leg_of(judge, request, look->host) : NULL;
  struct reception *cause = by_mid ? by_mid : cause_of(judge, look, leg);
  look->request = request ? &request->request : NULL;
  look->leg = leg ? &leg->leg : NULL;
  look->reception = cause ? &cause->reception : NULL;
  /* |copy| is set where the very datagram was sent before, for whatever request. */
  if (leg) {
    request->last_seen = look->now;
    look->copy = look->copy || sent_before(&leg->leg, look);
    if (!look->copy) remember_response(&leg->leg, look);
  }
  if (cause && !look->copy) {
    /* Elsewhere, who answers one of several messages may have missed the last. */
    bool only = look->certain || !leg || leg->leg.receptions == 1;
    cause->reception.responses++;
    if (only) react(&cause->reception, look->frame);
  }
  judge_call(judge, look, JDG_ON_RESPONSE_SENT, look->host);
}

void server_empty_sent(struct judge *judge, struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  const struct chorus_endpoint *to = &look->frame_info->destination;
  if (m->type == DIS_ACK || m->type == DIS_RST) {
    struct reception *r = reacted_to(judge, look);
    struct arrival *a = arrival_find(judge, look->host, to, m->mid);
    /* The Message ID may have come in a request and in a response: the later one is meant. */
    if (r && a && a->last_time >= r->reception.last_time) r = NULL;
    if (r) a = NULL;
    if (r) {
      r->reception.rsts += m->type == DIS_RST;
      r->reception.acks += m->type == DIS_ACK;
      react(&r->reception, look->frame);
      if (r->reception.leg && m->type == DIS_ACK) r->reception.leg->acks++;
      look->reception = &r->reception;
      look->leg = r->reception.leg;
      look->request = r->reception.request;
    }
    if (a) {
      a->arrival.rsts += m->type == DIS_RST;
      a->arrival.acks += m->type == DIS_ACK;
      look->arrival = &a->arrival;
      look->leg = a->arrival.leg;
      look->request = a->arrival.request;
    }
  }
  judge_call(judge, look, JDG_ON_EMPTY_SENT, look->host);
}

/* ---- what servers' applications say ---- */

static bool has_token(const struct reception *r, const struct chorus_event *e) {
  const struct jdg_request *q = r->reception.request;
  return !q || same_token(q->token, q->token_length, e->token, e->token_length);
}

/* The message that an event is about: by Message ID and Token, else the latest under its Token. */
static struct reception *event_reception(const struct judge *judge, const struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  struct reception *r = reception_find(judge, look->host, &e->peer, e->mid);
  if (r && has_token(r, e)) return r;
  struct request *request = request_find(judge, &e->peer, e->token, e->token_length);
  if (!request) request = request_find_apart(judge, &e->peer, e->token, e->token_length);
  struct leg *leg = request ? leg_find(judge, request, look->host) : NULL;
  return leg ? leg->latest : NULL;
}

static void find_cause(struct judge *judge, struct jdg_look *look) {
  if (!look->event->has_message) return;
  struct reception *r = event_reception(judge, look);
  if (!r) return;
  look->reception = &r->reception;
  look->leg = r->reception.leg;
  look->request = r->reception.request;
  look->frame = r->reception.frame;
}

void server_event(struct judge *judge, struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  struct host *host = (struct host *)look->host;
  if (e->type == CHORUS_EVENT_JOIN || e->type == CHORUS_EVENT_LEAVE)
    doubt_membership(host, &e->peer, look->now);
  if (e->type == CHORUS_EVENT_JOIN) host_membership(host, &e->peer, true);
  if (e->type == CHORUS_EVENT_LEAVE) host_membership(host, &e->peer, false);
  if (e->type != CHORUS_EVENT_EXECUTE && e->type != CHORUS_EVENT_SUPPRESS) return;
  look->host->roles |= JDG_SERVER;
  find_cause(judge, look);
  if (e->type == CHORUS_EVENT_EXECUTE) {
    if (look->reception) look->reception->executed++;
    if (look->leg) look->leg->executed++;
  } else if (look->leg) {
    look->leg->suppressed++;
  }
}
