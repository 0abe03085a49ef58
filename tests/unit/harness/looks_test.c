/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tables say of when a rule looks, and of when it passes without a look, only spares time:
 * a judge that calls every rule at all of its hooks comes to the same results, number by number.
 */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "judge/internal.h"
#include "run/run.h"
#include "scenario/library.h"

static struct scn_library library;
static struct scn_errors errors;

static void setup(void) {
  scn_errors_init(&errors);
  ck_assert(scn_library_read(&library, CHORUS_SOURCE "/scenarios", &errors));
}

static void teardown(void) {
  scn_library_free(&library);
  scn_errors_free(&errors);
}

static void same_results(const struct judge *quick, const struct judge *thorough,
                         const char *name) {
  ck_assert_uint_eq(jdg_result_count(quick), jdg_result_count(thorough));
  for (size_t i = 0; i < jdg_result_count(quick); i++) {
    const struct jdg_result *a = jdg_result_get(quick, i), *b = jdg_result_get(thorough, i);
    ck_assert_msg(a->rule == b->rule && a->node == b->node, "%s: other results", name);
    ck_assert_msg(a->verdict == b->verdict && a->activations == b->activations &&
                      a->finding_total == b->finding_total,
                  "%s: %s of %s: %s, %llu activations; with all looks %s, %llu", name, a->rule->id,
                  jdg_node_name(quick, a->node), jdg_verdict_name(a->verdict),
                  (unsigned long long)a->activations, jdg_verdict_name(b->verdict),
                  (unsigned long long)b->activations);
  }
}

/* Runs it with |engine|; the judge of the first run of an engine looks as its rows say. */
static struct judge *judged(struct run_engine *engine, const struct scn_file *file,
                            const struct scn_variant *variant, enum jdg_profile profile) {
  struct scn_scenario *scenario =
      scn_load(file, variant->name, variant->settings, variant->setting_count, &errors);
  ck_assert_ptr_nonnull(scenario);
  struct run_options options = {.seed = 3, .profile = profile, .judge_only = true};
  struct run_outcome outcome;
  ck_assert(run_execute(engine, scenario, &options, &outcome));
  scn_free(scenario);
  return outcome.judge;
}

START_TEST(looks_that_are_spared_are_not_missed) {
  struct run_engine *quick = run_engine_new(), *thorough = run_engine_new();
  ck_assert(quick && thorough);
  enum jdg_profile profile = (enum jdg_profile)_i;
  const struct scn_file *first = library.files[0];
  judged(thorough, first, &first->variants[0], profile)->look_always = true;
  for (size_t i = 0; i < library.count; i++) {
    const struct scn_file *file = library.files[i];
    for (size_t k = 0; k < file->variant_count; k++)
      same_results(judged(quick, file, &file->variants[k], profile),
                   judged(thorough, file, &file->variants[k], profile), file->variants[k].name);
  }
  run_engine_free(quick);
  run_engine_free(thorough);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("looks");
  TCase *c = tcase_create("looks");
  tcase_set_timeout(c, 240);
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_loop_test(c, looks_that_are_spared_are_not_missed, 0, JDG_PROFILE_COUNT);
  suite_add_tcase(suite, c);
  return check_run(suite);
}
