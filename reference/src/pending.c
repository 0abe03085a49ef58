/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server does later: responses in their Leisure period, separate responses and their copies.
 */
#include <stdlib.h>

#include "server.h"

static uint8_t *octets_of(struct ref_pending *p) {
  return p->length > REF_PENDING_INLINE ? p->long_octets : p->inline_octets;
}

static struct ref_pending *take_entry(struct ref_server *s, size_t length) {
  struct ref_pending *p = &s->first_pending;
  if (p->in_use) p = malloc(sizeof *p);
  if (!p) return NULL;
  uint8_t *octets = NULL;
  if (length > REF_PENDING_INLINE && !(octets = malloc(length))) {
    if (p != &s->first_pending) free(p);
    return NULL;
  }
  if (octets) p->long_octets = octets;
  p->in_use = true;
  p->attempts = 0;
  p->next = NULL;
  p->length = (uint16_t)length;
  return p;
}

static void release(struct ref_server *s, struct ref_pending *p) {
  if (p->length > REF_PENDING_INLINE) free(p->long_octets);
  p->in_use = false;
  if (p != &s->first_pending) free(p);
}

/* Puts |p| behind everything that is due no later. */
static void insert(struct ref_server *s, struct ref_pending *p) {
  struct ref_pending **at = &s->pending;
  while (*at && (*at)->due <= p->due) at = &(*at)->next;
  p->next = *at;
  *at = p;
}

bool ref_pending_add(struct ref_server *s, chorus_time due,
                     const struct chorus_endpoint *destination,
                     const struct chorus_endpoint *source, const uint8_t *octets, size_t length) {
  struct ref_pending *p = take_entry(s, length);
  if (!p) return false;
  p->due = due;
  p->destination = *destination;
  p->source = *source;
  memcpy(octets_of(p), octets, length);
  insert(s, p);
  return true;
}

static bool is_confirmable(struct ref_pending *p) {
  return ((octets_of(p)[0] >> 4) & 3u) == REF_CON;
}

static uint16_t mid_of(struct ref_pending *p) {
  const uint8_t *octets = octets_of(p);
  return (uint16_t)(octets[2] << 8 | octets[3]);
}

/* Sends one; a Confirmable one stays until it is acknowledged or has been sent often enough. */
static void run_one(struct ref_server *s, const struct ref_env *env, struct ref_pending *p) {
  if (p->attempts > REF_MAX_RETRANSMIT) {
    release(s, p);
    return;
  }
  ref_server_send(s, &p->destination, &p->source, octets_of(p), p->length);
  if (!is_confirmable(p)) {
    release(s, p);
    return;
  }
  ref_mids_touch(&s->mids, env->now, mid_of(p));
  chorus_time last = p->attempts ? p->interval : 0;
  p->interval = s->policy->retransmit(env, p->attempts++, last);
  p->due = env->now + p->interval;
  insert(s, p);
}

void ref_pending_run(struct ref_server *s, const struct ref_env *env) {
  while (s->pending && s->pending->due <= env->now) {
    struct ref_pending *p = s->pending;
    s->pending = p->next;
    run_one(s, env, p);
  }
}

void ref_pending_acknowledged(struct ref_server *s, const struct ref_env *env,
                              const struct chorus_endpoint *source, uint16_t mid) {
  for (struct ref_pending **at = &s->pending; *at; at = &(*at)->next) {
    struct ref_pending *p = *at;
    if (p->attempts == 0 || !is_confirmable(p) || mid_of(p) != mid) continue;
    if (!s->policy->match_ack(env, &p->destination, source)) continue;
    *at = p->next;
    release(s, p);
    return;
  }
}

void ref_pending_clear(struct ref_server *s) {
  while (s->pending) {
    struct ref_pending *p = s->pending;
    s->pending = p->next;
    release(s, p);
  }
  while (s->deferred) {
    struct ref_deferred *d = s->deferred;
    s->deferred = d->next;
    free(d);
  }
}

static bool same_group(const struct chorus_endpoint *a, const struct chorus_endpoint *b) {
  return a->port == b->port && a->zone == b->zone && chorus_same_address(a, b);
}

static struct ref_period *begin_period(struct ref_membership_period *p,
                                       const struct chorus_endpoint *group) {
  p->group = *group;
  p->period = (struct ref_period){0, 0};
  return &p->period;
}

struct ref_period *ref_period_of(struct ref_server *s, const struct chorus_endpoint *group,
                                 chorus_time now) {
  struct ref_membership_period *over = NULL;
  if (same_group(&s->period.group, group)) return &s->period.period;
  if (s->period.period.end <= now) over = &s->period;
  for (size_t i = 0; i < s->period_count; i++) {
    if (same_group(&s->periods[i].group, group)) return &s->periods[i].period;
    if (!over && s->periods[i].period.end <= now) over = &s->periods[i];
  }
  if (over) return begin_period(over, group);
  struct ref_membership_period *more =
      realloc(s->periods, (s->period_count + 1) * sizeof *s->periods);
  if (!more) return NULL;
  s->periods = more;
  return begin_period(&s->periods[s->period_count++], group);
}

static bool same_source(const struct ref_source_rate *r, const struct chorus_endpoint *e) {
  return r->zone == e->zone && memcmp(r->address, e->address, sizeof r->address) == 0;
}

static struct ref_source_rate *begin_rate(struct ref_source_rate *r,
                                          const struct chorus_endpoint *source) {
  memcpy(r->address, source->address, sizeof r->address);
  r->zone = source->zone;
  r->next = 0;
  return r;
}

/* The entry of |source|; an entry whose rate has recovered makes room, else the most recovered one.
 */
static struct ref_source_rate *rate_of(struct ref_server *s, const struct chorus_endpoint *source,
                                       chorus_time now) {
  struct ref_source_rate *least = &s->source;
  if (same_source(&s->source, source)) return &s->source;
  for (size_t i = 0; i < s->source_count; i++) {
    if (same_source(&s->sources[i], source)) return &s->sources[i];
    if (s->sources[i].next < least->next) least = &s->sources[i];
  }
  if (least->next <= now || s->source_count == REF_SOURCES_MAX) return begin_rate(least, source);
  struct ref_source_rate *more = realloc(s->sources, (s->source_count + 1) * sizeof *s->sources);
  if (!more) return begin_rate(least, source);
  s->sources = more;
  return begin_rate(&s->sources[s->source_count++], source);
}

/* The generic cell rate algorithm: |response_rate| a second, as many of them at once. */
bool ref_rate_take(struct ref_server *s, const struct chorus_endpoint *source, chorus_time now) {
  struct ref_source_rate *r = rate_of(s, source, now);
  chorus_time next = r->next > now ? r->next : now;
  if (next - now > CHORUS_SECOND - CHORUS_SECOND / s->response_rate) return false;
  r->next = next + CHORUS_SECOND / s->response_rate;
  return true;
}

void ref_server_schedule(struct ref_server *s) {
  chorus_time at = s->pending ? s->pending->due : CHORUS_NEVER;
  if (s->deferred && s->deferred->at < at) at = s->deferred->at;
  if (at == s->deadline) return;
  s->deadline = at;
  s->host->ops->deadline(s->host->context, at);
}
