/* SPDX-License-Identifier: BSD-2-Clause */
/* How late things were: a histogram in 16 steps per octave. */
#ifndef KRN_LAG_H
#define KRN_LAG_H

#include "chorus/kernel.h"

#define KRN_LAG_STEPS 16u
#define KRN_LAG_BINS  (64u * KRN_LAG_STEPS)

struct krn_lags {
  uint64_t frames;
  chorus_time worst;
  uint32_t bins[KRN_LAG_BINS];
};

void krn_lag_add(struct krn_lags *lags, chorus_time lag);
struct krn_lag krn_lag_read(const struct krn_lags *lags);

#endif
