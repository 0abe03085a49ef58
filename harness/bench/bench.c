/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/bench.h"

#include <time.h>

uint64_t bench_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

double bench_median(double *values, size_t count) {
  for (size_t i = 1; i < count; i++)
    for (size_t k = i; k > 0 && values[k] < values[k - 1]; k--) {
      double swap = values[k];
      values[k] = values[k - 1];
      values[k - 1] = swap;
    }
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double bench_best(const double *values, size_t count) {
  double best = 0;
  for (size_t i = 0; i < count; i++)
    if (values[i] > best) best = values[i];
  return best;
}
