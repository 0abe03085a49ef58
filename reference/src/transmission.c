/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "client.h"

static bool same_peer(const struct chorus_endpoint *a, const struct chorus_endpoint *b) {
  return chorus_same_endpoint(a, b);
}

/* NSTART = 1 (RFC 7252, section 4.7): nothing else to this server is active or still expected. */
static bool is_its_turn(const struct ref_client *c, const struct ref_transmission *t) {
  for (const struct ref_transmission *o = c->transmissions; o && o != t; o = o->next)
    if (same_peer(&o->destination, &t->destination)) return false;
  for (const struct ref_transmission *o = t->next; o; o = o->next)
    if (o->state != REF_TRANSMISSION_QUEUED && same_peer(&o->destination, &t->destination))
      return false;
  return true;
}

static void transmit(struct ref_client *c, struct ref_transmission *t, chorus_time now) {
  struct ref_env env = ref_client_env(c, now);
  t->interval = c->policy->retransmit(&env, t->attempts++, t->interval);
  t->due = now + t->interval;
  if (t->request) t->request->exchange.last = now;
  ref_mids_touch(&c->mids, now, t->mid);
  ref_client_send(c, &t->destination, t->hop_limit, t->octets, t->length);
}

static void start(struct ref_client *c, struct ref_transmission *t, chorus_time now) {
  struct ref_env env = ref_client_env(c, now);
  uint16_t fresh;
  if (!ref_mids_take(&c->mids, now, &fresh)) {
    t->due = now + CHORUS_SECOND; /* all Message IDs are in use: later */
    return;
  }
  t->mid = c->policy->message_id(&env, false, fresh);
  t->octets[2] = (uint8_t)(t->mid >> 8);
  t->octets[3] = (uint8_t)t->mid;
  t->state = REF_TRANSMISSION_ACTIVE;
  t->first = now;
  if (t->request && t->follow_up)
    ref_client_followed_up(c, t->request, now, &t->destination, t->mid);
  else if (t->request)
    ref_client_started(c, t->request, now, t->mid);
  transmit(c, t, now);
}

static void start_ready(struct ref_client *c, chorus_time now) {
  struct ref_transmission *t = c->transmissions;
  while (t) {
    struct ref_transmission *next = t->next;
    if (t->state == REF_TRANSMISSION_QUEUED && t->due <= now && is_its_turn(c, t)) start(c, t, now);
    t = next;
  }
}

bool ref_transmission_add(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                          const struct chorus_endpoint *destination, const uint8_t *octets,
                          size_t length, bool follow_up) {
  struct ref_transmission *t = malloc(sizeof *t + length);
  if (!t) return false;
  *t = (struct ref_transmission){.request = r,
                                 .state = REF_TRANSMISSION_QUEUED,
                                 .follow_up = follow_up,
                                 .destination = *destination,
                                 .due = now,
                                 .length = (uint16_t)length,
                                 .hop_limit = follow_up ? 0 : r->hop_limit};
  memcpy(t->octets, octets, length);
  struct ref_transmission **at = &c->transmissions;
  while (*at) at = &(*at)->next;
  *at = t;
  start_ready(c, now);
  return true;
}

struct ref_transmission *ref_transmission_find(struct ref_client *c,
                                               const struct chorus_endpoint *source, uint16_t mid) {
  for (struct ref_transmission *t = c->transmissions; t; t = t->next)
    if (t->state != REF_TRANSMISSION_QUEUED && t->mid == mid && same_peer(&t->destination, source))
      return t;
  return NULL;
}

static void drop(struct ref_client *c, struct ref_transmission *t) {
  struct ref_transmission **at = &c->transmissions;
  while (*at != t) at = &(*at)->next;
  *at = t->next;
  free(t);
}

void ref_transmission_settle(struct ref_client *c, struct ref_transmission *t, chorus_time now) {
  drop(c, t);
  start_ready(c, now);
}

void ref_transmission_answered(struct ref_client *c, const struct ref_client_request *r,
                               const struct chorus_endpoint *source, chorus_time now) {
  struct ref_transmission *t = c->transmissions;
  while (t && !(t->request == r && t->state != REF_TRANSMISSION_QUEUED &&
                same_peer(&t->destination, source)))
    t = t->next;
  if (t) ref_transmission_settle(c, t, now);
}

bool ref_transmission_abandon(struct ref_client *c, const struct ref_client_request *r,
                              bool go_on) {
  bool some = false;
  struct ref_transmission *t = c->transmissions;
  while (t) {
    struct ref_transmission *next = t->next;
    if (t->request == r) {
      t->request = NULL;
      if (t->state == REF_TRANSMISSION_QUEUED) {
        drop(c, t);
      } else if (t->state == REF_TRANSMISSION_ACTIVE) {
        some = some || go_on;
        if (!go_on) t->state = REF_TRANSMISSION_HOLDING;
        if (!go_on) t->due = t->first + REF_EXCHANGE_LIFETIME;
      }
    }
    t = next;
  }
  return some;
}

/* The deadline of one has come: send it again, or give up, or forget it. */
static void run_one(struct ref_client *c, struct ref_transmission *t, chorus_time now) {
  if (t->state == REF_TRANSMISSION_HOLDING) {
    drop(c, t);
    return;
  }
  bool exhausted = t->attempts > REF_MAX_RETRANSMIT;
  /* The envelope of section 4.2: no copy later than MAX_TRANSMIT_SPAN after the first. */
  if (!exhausted && now - t->first <= REF_MAX_TRANSMIT_SPAN) {
    transmit(c, t, now);
    return;
  }
  struct ref_client_request *r = t->request;
  bool over = r && !t->follow_up;
  t->state = REF_TRANSMISSION_HOLDING;
  t->due = t->first + REF_EXCHANGE_LIFETIME;
  t->request = NULL;
  if (over) ref_client_finish(c, r, now, REF_END_TIMEOUT);
}

void ref_transmission_run(struct ref_client *c, chorus_time now) {
  struct ref_transmission *t = c->transmissions;
  while (t) {
    struct ref_transmission *next = t->next;
    if (t->state != REF_TRANSMISSION_QUEUED && t->due <= now) {
      run_one(c, t, now);
      next = c->transmissions; /* the list may have changed; what was run is due later */
    }
    t = next;
  }
  start_ready(c, now);
}

chorus_time ref_transmission_next(const struct ref_client *c) {
  chorus_time at = CHORUS_NEVER;
  for (const struct ref_transmission *t = c->transmissions; t; t = t->next) {
    if (t->state == REF_TRANSMISSION_QUEUED && !is_its_turn(c, t)) continue;
    if (t->due < at) at = t->due;
  }
  return at;
}

void ref_transmission_free_all(struct ref_client *c) {
  while (c->transmissions) drop(c, c->transmissions);
}
