/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus mutants */
#include "cli/mutants.h"

#include <stdio.h>

#include "cli/cli.h"

const char *cli_mutant_of_rule(const char *rule, size_t n) {
  (void)rule;
  (void)n;
  return NULL;
}

int cli_mutants(int count, char **arguments) {
  (void)count;
  (void)arguments;
  fprintf(stderr, "chorus mutants: this build holds no mutants\n");
  return CLI_ERROR;
}
