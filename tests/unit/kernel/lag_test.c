/* SPDX-License-Identifier: BSD-2-Clause */
#include "lag.h"

#include "suite.h"

START_TEST(nothing_is_zero) {
  static struct krn_lags lags;
  struct krn_lag lag = krn_lag_read(&lags);
  ck_assert_uint_eq(lag.frames, 0);
  ck_assert_uint_eq(lag.median, 0);
  ck_assert_uint_eq(lag.worst, 0);
}
END_TEST

START_TEST(quantiles_are_near) {
  static struct krn_lags lags;
  for (chorus_time i = 1; i <= 1000; i++) krn_lag_add(&lags, i * CHORUS_MICROSECOND);
  struct krn_lag lag = krn_lag_read(&lags);
  ck_assert_uint_eq(lag.frames, 1000);
  ck_assert_uint_ge(lag.median, 500 * CHORUS_MICROSECOND);
  ck_assert_uint_le(lag.median, 532 * CHORUS_MICROSECOND); /* a sixteenth more, at most */
  ck_assert_uint_ge(lag.p99, 990 * CHORUS_MICROSECOND);
  ck_assert_uint_le(lag.p99, 1000 * CHORUS_MICROSECOND);
  ck_assert_uint_eq(lag.worst, 1000 * CHORUS_MICROSECOND);
}
END_TEST

START_TEST(extremes_have_bins) {
  static struct krn_lags lags;
  krn_lag_add(&lags, 0);
  krn_lag_add(&lags, 15);
  krn_lag_add(&lags, 16);
  krn_lag_add(&lags, UINT64_MAX);
  struct krn_lag lag = krn_lag_read(&lags);
  ck_assert_uint_eq(lag.median, 15);
  ck_assert_uint_eq(lag.p99, UINT64_MAX);
}
END_TEST

RUN_SUITE("lag", nothing_is_zero, quantiles_are_near, extremes_have_bins)
