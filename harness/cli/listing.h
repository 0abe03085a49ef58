/* SPDX-License-Identifier: BSD-2-Clause */
/* Results as text: a listing that reads like the specification, findings, counts. */
#ifndef CHORUS_CLI_LISTING_H
#define CHORUS_CLI_LISTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* The rules by document and section, each with its verdict and the run that showed it best. */
void cli_list_rules(const json_t *runs, FILE *stream, bool colours);
/* Everything that did not pass, expected above actual, with the command that shows it again. */
void cli_list_findings(const json_t *runs, FILE *stream, bool colours);
/* What each stack under test did, as client, as server, and with others. */
void cli_list_stacks(const json_t *results, FILE *stream);
/* "31 runs: 30 passed, 1 failed" and the same for rules. */
void cli_list_counts(const json_t *results, FILE *stream);

#endif
