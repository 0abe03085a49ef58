/* SPDX-License-Identifier: BSD-2-Clause */
#include "responders.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

/* Mixes an address; its last octets differ most from server to server. */
static uint64_t hash(const uint8_t address[16], uint32_t zone) {
  uint64_t high, low;
  memcpy(&high, address, 8);
  memcpy(&low, address + 8, 8);
  uint64_t h = (low ^ zone) * UINT64_C(0x9e3779b97f4a7c15);
  h = (h ^ (h >> 29) ^ high) * UINT64_C(0xbf58476d1ce4e5b9);
  return h >> 32; /* what is low in |h| depends on few octets of the address */
}

/* The upper bits; the lower ones choose the place. */
static uint16_t tag_of(uint64_t h) {
  return (uint16_t)(h >> 16);
}

static uint32_t room(uint32_t capacity) {
  return capacity / 4 * 3;
}

/* Both arrays, empty; false without memory, nothing changed. */
static bool allocate(struct ref_responders *r, uint32_t capacity) {
  struct ref_responder *responder = malloc(room(capacity) * sizeof *responder);
  struct ref_responder_place *place = calloc(capacity, sizeof *place);
  if (!responder || !place) {
    free(responder);
    free(place);
    return false;
  }
  r->responder = responder;
  r->place = place;
  r->capacity = capacity;
  r->count = 0;
  r->generation = 1;
  return true;
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
  free(r->responder);
  free(r->place);
  free(r);
}

void ref_responders_clear(struct ref_responders *r) {
  r->count = 0;
  if (++r->generation != 0) return;
  memset(r->place, 0, r->capacity * sizeof *r->place);
  r->generation = 1;
}

void ref_responders_prefetch(const struct ref_responders *r, const struct chorus_endpoint *server) {
  uint64_t h = hash(server->address, server->zone);
  __builtin_prefetch(&r->place[h & (r->capacity - 1)], 1);
}

static bool is_at(const struct ref_responders *r, const struct ref_responder_place *p, uint64_t h,
                  const uint8_t address[16], uint32_t zone) {
  if (p->tag != tag_of(h)) return false;
  const struct ref_responder *known = &r->responder[p->index];
  return known->zone == zone && memcmp(known->address, address, sizeof known->address) == 0;
}

/* The place of a server with hash |h|, or the empty one where it belongs. */
static struct ref_responder_place *place_of(const struct ref_responders *r, uint64_t h,
                                            const uint8_t address[16], uint32_t zone) {
  for (uint64_t i = h;; i++) {
    struct ref_responder_place *p = &r->place[i & (r->capacity - 1)];
    if (p->generation != r->generation || is_at(r, p, h, address, zone)) return p;
  }
}

bool ref_responders_has(const struct ref_responders *r, const struct chorus_endpoint *server) {
  uint64_t h = hash(server->address, server->zone);
  return place_of(r, h, server->address, server->zone)->generation == r->generation;
}

/* Adds one that is not in the set, which has room. */
static void append(struct ref_responders *r, const uint8_t address[16], uint32_t zone) {
  uint64_t h = hash(address, zone);
  struct ref_responder_place *p = place_of(r, h, address, zone);
  *p = (struct ref_responder_place){
      .index = r->count, .generation = r->generation, .tag = tag_of(h)};
  struct ref_responder *responder = &r->responder[r->count++];
  memcpy(responder->address, address, sizeof responder->address);
  responder->zone = zone;
}

static bool grow(struct ref_responders *r) {
  struct ref_responders bigger = *r;
  if (!allocate(&bigger, r->capacity * 2)) return false;
  for (uint32_t i = 0; i < r->count; i++)
    append(&bigger, r->responder[i].address, r->responder[i].zone);
  free(r->responder);
  free(r->place);
  *r = bigger;
  return true;
}

bool ref_responders_add(struct ref_responders *r, const struct chorus_endpoint *server) {
  if (r->count == room(r->capacity) && !grow(r)) return false;
  append(r, server->address, server->zone);
  return true;
}
