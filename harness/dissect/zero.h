/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zeros for objects of some hundred octets that are made for each packet. Compilers turn one large
 * memset() of constant size into a string instruction, which takes longer to start than all its
 * stores take; pieces become plain stores.
 */
#ifndef CHORUS_DISSECT_ZERO_H
#define CHORUS_DISSECT_ZERO_H

#include <stddef.h>
#include <string.h>

#define ZERO_PIECE 64u

static inline void zero(void *object, size_t size) {
  char *at = object;
  for (; size > ZERO_PIECE; size -= ZERO_PIECE, at += ZERO_PIECE) memset(at, 0, ZERO_PIECE);
  memset(at, 0, size);
}

#endif
