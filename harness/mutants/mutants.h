/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutants: the reference made wrong in exactly one way, from outside. Each has to be found by the
 * rule that it is named after; if it is not, rule or scenario are too weak.
 *
 * A mutant changes a seam, never the reference: one policy function, datagrams on their way out or
 * in, application events, what a node asks of its host, its configuration behind the judge's back,
 * its statement, or the IP stack below it.
 */
#ifndef CHORUS_MUTANTS_H
#define CHORUS_MUTANTS_H

#include "run/run.h"

struct mut_change; /* mutants/change.h */

/* Which nodes of a scenario are made wrong. */
enum mut_role { MUT_CLIENT = 0, MUT_SERVER, MUT_ONE_SERVER, MUT_BOTH };

struct mutant {
  const char *id;         /* "response-to-group-address" */
  const char *rule;       /* the one that has to find it; NULL: a control, which nobody may find */
  const char *historical; /* "M3": a real bug of a real stack (docs/mutants.md); NULL: none */
  enum mut_role role;
  const char *scenario; /* where it is run; NULL: wherever the rule has to be exercised */
  void (*change)(struct mut_change *change); /* fills what it is handed */
  const char *breaks;                        /* what is wrong with it; NULL: control */
};

size_t mut_count(void);
const struct mutant *mut_get(size_t i); /* in order of the table */
/* Whether |selector|, an id, a rule, a historical number or a glob over these, chooses it. */
bool mut_selected(const struct mutant *mutant, const char *selector);

enum mut_verdict { MUT_NOT_APPLIED = 0, MUT_SURVIVED, MUT_KILLED };
const char *mut_verdict_name(enum mut_verdict verdict);

/* What became of a mutant. */
struct mut_result {
  enum mut_verdict verdict;
  const struct scn_scenario *scenario; /* where it was killed, else where it was applied last */
  enum jdg_profile profile;
  enum jdg_level level;      /* of the named rule in that profile */
  uint64_t applied;          /* how often it did something else than the reference */
  const struct rule **found; /* rules that turned to fail or warn, in catalogue order */
  size_t found_count;
  size_t trials;
  bool control_failed; /* a trial did not count: the named rule does not pass without mutation */
};

/*
 * Runs |scenario| without and with |mutant| and says whether its rule catches it. Killed only if
 * the named rule turns from pass to fail or warn on a node that is mutated. For a control: killed
 * if any rule turns. Adds to |result|, which is zero at first. False: no memory.
 */
bool mut_try(struct run_engine *engine, const struct mutant *mutant,
             const struct scn_scenario *scenario, uint64_t seed, struct mut_result *result);
void mut_result_free(struct mut_result *result);

/* The profile that a mutant of |rule| is judged by: the first one in which the rule is judged. */
enum jdg_profile mut_profile(const struct rule *rule);

#endif
