/* SPDX-License-Identifier: BSD-2-Clause */
#include "responders.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

/* Mixes an address; its last octets differ most from server to server. */
static uint32_t hash(const uint8_t address[16], uint32_t zone) {
  uint64_t high, low;
  memcpy(&high, address, 8);
  memcpy(&low, address + 8, 8);
  uint64_t h = (low ^ zone) * UINT64_C(0x9e3779b97f4a7c15);
  h = (h ^ (h >> 29) ^ high) * UINT64_C(0xbf58476d1ce4e5b9);
  return (uint32_t)(h >> 32);
}

struct ref_responders *ref_responders_new(void) {
  struct ref_responders *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  r->place = calloc(FIRST_CAPACITY, sizeof *r->place);
  if (!r->place) {
    free(r);
    return NULL;
  }
  r->capacity = FIRST_CAPACITY;
  r->generation = 1;
  return r;
}

void ref_responders_free(struct ref_responders *r) {
  if (!r) return;
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
  __builtin_prefetch(&r->place[hash(server->address, server->zone) & (r->capacity - 1)]);
}

/* The place of |server|, or the empty one where it belongs. */
static struct ref_responder *place_of(const struct ref_responders *r, const uint8_t address[16],
                                      uint32_t zone) {
  uint32_t i = hash(address, zone);
  for (;; i++) {
    struct ref_responder *p = &r->place[i & (r->capacity - 1)];
    if (p->generation != r->generation) return p;
    if (p->zone == zone && memcmp(p->address, address, sizeof p->address) == 0) return p;
  }
}

bool ref_responders_has(const struct ref_responders *r, const struct chorus_endpoint *server) {
  return place_of(r, server->address, server->zone)->generation == r->generation;
}

static bool grow(struct ref_responders *r) {
  struct ref_responders bigger = *r;
  bigger.capacity = r->capacity * 2;
  bigger.place = calloc(bigger.capacity, sizeof *bigger.place);
  if (!bigger.place) return false;
  for (uint32_t i = 0; i < r->capacity; i++) {
    const struct ref_responder *p = &r->place[i];
    if (p->generation == r->generation) *place_of(&bigger, p->address, p->zone) = *p;
  }
  free(r->place);
  *r = bigger;
  return true;
}

bool ref_responders_add(struct ref_responders *r, const struct chorus_endpoint *server) {
  if (r->count + 1 > r->capacity / 2 && !grow(r)) return false;
  struct ref_responder *p = place_of(r, server->address, server->zone);
  memcpy(p->address, server->address, sizeof p->address);
  p->zone = server->zone;
  p->generation = r->generation;
  r->count++;
  return true;
}
