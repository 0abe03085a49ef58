/* SPDX-License-Identifier: BSD-2-Clause */
#include "lag.h"

/* Values below the number of steps have bins of their own; then come octaves. */
static uint32_t bin_of(chorus_time lag) {
  if (lag < KRN_LAG_STEPS) return (uint32_t)lag;
  uint32_t octave = 63u - (uint32_t)__builtin_clzll(lag); /* at least 4 */
  uint32_t step = (uint32_t)(lag >> (octave - 4)) & (KRN_LAG_STEPS - 1);
  return (octave - 3) * KRN_LAG_STEPS + step;
}

/* The largest value of a bin. */
static chorus_time value_of(uint32_t bin) {
  if (bin < KRN_LAG_STEPS) return bin;
  uint32_t octave = bin / KRN_LAG_STEPS + 3;
  chorus_time first = (chorus_time)(KRN_LAG_STEPS + bin % KRN_LAG_STEPS) << (octave - 4);
  return first + (UINT64_C(1) << (octave - 4)) - 1;
}

void krn_lag_add(struct krn_lags *lags, chorus_time lag) {
  lags->frames++;
  lags->bins[bin_of(lag)]++;
  if (lag > lags->worst) lags->worst = lag;
}

/* The value that |percent| of all do not exceed. */
static chorus_time quantile(const struct krn_lags *lags, uint64_t percent) {
  uint64_t rank = (lags->frames * percent + 99) / 100, seen = 0;
  for (uint32_t bin = 0; bin < KRN_LAG_BINS; bin++) {
    seen += lags->bins[bin];
    if (seen < rank || seen == 0) continue;
    chorus_time value = value_of(bin);
    return value < lags->worst ? value : lags->worst;
  }
  return lags->worst;
}

struct krn_lag krn_lag_read(const struct krn_lags *lags) {
  return (struct krn_lag){.frames = lags->frames,
                          .median = quantile(lags, 50),
                          .p99 = quantile(lags, 99),
                          .worst = lags->worst};
}
