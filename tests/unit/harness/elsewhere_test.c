/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs as others would capture them. */
#include "run/elsewhere.h"

#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "mutants/change.h"

#define RUN                                                                               \
  "id: x\ntitle: t\ncovers: [GC-2.3.1-02]\nnetwork:\n  groups: {$g: \"[ff35::1]\"}\n%s"   \
  "nodes:\n  c1: {role: client, msrd: 30s}\n"                                             \
  "  s: {role: server, count: 2, groups: [$g], resources: {/light: {payload: \"on\"}}}\n" \
  "%ssteps:\n  - {at: 0s, node: c1, request: {id: q1, uri: \"coap://$g/light\"}}\n%s"

static struct run_engine *engine;
static struct scn_scenario *scenario;
static struct run_outcome outcome;
static struct judge *judge;
static struct cap_writer *copy;

static void setup(void) {
  const struct jdg_config config = {.profile = JDG_DIJK_03};
  engine = run_engine_new();
  judge = jdg_new(&config);
  copy = cap_writer_new(NULL);
}

static void teardown(void) {
  run_engine_free(engine);
  scn_free(scenario);
  scenario = NULL;
  jdg_free(judge);
  cap_writer_free(copy);
}

static void load(const char *network, const char *nodes, const char *steps) {
  struct scn_errors errors;
  char text[1024];
  int length = snprintf(text, sizeof text, RUN, network, nodes, steps);
  scn_errors_init(&errors);
  struct scn_file *file = scn_file_parse("x.yaml", text, (size_t)length, &errors);
  scenario = file ? scn_load(file, NULL, NULL, 0, &errors) : NULL;
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  scn_file_free(file);
  ck_assert_ptr_nonnull(scenario);
}

static void execute(const struct run_hooks *hooks) {
  struct run_options options = {.seed = 1, .record = true, .hooks = hooks};
  ck_assert(run_execute(engine, scenario, &options, &outcome));
}

static void view(enum run_view which, size_t node) {
  ck_assert(run_view_copy(copy, outcome.capture, which, node));
  ck_assert(run_view_judge(judge, copy));
}

static uint64_t packets(void) {
  return jdg_counts_get(judge).packets;
}

static enum jdg_verdict worst(void) {
  enum jdg_verdict verdict = JDG_NOT_EXERCISED;
  for (size_t i = 0; i < jdg_result_count(judge); i++)
    verdict = run_worst(verdict, jdg_result_get(judge, i)->verdict);
  return verdict;
}

/* A request to two servers and their responses: 3 sent, 4 received. */
START_TEST(test_medium_shows_each_packet_once) {
  load("", "", "");
  execute(NULL);
  view(RUN_VIEW_MEDIUM, 0);
  ck_assert_uint_eq(packets(), 3);
  ck_assert_int_eq(worst(), JDG_PASS);
}
END_TEST

START_TEST(test_one_node_shows_its_own) {
  load("", "", "");
  execute(NULL);
  view(RUN_VIEW_ONE_NODE, 0);
  ck_assert_uint_eq(packets(), 3);
  jdg_reset(judge, &(struct jdg_config){.profile = JDG_DIJK_03});
  view(RUN_VIEW_ONE_NODE, 1);
  ck_assert_uint_eq(packets(), 2);
}
END_TEST

START_TEST(test_merged_shows_both_ends_of_all) {
  load("", "", "");
  execute(NULL);
  view(RUN_VIEW_MERGED, 0);
  ck_assert_uint_eq(packets(), 7);
  ck_assert_uint_eq(jdg_counts_get(judge).coap_messages, 3);
  ck_assert_int_eq(worst(), JDG_PASS);
}
END_TEST

START_TEST(test_nobody_is_named) {
  load("", "", "");
  execute(NULL);
  view(RUN_VIEW_MEDIUM, 0);
  for (uint32_t i = 0; i < jdg_node_count(judge); i++)
    ck_assert_msg(strchr(jdg_node_name(judge, i), ':'), "%s", jdg_node_name(judge, i));
}
END_TEST

static const struct mutant *mutant(const char *id) {
  for (size_t i = 0; i < mut_count(); i++)
    if (strcmp(mut_get(i)->id, id) == 0) return mut_get(i);
  ck_abort_msg("no mutant %s", id);
}

/* A deviation is one for others, too. */
START_TEST(test_others_see_a_deviation) {
  static const enum run_view views[] = {RUN_VIEW_MEDIUM, RUN_VIEW_ONE_NODE, RUN_VIEW_MERGED};
  struct mut_session *mutated = mut_session_new(mutant("confirmable-group-request"));
  ck_assert_ptr_nonnull(mutated);
  load("", "", "");
  execute(mut_session_hooks(mutated));
  view(views[_i], 0);
  ck_assert_int_eq(worst(), JDG_FAIL);
  mut_session_free(mutated);
}
END_TEST

/* Our own capture holds the statements, and is judged as the run was. */
START_TEST(test_our_own_capture) {
  load("", "", "");
  execute(NULL);
  ck_assert(run_view_judge(judge, outcome.capture));
  ck_assert_int_eq(worst(), JDG_PASS);
  ck_assert_str_eq(jdg_node_name(judge, 0), "c1");
}
END_TEST

START_TEST(test_an_empty_capture_of_a_used_engine) {
  load("", "", "");
  execute(NULL);
  cap_writer_reset(outcome.capture, NULL);
  view(RUN_VIEW_MEDIUM, 0);
  ck_assert_uint_eq(packets(), 0);
}
END_TEST

/* ---- what no capture tells ---- */

static void expect_telling(bool own, bool others) {
  ck_assert(run_view_tells(scenario, RUN_VIEW_NODES) == own);
  ck_assert(run_view_tells(scenario, RUN_VIEW_MEDIUM) == others);
  ck_assert(run_view_tells(scenario, RUN_VIEW_ONE_NODE) == others);
  ck_assert(run_view_tells(scenario, RUN_VIEW_MERGED) == others);
}

START_TEST(test_lossy_networks_tell) {
  load("  impairments: [{loss: 50%, delay: 2s, duplicate: 50%, duplicate-gap: 5ms}]\n", "", "");
  expect_telling(true, true);
}
END_TEST

START_TEST(test_strange_networks_do_not) {
  load("  impairments: [{duplicate: 50%, duplicate-gap: 60s}]\n", "", "");
  expect_telling(true, false);
}
END_TEST

START_TEST(test_testers_play_others) {
  load("", "  t: {role: tester}\n", "");
  expect_telling(true, false);
}
END_TEST

START_TEST(test_restarts_are_invisible) {
  load("", "", "  - {at: 1s, node: s1, restart: {}}\n");
  expect_telling(false, false);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("elsewhere");
  TCase *tests = tcase_create("views");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_medium_shows_each_packet_once);
  tcase_add_test(tests, test_one_node_shows_its_own);
  tcase_add_test(tests, test_merged_shows_both_ends_of_all);
  tcase_add_test(tests, test_nobody_is_named);
  tcase_add_loop_test(tests, test_others_see_a_deviation, 0, 3);
  tcase_add_test(tests, test_our_own_capture);
  tcase_add_test(tests, test_an_empty_capture_of_a_used_engine);
  tcase_add_test(tests, test_lossy_networks_tell);
  tcase_add_test(tests, test_strange_networks_do_not);
  tcase_add_test(tests, test_testers_play_others);
  tcase_add_test(tests, test_restarts_are_invisible);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
