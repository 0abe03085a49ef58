/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a rule catches its mutant. */
#include <stdlib.h>

#include "mutants/change.h"
#include "rules/rules.h"

/* What a run said, per (node, rule); the engine forgets it with the next run. */
struct said {
  struct spoken {
    const struct rule *rule;
    uint32_t node;
    enum jdg_verdict verdict;
  } * list;
  size_t count;
};

static bool broken(enum jdg_verdict verdict) {
  return verdict == JDG_FAIL || verdict == JDG_WARN;
}

static bool listen(struct run_engine *engine, const struct scn_scenario *scenario,
                   const struct run_options *options, struct said *said) {
  struct run_outcome outcome;
  if (!run_execute(engine, scenario, options, &outcome)) return false;
  said->count = jdg_result_count(outcome.judge);
  said->list = calloc(said->count + 1, sizeof *said->list);
  if (!said->list) return false;
  for (size_t i = 0; i < said->count; i++) {
    const struct jdg_result *r = jdg_result_get(outcome.judge, i);
    said->list[i] = (struct spoken){r->rule, r->node, r->verdict};
  }
  return true;
}

static enum jdg_verdict verdict_of(const struct said *said, const struct rule *rule,
                                   uint32_t node) {
  for (size_t i = 0; i < said->count; i++)
    if (said->list[i].rule == rule && said->list[i].node == node) return said->list[i].verdict;
  return JDG_NOT_EXERCISED;
}

static bool is_mutated(const struct mutant *mutant, const struct scn_scenario *scenario,
                       uint32_t node) {
  if (node >= scenario->node_count) return false;
  bool first = true;
  for (uint32_t i = 0; i < node && first; i++)
    first = !mut_concerns(mutant, &scenario->nodes[i], true);
  return mut_concerns(mutant, &scenario->nodes[node], first);
}

/* ---- comparing ---- */

static bool list_rule(struct mut_result *result, const struct rule *rule) {
  for (size_t i = 0; i < result->found_count; i++)
    if (result->found[i] == rule) return true;
  const struct rule **more =
      realloc(result->found, (result->found_count + 1) * sizeof(const struct rule *));
  if (!more) return false;
  result->found = more;
  size_t at = result->found_count++;
  for (; at > 0 && more[at - 1] > rule; at--) more[at] = more[at - 1];
  more[at] = rule;
  return true;
}

struct trial {
  const struct mutant *mutant;
  const struct scn_scenario *scenario;
  struct said control, mutated;
  uint64_t applied;
};

/* All rules that turned on mutated nodes. */
static bool list_found(const struct trial *t, struct mut_result *result) {
  bool ok = true;
  result->found_count = 0;
  for (size_t i = 0; i < t->mutated.count && ok; i++) {
    const struct spoken *s = &t->mutated.list[i];
    if (!broken(s->verdict) || !is_mutated(t->mutant, t->scenario, s->node)) continue;
    if (!broken(verdict_of(&t->control, s->rule, s->node))) ok = list_rule(result, s->rule);
  }
  return ok;
}

/* Whether the named rule turned from pass to broken on a mutated node. */
static bool is_killed(const struct trial *t, const struct mut_result *result) {
  const struct rule *rule = t->mutant->rule ? rule_find(t->mutant->rule) : NULL;
  if (!rule) return !t->mutant->rule && result->found_count > 0;
  for (size_t i = 0; i < t->mutated.count; i++) {
    const struct spoken *s = &t->mutated.list[i];
    if (s->rule != rule || !broken(s->verdict)) continue;
    if (!is_mutated(t->mutant, t->scenario, s->node)) continue;
    if (verdict_of(&t->control, rule, s->node) == JDG_PASS) return true;
  }
  return false;
}

static bool control_passes(const struct trial *t) {
  const struct rule *rule = t->mutant->rule ? rule_find(t->mutant->rule) : NULL;
  bool passes = false;
  for (size_t i = 0; i < t->control.count; i++) {
    const struct spoken *s = &t->control.list[i];
    if (!rule && broken(s->verdict)) return false;
    if (s->rule != rule) continue;
    if (broken(s->verdict)) return false;
    passes = passes || s->verdict == JDG_PASS;
  }
  return passes || !rule;
}

/* ---- a trial ---- */

enum jdg_profile mut_profile(const struct rule *rule) {
  const struct rule_check *check = rule ? rule_check_of(rule) : NULL;
  for (int p = 0; check && p < JDG_PROFILE_COUNT; p++)
    if (check->levels[p] != JDG_NOT_APPLICABLE) return (enum jdg_profile)p;
  return JDG_DIJK_03;
}

static bool run_both(struct run_engine *engine, struct trial *t, uint64_t seed,
                     enum jdg_profile profile) {
  struct run_options options = {.seed = seed, .profile = profile, .judge_only = true};
  struct mut_session *session = mut_session_new(t->mutant);
  if (!session) return false;
  bool ok = listen(engine, t->scenario, &options, &t->control);
  options.hooks = mut_session_hooks(session);
  ok = ok && listen(engine, t->scenario, &options, &t->mutated);
  t->applied = mut_session_applied(session);
  mut_session_free(session);
  return ok;
}

static bool conclude(const struct trial *t, struct mut_result *result) {
  result->trials++;
  result->applied += t->applied;
  if (!control_passes(t)) result->control_failed = true;
  if (t->applied == 0) return true;
  result->scenario = t->scenario;
  if (!list_found(t, result)) return false;
  result->verdict = is_killed(t, result) ? MUT_KILLED : MUT_SURVIVED;
  return true;
}

bool mut_try(struct run_engine *engine, const struct mutant *mutant,
             const struct scn_scenario *scenario, uint64_t seed, struct mut_result *result) {
  const struct rule *rule = mutant->rule ? rule_find(mutant->rule) : NULL;
  const struct rule_check *check = rule ? rule_check_of(rule) : NULL;
  struct trial t = {.mutant = mutant, .scenario = scenario};
  if (!result->scenario) result->scenario = scenario;
  result->profile = mut_profile(rule);
  if (check) result->level = check->levels[result->profile];
  bool ok = run_both(engine, &t, seed, result->profile) && conclude(&t, result);
  free(t.control.list);
  free(t.mutated.list);
  return ok;
}

void mut_result_free(struct mut_result *result) {
  free(result->found);
  result->found = NULL;
  result->found_count = 0;
}

const char *mut_verdict_name(enum mut_verdict verdict) {
  static const char *const names[] = {"not-applied", "survived", "killed"};
  return names[verdict];
}
