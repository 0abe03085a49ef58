/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rest of the command line wants to know of mutants. */
#ifndef CHORUS_CLI_MUTANTS_H
#define CHORUS_CLI_MUTANTS_H

#include <stddef.h>

/* Id of the |n|th mutant that breaks |rule|, or NULL. */
const char *cli_mutant_of_rule(const char *rule, size_t n);

#endif
