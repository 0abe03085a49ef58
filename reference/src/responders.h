/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of servers that answered a group request (seed section 2.3.1): a set of addresses with
 * open addressing. Emptying it takes no time, so one set serves many requests in turn.
 */
#ifndef REF_RESPONDERS_H
#define REF_RESPONDERS_H

#include "chorus/types.h"

struct ref_responder {
  uint8_t address[16];
  uint32_t zone;
  uint32_t generation; /* of the set that it belongs to; another one: the place is empty */
};

struct ref_responders {
  struct ref_responders *next; /* in the pool of the client */
  struct ref_responder *place;
  uint32_t capacity; /* a power of two */
  uint32_t count;
  uint32_t generation;
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
