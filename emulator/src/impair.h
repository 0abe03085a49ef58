/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Impairments: what happens to a packet between its sender and one receiver.
 *
 * An impairment that names a node with EMU_ANY concerns every other node; a packet that a node
 * loops back to itself is touched only by an impairment that names that node on both sides. State
 * (packet count, Gilbert-Elliott state, queue) is kept per impairment and pair, from the first
 * packet that it concerns on.
 */
#ifndef EMU_IMPAIR_H
#define EMU_IMPAIR_H

#include "chorus/emulator.h"
#include "map.h"

/* What becomes of one copy of a packet. */
struct emu_copy {
  enum emu_fate fate; /* EMU_DELIVERED: is on its way */
  uint32_t clause;    /* that decided the fate */
  chorus_time delay;  /* on top of the latency */
  uint64_t bit;       /* random number that chooses the bit to flip */
  bool corrupt;
};

#define EMU_COPIES 16 /* a packet is never in more copies; further duplication has no effect */

struct emu_outcome {
  size_t count;
  struct emu_copy copy[EMU_COPIES];
};

/* A packet and the pair of nodes in question. */
struct emu_passage {
  chorus_time now;
  uint32_t sender, receiver;
  uint64_t sender_hash, receiver_hash; /* of the names */
  uint32_t length;                     /* of the IP packet, octets */
  bool group;                          /* sent to a group */
};

struct emu_impairments {
  uint64_t seed;
  struct emu_rule **rules; /* by handle - 1 */
  uint32_t count, capacity;
  struct emu_map first; /* (sender, receiver) as given -> index of the oldest rule */
  uint32_t active;      /* rules not repaired */
  uint32_t from_any;    /* of these, with EMU_ANY as sender */
};

void emu_impairments_init(struct emu_impairments *set, uint64_t seed);
void emu_impairments_free(struct emu_impairments *set);

/* As emu_impair(); the nodes are known to exist. */
uint32_t emu_impairments_add(struct emu_impairments *set, uint32_t sender, uint32_t receiver,
                             const struct emu_impairment *impairment);
void emu_impairments_end(struct emu_impairments *set, uint32_t handle);
uint64_t emu_impairments_used(const struct emu_impairments *set, uint32_t handle);

/* Whether an impairment concerns this pair, whatever its times. */
bool emu_impairments_touch(const struct emu_impairments *set, uint32_t sender, uint32_t receiver);

/* Decides about one packet. Without memory for its state an impairment lets the packet through. */
void emu_impairments_apply(struct emu_impairments *set, const struct emu_passage *passage,
                           struct emu_outcome *outcome);

#endif
