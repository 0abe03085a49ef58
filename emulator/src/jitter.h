/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes of delay variation, by integer tables. */
#ifndef EMU_JITTER_H
#define EMU_JITTER_H

#include "chorus/emulator.h"

/*
 * A deviation in nanoseconds drawn with 64 random bits: uniform in [-spread, spread]; normal with
 * standard deviation |spread|, cut at 4 of them; or Pareto with shape 3, moved and scaled to mean 0
 * and standard deviation |spread| (at most 0.58 of them below, 10 above). |spread| up to 2^46.
 */
int64_t emu_jitter_draw(enum emu_jitter kind, chorus_time spread, uint64_t random);

#endif
