/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of servers that answered a group request (seed section 2.3.1): the addresses in the
 * order in which they came, and a table with open addressing that finds them. With 100,000 of them
 * each look comes to another place of the table, so the octet that tells most servers from all
 * others stands apart: those octets are few enough to stay in the cache. One set serves many
 * requests in turn; emptying it takes no longer than filling it took.
 */
#ifndef REF_RESPONDERS_H
#define REF_RESPONDERS_H

#include "chorus/types.h"

struct ref_responder {
  uint8_t address[16];
  uint32_t zone;
};

struct ref_responders {
  struct ref_responders *next; /* in the pool of the client */
  struct ref_responder *responder;
  uint8_t *tag;      /* of each place: 0: empty, else some bits of the hash of its responder */
  uint32_t *index;   /* of each place that is not empty: its responder */
  uint32_t capacity; /* places, a power of two; there is room for three responders in four */
  uint32_t count;
};

/* What a look for a server found; good until the set changes. */
struct ref_responder_look {
  bool known;
  uint32_t place; /* of the server, or the empty one where it belongs */
  uint64_t hash;
};

/* An empty set, or NULL without memory. */
struct ref_responders *ref_responders_new(void);
void ref_responders_free(struct ref_responders *r);
void ref_responders_clear(struct ref_responders *r);
/* Hints that |server| is about to be looked for. */
void ref_responders_prefetch(const struct ref_responders *r, const struct chorus_endpoint *server);
struct ref_responder_look ref_responders_find(const struct ref_responders *r,
                                              const struct chorus_endpoint *server);
/* Adds a server that |look| did not find; false without memory. */
bool ref_responders_add(struct ref_responders *r, const struct chorus_endpoint *server,
                        const struct ref_responder_look *look);

#endif
