/* SPDX-License-Identifier: BSD-2-Clause */
#include "agenda.h"

#include <stdlib.h>

#include "server.h"

static uint8_t *octets_of(struct ref_pending *p) {
  return p->length > REF_PENDING_INLINE ? p->long_octets : p->inline_octets;
}

static struct ref_pending *take_entry(struct ref_agenda *a, size_t length) {
  struct ref_pending *p = &a->own;
  if (p->in_use) p = malloc(sizeof *p);
  if (!p) return NULL;
  uint8_t *octets = NULL;
  if (length > REF_PENDING_INLINE && !(octets = malloc(length))) {
    if (p != &a->own) free(p);
    return NULL;
  }
  if (octets) p->long_octets = octets;
  p->in_use = true;
  p->attempts = 0;
  p->next = NULL;
  p->length = (uint16_t)length;
  return p;
}

static void release(struct ref_agenda *a, struct ref_pending *p) {
  if (p->length > REF_PENDING_INLINE) free(p->long_octets);
  p->in_use = false;
  if (p != &a->own) free(p);
}

/* Puts |p| behind everything that is due no later. */
static void insert(struct ref_agenda *a, struct ref_pending *p) {
  struct ref_pending **at = &a->pending;
  while (*at && (*at)->due <= p->due) at = &(*at)->next;
  p->next = *at;
  *at = p;
}

bool ref_agenda_respond(struct ref_agenda *a, chorus_time due,
                        const struct chorus_endpoint *destination,
                        const struct chorus_endpoint *source, const uint8_t *octets,
                        size_t length) {
  struct ref_pending *p = take_entry(a, length);
  if (!p) return false;
  p->due = due;
  p->destination = *destination;
  p->source = *source;
  memcpy(octets_of(p), octets, length);
  insert(a, p);
  return true;
}

void ref_agenda_defer(struct ref_agenda *a, const struct chorus_datagram *datagram,
                      chorus_time at) {
  struct ref_deferred *d = malloc(sizeof *d + datagram->length);
  if (!d) return;
  d->at = at;
  d->datagram = *datagram;
  memcpy(d->octets, datagram->payload, datagram->length);
  d->datagram.payload = d->octets;
  struct ref_deferred **place = &a->deferred;
  while (*place && (*place)->at <= at) place = &(*place)->next;
  d->next = *place;
  *place = d;
}

struct ref_deferred *ref_agenda_take_deferred(struct ref_agenda *a, chorus_time now) {
  struct ref_deferred *d = a->deferred;
  if (!d || d->at > now) return NULL;
  a->deferred = d->next;
  return d;
}

static bool is_confirmable(struct ref_pending *p) {
  return ((octets_of(p)[0] >> 4) & 3u) == REF_CON;
}

static uint16_t mid_of(struct ref_pending *p) {
  const uint8_t *octets = octets_of(p);
  return (uint16_t)(octets[2] << 8 | octets[3]);
}

/* Plans the next retransmission of a Confirmable response that was just sent. */
static void plan_again(struct ref_agenda *a, struct ref_pending *p, chorus_time now) {
  struct ref_server *s = a->server;
  struct ref_env env = ref_server_env(s, now);
  ref_mids_touch(&s->mids, now, mid_of(p));
  chorus_time last = p->attempts ? p->interval : 0;
  p->interval = s->policy->retransmit(&env, p->attempts++, last);
  p->due = now + p->interval;
  insert(a, p);
}

/* Sends one; a Confirmable one stays until it is acknowledged or has been sent often enough. */
static void run_one(struct ref_agenda *a, struct ref_pending *p, chorus_time now) {
  if (p->attempts > REF_MAX_RETRANSMIT) {
    release(a, p);
    return;
  }
  ref_send(a->host, &p->destination, &p->source, octets_of(p), p->length);
  if (is_confirmable(p))
    plan_again(a, p, now);
  else
    release(a, p);
}

void ref_agenda_send_due(struct ref_agenda *a, chorus_time now) {
  while (a->pending && a->pending->due <= now) {
    struct ref_pending *p = a->pending;
    a->pending = p->next;
    run_one(a, p, now);
  }
}

void ref_agenda_acknowledged(struct ref_agenda *a, const struct ref_env *env,
                             const struct chorus_endpoint *source, uint16_t mid) {
  for (struct ref_pending **at = &a->pending; *at; at = &(*at)->next) {
    struct ref_pending *p = *at;
    if (p->attempts == 0 || !is_confirmable(p) || mid_of(p) != mid) continue;
    if (!a->server->policy->match_ack(env, &p->destination, source)) continue;
    *at = p->next;
    release(a, p);
    return;
  }
}

void ref_agenda_clear(struct ref_agenda *a) {
  while (a->pending) {
    struct ref_pending *p = a->pending;
    a->pending = p->next;
    release(a, p);
  }
  while (a->deferred) {
    struct ref_deferred *d = a->deferred;
    a->deferred = d->next;
    free(d);
  }
}

void ref_agenda_schedule(struct ref_agenda *a) {
  chorus_time at = a->pending ? a->pending->due : CHORUS_NEVER;
  if (a->deferred && a->deferred->at < at) at = a->deferred->at;
  if (at == a->deadline) return;
  a->deadline = at;
  a->host->ops->deadline(a->host->context, at);
}

size_t ref_agenda_footprint(const struct ref_agenda *a) {
  size_t size = sizeof *a;
  for (const struct ref_pending *p = a->pending; p; p = p->next)
    size += (p == &a->own ? 0 : sizeof *p) + (p->length > REF_PENDING_INLINE ? p->length : 0);
  return size;
}
