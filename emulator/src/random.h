/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counter-based integer random numbers.
 *
 * A stream is a 64-bit key; its |n|th number is a hash of key and n. There is no state to share, so
 * a draw from one stream can never disturb another. Keys are derived from the seed, a purpose and
 * hashes of node NAMES, never from node numbers: a node more or less changes nobody else's dice.
 */
#ifndef EMU_RANDOM_H
#define EMU_RANDOM_H

#include "chorus/emulator.h"

/* What a stream is for; the high half of a purpose, the low half is the purpose's own. */
enum emu_purpose {
  EMU_PURPOSE_NODE = 1, /* chorus_host_ops.random; low half: the node's own purpose */
  EMU_PURPOSE_IDENTIFICATION,
  EMU_PURPOSE_LOSS,
  EMU_PURPOSE_GEMODEL_LOSS,
  EMU_PURPOSE_GEMODEL_STATE,
  EMU_PURPOSE_JITTER,
  EMU_PURPOSE_DUPLICATE,
  EMU_PURPOSE_REORDER,
  EMU_PURPOSE_CORRUPT,
  EMU_PURPOSE_CORRUPT_BIT
};

/* A bijection of 64 bits in which every input bit changes every output bit half of the time. */
static inline uint64_t emu_mix(uint64_t x) {
  x ^= x >> 30;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

/* A key made of another key and one more word. The order of the words matters. */
static inline uint64_t emu_key(uint64_t key, uint64_t word) {
  return emu_mix(emu_mix(key + UINT64_C(0x9e3779b97f4a7c15)) ^ word);
}

/* A hash of a name: FNV-1a, finished by emu_mix(). */
static inline uint64_t emu_name_hash(const char *name) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; c++)
    hash = (hash ^ *c) * UINT64_C(0x100000001b3);
  return emu_mix(hash);
}

/* The |n|th number of the stream |key|. */
static inline uint64_t emu_random(uint64_t key, uint64_t n) {
  return emu_mix(key + emu_mix(n * UINT64_C(0x9e3779b97f4a7c15) + 1));
}

/* Maps 64 random bits to 0 .. |bound| - 1; the bias is below |bound| / 2^32. */
static inline uint32_t emu_below(uint64_t random, uint32_t bound) {
  return (uint32_t)(((random >> 32) * bound) >> 32);
}

/* Whether an event of |probability| happens. */
static inline bool emu_chance(uint64_t random, emu_ppm probability) {
  return emu_below(random, EMU_ALWAYS) < probability;
}

#endif
