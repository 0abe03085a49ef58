/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly of IP fragments at their receivers (RFC 791, section 3.2; RFC 8200, section 4.5).
 *
 * A datagram is told by source, destination, identification and protocol. Overlapping fragments
 * spoil a datagram, except exact duplicates (RFC 8200, section 4.5; done in IPv4 as well).
 */
#ifndef EMU_REASSEMBLY_H
#define EMU_REASSEMBLY_H

#include "packet.h"
#include "pool.h"
#include "store.h"

/* A datagram under reassembly. */
struct emu_partial {
  uint32_t next; /* of the same receiver */
  uint32_t generation;
  uint32_t receiver;
  uint32_t clause;               /* the caller's */
  struct emu_ip ip;              /* of its first fragment to come; body and length unset */
  struct emu_buffer *body;       /* as far as it has come */
  struct emu_buffer *units;      /* one bit per 8 octets of body that have come */
  struct emu_buffer *parts;      /* packet ids of the fragments that have come */
  uint32_t total;                /* octets of body, once the last fragment has come; else 0 */
  uint32_t received, unit_total; /* units that have come; needed (0: not known yet) */
};

struct emu_reassembly {
  struct emu_pool *pool;
  struct emu_store partials;
  uint32_t limit; /* datagrams per receiver */
};

enum emu_part_result {
  EMU_PART_WAITS,     /* taken; the datagram has gaps */
  EMU_PART_STARTS,    /* as before, and it is the first of a datagram */
  EMU_PART_COMPLETES, /* taken; the datagram is whole */
  EMU_PART_SPOILS,    /* taken, but the datagram must be thrown away */
  EMU_PART_REFUSED    /* not taken: malformed, or the limit of datagrams, or no memory */
};

void emu_reassembly_init(struct emu_reassembly *r, struct emu_pool *pool, uint32_t limit);
/* The pool is freed by its owner. */
void emu_reassembly_free(struct emu_reassembly *r);

/*
 * Adds a fragment with packet id |id| to the datagrams of a receiver. |*first| is the receiver's
 * list (EMU_STORE_NONE at first). |*partial| is set unless the fragment is refused; the caller
 * releases it when it is complete, spoiled or too old.
 */
enum emu_part_result emu_reassembly_add(struct emu_reassembly *r, uint32_t *first,
                                        uint32_t receiver, const struct emu_ip *ip, uint64_t id,
                                        uint32_t *partial);

static inline struct emu_partial *emu_reassembly_at(const struct emu_reassembly *r,
                                                    uint32_t partial) {
  return emu_store_at(&r->partials, partial);
}

static inline uint32_t emu_partial_parts(const struct emu_partial *p) {
  return p->parts->length / (uint32_t)sizeof(uint64_t);
}

static inline uint64_t emu_partial_part(const struct emu_partial *p, uint32_t i) {
  uint64_t id;
  memcpy(&id, p->parts->data + i * sizeof id, sizeof id);
  return id;
}

void emu_reassembly_release(struct emu_reassembly *r, uint32_t *first, uint32_t partial);

#endif
