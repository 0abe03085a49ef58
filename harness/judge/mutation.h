/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wrong judge on purpose: tests/mutate-judge builds verdict.c with one of these at a time and
 * asks whether anybody notices (hole W24 of other suites). Without JUDGE_MUTATION, which no other
 * build defines, nothing of this is there.
 */
#ifndef CHORUS_JUDGE_MUTATION_H
#define CHORUS_JUDGE_MUTATION_H

#ifndef JUDGE_MUTATION
#define MUTATE_TALLY(cell, passes) ((void)0)
#define MUTATE_RESULT(result)      ((void)0)
#else

#include <stdlib.h>

enum judge_mutation {
  SWAP_PASS_AND_FAIL = 1,
  IGNORE_WARNINGS,
  DROP_FIRST_FINDING,
  FORGET_PASSES,
  INCONCLUSIVE_IS_PASS,
  NOT_EXERCISED_IS_PASS,
  MUST_AS_SHOULD,
  SHOULD_AS_MUST,
  FINDINGS_LOST,
  ACTIVATIONS_LOST,
  NEXT_NODE_BLAMED,
  NEGATE_RULE, /* the rule that CHORUS_NEGATE names */
};

static void drop_finding(struct cell *cell) {
  if (cell->breaks)
    cell->breaks--;
  else if (cell->warnings)
    cell->warnings--;
}

static void mutate_tally(struct cell *cell, uint64_t *passes) {
  if (JUDGE_MUTATION == DROP_FIRST_FINDING && cell) drop_finding(cell);
  if (JUDGE_MUTATION == FORGET_PASSES) *passes = 0;
}

static enum jdg_verdict swapped(enum jdg_verdict verdict) {
  if (verdict == JDG_PASS) return JDG_FAIL;
  return verdict == JDG_FAIL || verdict == JDG_WARN ? JDG_PASS : verdict;
}

static bool is_negated(const struct rule *rule) {
  const char *negated = getenv("CHORUS_NEGATE");
  return negated && strcmp(negated, rule->id) == 0;
}

static enum jdg_verdict mutate_verdict(const struct rule *rule, enum jdg_verdict verdict) {
  switch ((enum judge_mutation)JUDGE_MUTATION) {
    case SWAP_PASS_AND_FAIL: return swapped(verdict);
    case NEGATE_RULE: return is_negated(rule) ? swapped(verdict) : verdict;
    case IGNORE_WARNINGS: return verdict == JDG_WARN ? JDG_PASS : verdict;
    case INCONCLUSIVE_IS_PASS: return verdict == JDG_INCONCLUSIVE ? JDG_PASS : verdict;
    case NOT_EXERCISED_IS_PASS: return verdict == JDG_NOT_EXERCISED ? JDG_PASS : verdict;
    case MUST_AS_SHOULD: return verdict == JDG_FAIL ? JDG_WARN : verdict;
    case SHOULD_AS_MUST: return verdict == JDG_WARN ? JDG_FAIL : verdict;
    default: return verdict;
  }
}

static void mutate_result(struct jdg_result *result) {
  result->verdict = mutate_verdict(result->rule, result->verdict);
  switch ((enum judge_mutation)JUDGE_MUTATION) {
    case FINDINGS_LOST: result->finding_count = 0; return;
    case ACTIVATIONS_LOST: result->activations = 0; return;
    case NEXT_NODE_BLAMED: result->node++; return;
    default: return;
  }
}

#define MUTATE_TALLY(cell, passes) mutate_tally(cell, passes)
#define MUTATE_RESULT(result)      mutate_result(result)
#endif

#endif
