/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message de-duplication (RFC 7252, section 4.5): who sent which Message ID when.
 *
 * ref_dedup remembers Non-confirmable messages, 32 octets each: sixteen within the node, more on
 * the heap, never more than REF_DEDUP_MAX (then the oldest goes). ref_exchanges remembers
 * Confirmable ones with the reply that they got, so that a duplicate gets the same.
 */
#ifndef REF_DEDUP_H
#define REF_DEDUP_H

#include "chorus/types.h"

enum { REF_DEDUP_INLINE = 16, REF_DEDUP_MAX = 4096 };

struct ref_seen {
  uint8_t address[16];
  chorus_time at; /* ns, first arrival */
  uint32_t zone;
  uint16_t port;
  uint16_t mid;
};

/*
 * A ring in order of arrival. What is needed to see that a message is new and that the oldest entry
 * may go stands apart from the entries, in one cache line: Message IDs, and the second of arrival
 * modulo 256.
 */
struct ref_dedup {
  uint16_t own_mid[REF_DEDUP_INLINE];
  uint8_t own_second[REF_DEDUP_INLINE];
  struct ref_seen *seen; /* on the heap, with Message IDs and seconds behind them; NULL: own */
  uint16_t head, count, capacity; /* until here it is one cache line */
  struct ref_seen own[REF_DEDUP_INLINE];
};

void ref_dedup_init(struct ref_dedup *d);
void ref_dedup_free(struct ref_dedup *d);

/* Whether |mid| of |source| is remembered; |age| gets the ns since its latest arrival. */
bool ref_dedup_find(const struct ref_dedup *d, const struct chorus_endpoint *source, uint16_t mid,
                    chorus_time now, chorus_time *age);

/* Octets on the heap. */
size_t ref_dedup_footprint(const struct ref_dedup *d);

/* Asks for the memory that the next ref_dedup_add() writes to. */
static inline void ref_dedup_prefetch(const struct ref_dedup *d) {
  uint32_t at = ((uint32_t)d->head + d->count) & (d->capacity - 1u);
  __builtin_prefetch(d->seen ? &d->seen[at] : &d->own[at], 1);
}

/*
 * Remembers |mid| of |source|. When there is no room, forgets the oldest entry if it is |lifetime|
 * old, grows otherwise. So an entry may stay beyond its lifetime: ref_dedup_find() tells its age.
 */
void ref_dedup_add(struct ref_dedup *d, const struct chorus_endpoint *source, uint16_t mid,
                   chorus_time now, chorus_time lifetime);

/* A Confirmable message that was received, and the ACK or RST that it got. */
struct ref_received {
  struct ref_received *next;
  struct chorus_endpoint source;
  chorus_time at; /* ns */
  uint16_t mid;
  uint16_t length; /* of |reply|; 0: none */
  uint8_t reply[];
};

struct ref_exchanges {
  struct ref_received *first; /* latest first */
};

void ref_exchanges_free(struct ref_exchanges *e);
/* The latest entry for |mid| of |source|, or NULL. */
const struct ref_received *ref_exchanges_find(const struct ref_exchanges *e,
                                              const struct chorus_endpoint *source, uint16_t mid);
/* Remembers a message and its reply, and forgets all that are older than EXCHANGE_LIFETIME. */
void ref_exchanges_add(struct ref_exchanges *e, const struct chorus_endpoint *source, uint16_t mid,
                       chorus_time now, const uint8_t *reply, size_t length);

#endif
