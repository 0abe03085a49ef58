/* SPDX-License-Identifier: BSD-2-Clause */
/* Results as JSON (reports/schema/results.schema.json). Keys are in a fixed order. */
#ifndef CHORUS_RUN_RESULTS_H
#define CHORUS_RUN_RESULTS_H

#include <jansson.h>

#include "run/run.h"

/* Under what circumstances a run was made. */
struct run_about {
  enum jdg_profile profile;
  uint64_t seed;
  const char *sut_name, *sut_version;
  const char *sut_role; /* "server", "client", "pair", or NULL: the reference itself */
  /* The stacks by enum scn_role, for pairs; NULL names: the reference. */
  struct run_stack_name {
    const char *name, *version;
  } stacks[2];
  const char *capture, *events; /* file names beside results.json, or NULL */
  const char *reproduce;        /* the command that does it again */
};

/* One RUN of a scenario. NULL: no memory. */
json_t *run_result(const struct scn_scenario *scenario, const struct run_about *about,
                   const struct run_outcome *outcome);
/* The `rules` list: one entry per rule and node judged. */
json_t *run_rules(struct judge *judge);
/* The `counts` of a judge. */
json_t *run_counts(struct judge *judge);

/*
 * The whole: takes over |runs| (a list) and, unless NULL, |waivers| (a list). |backend|: "sim" or
 * NULL.
 */
json_t *run_results(const char *profile, const char *backend, json_t *runs, json_t *waivers,
                    bool interrupted);

/* Verdict of a RUN from its parts; writes it into the RUN. */
enum jdg_verdict run_decide(json_t *run);
enum jdg_verdict run_verdict_parse(const char *name);
/* Names of verdicts of runs: "none" instead of "not-exercised". */
const char *run_verdict_name(enum jdg_verdict verdict);

/* Writes |value| and a line feed to |path| by way of a temporary file. false: errno says why. */
bool run_write_json(const json_t *value, const char *path);
bool run_write_file(const char *path, const char *data, size_t length);

#endif
