/* SPDX-License-Identifier: BSD-2-Clause */
#include "dedup.h"

#include <stdlib.h>

#include "chorus/policy.h"

void ref_dedup_init(struct ref_dedup *d) {
  memset(d, 0, sizeof *d);
  d->capacity = REF_DEDUP_INLINE;
}

void ref_dedup_free(struct ref_dedup *d) {
  free(d->mid);
  free(d->seen);
  ref_dedup_init(d);
}

static const uint16_t *mids(const struct ref_dedup *d) {
  return d->mid ? d->mid : d->own_mid;
}
static const struct ref_seen *entries(const struct ref_dedup *d) {
  return d->seen ? d->seen : d->own;
}

/* Whether any of sixteen Message IDs is |mid|: no early exit, so that it becomes vector code. */
static bool any_of_16(const uint16_t *m, uint16_t mid) {
  unsigned hit = 0;
  for (unsigned i = 0; i < 16; i++) hit |= m[i] == mid;
  return hit != 0;
}

static bool is_from(const struct ref_seen *s, const struct chorus_endpoint *source) {
  return s->port == source->port && s->zone == source->zone &&
         memcmp(s->address, source->address, sizeof s->address) == 0;
}

bool ref_dedup_find(const struct ref_dedup *d, const struct chorus_endpoint *source, uint16_t mid,
                    chorus_time now, chorus_time *age) {
  const uint16_t *m = mids(d);
  const struct ref_seen *s = entries(d);
  bool found = false;
  for (uint32_t block = 0; block < d->capacity; block += 16) {
    if (!any_of_16(m + block, mid)) continue;
    for (uint32_t i = block; i < block + 16; i++) {
      bool live = ((i - d->head) & (d->capacity - 1)) < d->count;
      if (m[i] != mid || !live || !is_from(&s[i], source)) continue;
      if (found && now - s[i].at >= *age) continue;
      *age = now - s[i].at;
      found = true;
    }
  }
  return found;
}

static bool is_expired(const struct ref_seen *s, chorus_time now, chorus_time lifetime) {
  return now - s->at >= lifetime;
}

/* Doubles the ring; false without memory or at the limit. */
static bool grow(struct ref_dedup *d) {
  if (d->capacity >= REF_DEDUP_MAX) return false;
  uint32_t capacity = d->capacity * 2;
  uint16_t *mid = calloc(capacity, sizeof *mid);
  struct ref_seen *seen = calloc(capacity, sizeof *seen);
  if (!mid || !seen) {
    free(mid);
    free(seen);
    return false;
  }
  for (uint32_t i = 0; i < d->count; i++) {
    uint32_t from = (d->head + i) & (d->capacity - 1);
    mid[i] = mids(d)[from];
    seen[i] = entries(d)[from];
  }
  free(d->mid);
  free(d->seen);
  d->mid = mid;
  d->seen = seen;
  d->head = 0;
  d->capacity = capacity;
  return true;
}

void ref_dedup_add(struct ref_dedup *d, const struct chorus_endpoint *source, uint16_t mid,
                   chorus_time now, chorus_time lifetime) {
  bool full = d->count == d->capacity;
  if (full && (is_expired(&entries(d)[d->head], now, lifetime) || !grow(d))) {
    d->head = (d->head + 1) & (d->capacity - 1);
    d->count--;
  }
  uint32_t at = (d->head + d->count++) & (d->capacity - 1);
  struct ref_seen *s = d->seen ? &d->seen[at] : &d->own[at];
  uint16_t *m = d->mid ? &d->mid[at] : &d->own_mid[at];
  *m = mid;
  memcpy(s->address, source->address, sizeof s->address);
  s->at = now;
  s->zone = source->zone;
  s->port = source->port;
  s->mid = mid;
}

static void free_list(struct ref_received *r) {
  while (r) {
    struct ref_received *next = r->next;
    free(r);
    r = next;
  }
}

void ref_exchanges_free(struct ref_exchanges *e) {
  free_list(e->first);
  e->first = NULL;
}

const struct ref_received *ref_exchanges_find(const struct ref_exchanges *e,
                                              const struct chorus_endpoint *source, uint16_t mid) {
  for (const struct ref_received *r = e->first; r; r = r->next)
    if (r->mid == mid && r->source.zone == source->zone && chorus_same_endpoint(&r->source, source))
      return r;
  return NULL;
}

/* The list is in order of arrival: everything behind the first expired entry is expired, too. */
static void exchanges_expire(struct ref_exchanges *e, chorus_time now) {
  struct ref_received **at = &e->first;
  while (*at && now - (*at)->at < REF_EXCHANGE_LIFETIME) at = &(*at)->next;
  free_list(*at);
  *at = NULL;
}

void ref_exchanges_add(struct ref_exchanges *e, const struct chorus_endpoint *source, uint16_t mid,
                       chorus_time now, const uint8_t *reply, size_t length) {
  exchanges_expire(e, now);
  struct ref_received *r = malloc(sizeof *r + length);
  if (!r) return;
  *r = (struct ref_received){
      .next = e->first, .source = *source, .at = now, .mid = mid, .length = (uint16_t)length};
  if (length) memcpy(r->reply, reply, length);
  e->first = r;
}
