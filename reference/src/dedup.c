/* SPDX-License-Identifier: BSD-2-Clause */
#include "dedup.h"

#include <stdlib.h>

#include "chorus/policy.h"

void ref_dedup_init(struct ref_dedup *d) {
  memset(d, 0, sizeof *d);
  d->capacity = REF_DEDUP_INLINE;
}

void ref_dedup_free(struct ref_dedup *d) {
  free(d->seen);
  ref_dedup_init(d);
}

static size_t heap_size(size_t capacity) {
  return capacity * (sizeof(struct ref_seen) + sizeof(uint16_t) + sizeof(uint8_t));
}

size_t ref_dedup_footprint(const struct ref_dedup *d) {
  return d->seen ? heap_size(d->capacity) : 0;
}

/* What only looks takes them from a ring that it does not change, and leaves them as they are. */

static struct ref_seen *entries(const struct ref_dedup *d) {
  return d->seen ? d->seen : (struct ref_seen *)d->own;
}

static uint16_t *mids(const struct ref_dedup *d) {
  return d->seen ? (uint16_t *)(d->seen + d->capacity) : (uint16_t *)d->own_mid;
}

static uint8_t *seconds(const struct ref_dedup *d) {
  return d->seen ? (uint8_t *)(mids(d) + d->capacity) : (uint8_t *)d->own_second;
}

/* Where the |i|-th oldest entry is, or the next one will be. */
static uint32_t place_of(const struct ref_dedup *d, uint32_t i) {
  return (d->head + i) & (d->capacity - 1u);
}

static void write_entry(struct ref_dedup *d, uint32_t at, const struct ref_seen *entry) {
  mids(d)[at] = entry->mid;
  seconds(d)[at] = (uint8_t)(entry->at / CHORUS_SECOND);
  entries(d)[at] = *entry;
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
      bool live = ((i - d->head) & (d->capacity - 1u)) < d->count;
      if (m[i] != mid || !live || !is_from(&s[i], source)) continue;
      if (found && now - s[i].at >= *age) continue;
      *age = now - s[i].at;
      found = true;
    }
  }
  return found;
}

/*
 * Whether the oldest entry is |lifetime| old. Its second mostly says so; only when it does not is
 * the entry itself looked at, which costs a miss of the cache.
 */
static bool oldest_expired(const struct ref_dedup *d, chorus_time now, chorus_time lifetime) {
  chorus_time least = (uint8_t)(now / CHORUS_SECOND - seconds(d)[d->head]); /* of its age, s */
  if (least > 0 && (least - 1) * CHORUS_SECOND >= lifetime) return true;
  return now - entries(d)[d->head].at >= lifetime;
}

/* Doubles the ring; false without memory or at the limit. */
static bool grow(struct ref_dedup *d) {
  if (d->capacity >= REF_DEDUP_MAX) return false;
  struct ref_dedup bigger = {.capacity = (uint16_t)(d->capacity * 2)};
  bigger.seen = calloc(1, heap_size(bigger.capacity));
  if (!bigger.seen) return false;
  for (; bigger.count < d->count; bigger.count++)
    write_entry(&bigger, bigger.count, &entries(d)[place_of(d, bigger.count)]);
  free(d->seen);
  d->seen = bigger.seen;
  d->head = 0;
  d->capacity = bigger.capacity;
  return true;
}

void ref_dedup_add(struct ref_dedup *d, const struct chorus_endpoint *source, uint16_t mid,
                   chorus_time now, chorus_time lifetime) {
  bool full = d->count == d->capacity;
  if (full && (oldest_expired(d, now, lifetime) || !grow(d))) {
    d->head = (uint16_t)place_of(d, 1);
    d->count--;
  }
  struct ref_seen entry = {.at = now, .zone = source->zone, .port = source->port, .mid = mid};
  memcpy(entry.address, source->address, sizeof entry.address);
  write_entry(d, place_of(d, d->count++), &entry);
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
