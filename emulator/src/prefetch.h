/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking for memory ahead of its use. GCC 12 takes a function that does nothing but prefetch for
 * one without effect and drops the calls; hence these are inlined always.
 */
#ifndef EMU_PREFETCH_H
#define EMU_PREFETCH_H

#include <stdint.h>

#define EMU_CACHE_LINE 64

#define EMU_ALWAYS_INLINE inline __attribute__((always_inline))

/* Asks for |lines| cache lines from |address| on; any address will do. */
static EMU_ALWAYS_INLINE void emu_prefetch(const void *address, unsigned lines) {
  const char *line = address;
  for (unsigned i = 0; i < lines; i++) __builtin_prefetch(line + i * EMU_CACHE_LINE, 1);
}

/* Asks for those cache lines from |address| on whose bits are set; without any, for the first four.
 */
static EMU_ALWAYS_INLINE void emu_prefetch_set(const void *address, uint32_t lines) {
  const char *line = address;
  if (lines == 0) lines = 15;
  for (; lines; lines &= lines - 1)
    __builtin_prefetch(line + (unsigned)__builtin_ctz(lines) * EMU_CACHE_LINE, 1);
}

#endif
