/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table of 64-bit digests with a 64-bit value each; 0 means "not there". */
#ifndef CHORUS_RUN_SET_H
#define CHORUS_RUN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_set {
  struct run_slot {
    uint64_t key, value;
  } * slots;
  size_t count, capacity; /* capacity: 0 or a power of two */
};

/* Puts or replaces; false without memory. |value| is not 0. */
bool run_set_put(struct run_set *set, uint64_t key, uint64_t value);
uint64_t run_set_get(const struct run_set *set, uint64_t key); /* 0: not there */
void run_set_clear(struct run_set *set);                       /* keeps the memory */
void run_set_free(struct run_set *set);

/* Digest of |length| octets, continuing |seed|; the same on every machine. */
uint64_t run_digest(uint64_t seed, const void *octets, size_t length);
uint64_t run_digest_number(uint64_t seed, uint64_t number);

#endif
