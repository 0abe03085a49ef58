/* SPDX-License-Identifier: BSD-2-Clause */
#include "responders.h"

#include <stdlib.h>

enum {
  FIRST_CAPACITY = 16,
  SPARSE = 32 /* less than one place in that many is in use: emptied one by one */
};

/* Mixes an address; its last octets differ most from server to server. */
static uint64_t hash(const uint8_t address[16], uint32_t zone) {
  uint64_t high, low;
  memcpy(&high, address, 8);
  memcpy(&low, address + 8, 8);
  uint64_t h = (low ^ zone) * UINT64_C(0x9e3779b97f4a7c15);
  h = (h ^ (h >> 29) ^ high) * UINT64_C(0xbf58476d1ce4e5b9);
  return h >> 24; /* what is low in |h| depends on few octets of the address */
}

/* The upper bits, never 0; the lower ones choose the place. */
static uint8_t tag_of(uint64_t h) {
  return (uint8_t)(h >> 32 | 1);
}

static uint32_t room(uint32_t capacity) {
  return capacity / 4 * 3;
}

/* The arrays, empty; false without memory, nothing changed. */
static bool allocate(struct ref_responders *r, uint32_t capacity) {
  struct ref_responder *responder = malloc(room(capacity) * sizeof *responder);
  uint8_t *tag = calloc(capacity, sizeof *tag);
  uint32_t *index = malloc(capacity * sizeof *index);
  if (!responder || !tag || !index) {
    free(responder);
    free(tag);
    free(index);
    return false;
  }
  r->responder = responder;
  r->tag = tag;
  r->index = index;
  r->capacity = capacity;
  r->count = 0;
  return true;
}

static void free_arrays(const struct ref_responders *r) {
  free(r->responder);
  free(r->tag);
  free(r->index);
}

struct ref_responders *ref_responders_new(void) {
  struct ref_responders *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  if (allocate(r, FIRST_CAPACITY)) return r;
  free(r);
  return NULL;
}

void ref_responders_free(struct ref_responders *r) {
  if (!r) return;
  free_arrays(r);
  free(r);
}

static uint32_t home(const struct ref_responders *r, uint64_t h) {
  return (uint32_t)h & (r->capacity - 1);
}

static uint32_t after(const struct ref_responders *r, uint32_t place) {
  return (place + 1) & (r->capacity - 1);
}

/* Forgets the responder that came last: what it was moved on for by others is all still there. */
static void forget_last(struct ref_responders *r) {
  const struct ref_responder *last = &r->responder[--r->count];
  uint32_t place = home(r, hash(last->address, last->zone));
  while (r->index[place] != r->count) place = after(r, place);
  r->tag[place] = 0;
}

void ref_responders_clear(struct ref_responders *r) {
  if (r->count < r->capacity / SPARSE) {
    while (r->count > 0) forget_last(r);
    return;
  }
  memset(r->tag, 0, r->capacity);
  r->count = 0;
}

void ref_responders_prefetch(const struct ref_responders *r, const struct chorus_endpoint *server) {
  uint32_t place = home(r, hash(server->address, server->zone));
  __builtin_prefetch(&r->tag[place], 1);
  __builtin_prefetch(&r->index[place], 1);
  __builtin_prefetch(&r->responder[r->count + 16], 1);
}

static bool is_at(const struct ref_responders *r, uint32_t place,
                  const struct chorus_endpoint *server) {
  const struct ref_responder *known = &r->responder[r->index[place]];
  return known->zone == server->zone &&
         memcmp(known->address, server->address, sizeof known->address) == 0;
}

struct ref_responder_look ref_responders_find(const struct ref_responders *r,
                                              const struct chorus_endpoint *server) {
  struct ref_responder_look look = {.hash = hash(server->address, server->zone)};
  uint8_t tag = tag_of(look.hash);
  look.place = home(r, look.hash);
  for (; r->tag[look.place]; look.place = after(r, look.place)) {
    if (r->tag[look.place] != tag || !is_at(r, look.place, server)) continue;
    look.known = true;
    return look;
  }
  return look;
}

/* Puts the responder |number| into |place|, which is empty. */
static void take(struct ref_responders *r, uint32_t place, uint64_t h, uint32_t number) {
  r->tag[place] = tag_of(h);
  r->index[place] = number;
}

static uint32_t empty_place(const struct ref_responders *r, uint64_t h) {
  uint32_t place = home(r, h);
  while (r->tag[place]) place = after(r, place);
  return place;
}

static bool grow(struct ref_responders *r) {
  struct ref_responders bigger = *r;
  if (!allocate(&bigger, r->capacity * 2)) return false;
  for (; bigger.count < r->count; bigger.count++) {
    const struct ref_responder *one = &r->responder[bigger.count];
    uint64_t h = hash(one->address, one->zone);
    take(&bigger, empty_place(&bigger, h), h, bigger.count);
    bigger.responder[bigger.count] = *one;
  }
  free_arrays(r);
  *r = bigger;
  return true;
}

bool ref_responders_add(struct ref_responders *r, const struct chorus_endpoint *server,
                        const struct ref_responder_look *look) {
  uint32_t place = look->place;
  if (r->count == room(r->capacity)) {
    if (!grow(r)) return false;
    place = empty_place(r, look->hash);
  }
  take(r, place, look->hash, r->count);
  struct ref_responder *one = &r->responder[r->count++];
  memcpy(one->address, server->address, sizeof one->address);
  one->zone = server->zone;
  return true;
}
