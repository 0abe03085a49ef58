/* SPDX-License-Identifier: BSD-2-Clause */
/* A main() for programs with one list of Check tests. */
#ifndef EMU_TEST_SUITE_H
#define EMU_TEST_SUITE_H

#include <check.h>
#include <stdlib.h>

#include "check_run.h"

static inline int run_suite(const char *name, const TTest *const *tests, size_t count) {
  Suite *suite = suite_create(name);
  TCase *cases = tcase_create(name);
  tcase_set_timeout(cases, 120);
  for (size_t i = 0; i < count; i++) tcase_add_test(cases, tests[i]);
  suite_add_tcase(suite, cases);
  return check_run(suite);
}

#define RUN_SUITE(name, ...)                                       \
  int main(void) {                                                 \
    const TTest *const tests[] = {__VA_ARGS__};                    \
    return run_suite(name, tests, sizeof tests / sizeof tests[0]); \
  }

#endif
