/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scenarios of the repository: each can be read, is in the list for people, runs against the
 * reference in every profile without a finding, and exercises what it claims to cover; and no rule
 * that is implemented goes without one.
 */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "rules/rules.h"
#include "run/run.h"
#include "scenario/library.h"

static struct scn_library library;
static struct scn_errors errors;
static char *list; /* docs/scenarios.md */

static char *read_text(const char *path) {
  FILE *stream = fopen(path, "rb");
  ck_assert_msg(stream != NULL, "%s cannot be read", path);
  char *text = calloc(1, 1 << 20);
  ck_assert_ptr_nonnull(text);
  ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, stream), 0);
  fclose(stream);
  return text;
}

static void setup(void) {
  scn_errors_init(&errors);
  if (!scn_library_read(&library, CHORUS_SOURCE "/scenarios", &errors))
    scn_errors_print(&errors, stderr);
  ck_assert_uint_eq(errors.total, 0);
  list = read_text(CHORUS_SOURCE "/docs/scenarios.md");
}

static void teardown(void) {
  scn_library_free(&library);
  scn_errors_free(&errors);
  free(list);
}

/* ---- what stands in the files ---- */

static bool is_topic(const char *topic) {
  static const char *const topics[] = {"client",        "server",  "message", "discovery",
                                       "amplification", "network", "interop", "sampled"};
  for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
    if (strcmp(topic, topics[i]) == 0) return true;
  return false;
}

START_TEST(files_are_named_by_their_id_and_lie_under_a_topic) {
  ck_assert_uint_ge(library.count, 45);
  for (size_t i = 0; i < library.count; i++) {
    const struct scn_file *file = library.files[i];
    char name[128];
    snprintf(name, sizeof name, "/%s/%s.yaml", file->topic, file->id);
    const char *end = file->path + strlen(file->path) - strlen(name);
    ck_assert_msg(strcmp(end, name) == 0, "%s holds %s", file->path, file->id);
    ck_assert_msg(is_topic(file->topic), "%s: topic %s", file->path, file->topic);
  }
}
END_TEST

START_TEST(each_says_why_and_where_the_catalogue_has_it) {
  for (size_t i = 0; i < library.count; i++) {
    const struct scn_file *file = library.files[i];
    bool cites = strstr(file->about, "section") &&
                 (strstr(file->about, "RFC") || strstr(file->about, "draft-"));
    ck_assert_msg(cites, "%s: about names no document and section", file->path);
    /* Pairs of stacks are no scenario of a text. */
    bool listed = file->catalogue_count > 0 || strcmp(file->topic, "interop") == 0;
    ck_assert_msg(listed, "%s names no scenario of the catalogue", file->path);
    for (size_t k = 0; k < file->catalogue_count; k++) {
      unsigned number = 0;
      char rest;
      ck_assert_msg(
          sscanf(file->catalogue[k], "SC%2u%c", &number, &rest) == 1 && number >= 1 && number <= 68,
          "%s: %s", file->path, file->catalogue[k]);
    }
  }
}
END_TEST

START_TEST(the_list_for_people_is_complete) {
  for (size_t i = 0; i < library.count; i++) {
    char id[128];
    snprintf(id, sizeof id, "`%s`", library.files[i]->id);
    ck_assert_msg(strstr(list, id) != NULL,
                  "docs/scenarios.md lacks %s: make it anew (its end says how)", id);
  }
}
END_TEST

static bool is_covered(const char *rule) {
  for (size_t i = 0; i < library.count; i++)
    for (size_t k = 0; k < library.files[i]->cover_count; k++)
      if (strcmp(library.files[i]->covers[k], rule) == 0) return true;
  return false;
}

START_TEST(every_rule_that_is_implemented_has_a_scenario) {
  ck_assert_uint_ge(rule_check_count(), 160);
  for (size_t i = 0; i < rule_check_count(); i++) {
    const char *id = rule_check_get(i)->id;
    ck_assert_msg(is_covered(id), "no scenario covers %s", id);
  }
}
END_TEST

START_TEST(covered_rules_exist) {
  for (size_t i = 0; i < library.count; i++)
    for (size_t k = 0; k < library.files[i]->cover_count; k++) {
      const struct rule *rule = rule_find(library.files[i]->covers[k]);
      ck_assert_msg(rule && rule_check_of(rule), "%s covers %s, which is not implemented",
                    library.files[i]->path, library.files[i]->covers[k]);
    }
}
END_TEST

/* ---- what happens ---- */

static void tell_findings(const struct run_outcome *outcome) {
  for (size_t i = 0; i < outcome->item_count; i++) {
    const struct run_item *item = &outcome->items[i];
    if (item->verdict != JDG_PASS)
      fprintf(stderr, "  line %u: %s: expected %s, actual %s\n", item->line, item->text,
              item->expected, item->actual);
  }
  for (size_t i = 0; i < jdg_result_count(outcome->judge); i++) {
    const struct jdg_result *r = jdg_result_get(outcome->judge, i);
    if (r->verdict != JDG_FAIL && r->verdict != JDG_WARN) continue;
    fprintf(stderr, "  %s: expected %s, actual %s\n", r->rule->id, r->findings[0].expected,
            r->findings[0].actual);
  }
}

static void run_variant(struct run_engine *engine, const struct scn_file *file,
                        const struct scn_variant *variant, enum jdg_profile profile) {
  struct scn_scenario *scenario =
      scn_load(file, variant->name, variant->settings, variant->setting_count, &errors);
  if (!scenario) scn_errors_print(&errors, stderr);
  ck_assert_ptr_nonnull(scenario);
  struct run_options options = {
      .seed = scenario->has_seed ? scenario->seed : 1, .profile = profile, .strict = true};
  struct run_outcome outcome;
  ck_assert(run_execute(engine, scenario, &options, &outcome));
  if (outcome.verdict != JDG_PASS) tell_findings(&outcome);
  ck_assert_msg(outcome.verdict == JDG_PASS, "%s, profile %s: %s", variant->name,
                jdg_profile_name(profile), jdg_verdict_name(outcome.verdict));
  scn_free(scenario);
}

START_TEST(the_reference_passes_all_of_them) {
  struct run_engine *engine = run_engine_new();
  ck_assert_ptr_nonnull(engine);
  for (size_t i = 0; i < library.count; i++)
    for (size_t k = 0; k < library.files[i]->variant_count; k++)
      run_variant(engine, library.files[i], &library.files[i]->variants[k], (enum jdg_profile)_i);
  run_engine_free(engine);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("scenarios");
  TCase *c = tcase_create("scenarios");
  tcase_set_timeout(c, 240);
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, files_are_named_by_their_id_and_lie_under_a_topic);
  tcase_add_test(c, each_says_why_and_where_the_catalogue_has_it);
  tcase_add_test(c, the_list_for_people_is_complete);
  tcase_add_test(c, every_rule_that_is_implemented_has_a_scenario);
  tcase_add_test(c, covered_rules_exist);
  tcase_add_loop_test(c, the_reference_passes_all_of_them, 0, JDG_PROFILE_COUNT);
  suite_add_tcase(suite, c);
  return check_run(suite);
}
