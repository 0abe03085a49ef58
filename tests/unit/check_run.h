/* SPDX-License-Identifier: BSD-2-Clause */
/* How every program of Check tests ends. */
#ifndef TEST_CHECK_RUN_H
#define TEST_CHECK_RUN_H

#include <check.h>
#include <stdlib.h>

/* Runs a suite and frees it; the exit code of the program. CK_VERBOSITY says how much is printed.
 */
static inline int check_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
