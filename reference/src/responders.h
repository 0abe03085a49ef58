/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of servers that answered a group request (seed section 2.3.1): the addresses in the
 * order in which they came, and a table with open addressing that finds them. The table holds eight
 * octets a server, as with 100,000 of them each look is likely to miss the cache. Emptying the set
 * takes no time, so one set serves many requests in turn.
 */
#ifndef REF_RESPONDERS_H
#define REF_RESPONDERS_H

#include "chorus/types.h"

struct ref_responder {
  uint8_t address[16];
  uint32_t zone;
};

struct ref_responder_place {
  uint32_t index;      /* of the responder */
  uint16_t generation; /* of the set that it belongs to; another one: the place is empty */
  uint16_t tag;        /* of the responder's hash: most others need not be looked at */
};

struct ref_responders {
  struct ref_responders *next; /* in the pool of the client */
  struct ref_responder *responder;
  struct ref_responder_place *place;
  uint32_t capacity; /* places, a power of two; there is room for three responders in four */
  uint32_t count;
  uint16_t generation;
};

/* An empty set, or NULL without memory. */
struct ref_responders *ref_responders_new(void);
void ref_responders_free(struct ref_responders *r);
void ref_responders_clear(struct ref_responders *r);
/* Hints that |server| is about to be looked up. */
void ref_responders_prefetch(const struct ref_responders *r, const struct chorus_endpoint *server);
bool ref_responders_has(const struct ref_responders *r, const struct chorus_endpoint *server);
/* Adds a server that is not in the set; false without memory. */
bool ref_responders_add(struct ref_responders *r, const struct chorus_endpoint *server);

#endif
