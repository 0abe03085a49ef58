/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts of whole runs with endpoints that are wrong in a known way: what a broken SHOULD, a
 * broken MUST and an undecided rule become, with and without --strict (W24). */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "mutants/change.h"
#include "rules/rules.h"

static const char scenario_text[] =
    "id: x\n"
    "title: t\n"
    "covers: [GC-2.3.4-05]\n"
    "network: {groups: {$g: {4: 239.255.0.1, 6: \"[ff35::1]\"}}}\n"
    "nodes:\n"
    "  c1: {role: client, msrd: 30s}\n"
    "  s: {role: server, groups: [$g], resources: {/a: {payload: \"on\"}}}\n"
    "  t:\n"
    "    role: tester\n"
    "    groups: [$g]\n"
    "    answers: [{when: {path: /b}, after: 1s, message: {type: CON, code: 2.05}}]\n"
    "steps:\n"
    "  - {at: 0s, node: c1, request: {id: q1, uri: \"coap://$g/a\"}}\n"
    "  - {at: 30s, node: c1, request: {id: q2, uri: \"coap://$g/b\"}}\n"
    "  - {at: 35s, node: c1, request: {id: q3, uri: \"coap://$g/a\"}}\n"
    "expect:\n"
    "  - {request: q1, from: s, each: 1}\n"
    "end: 100s\n";

struct stage {
  struct run_engine *engine;
  struct scn_scenario *scenario;
  struct mut_session *session;
  struct run_outcome outcome;
};

static struct stage stage;

static const struct mutant *named(const char *id) {
  for (size_t i = 0; i < mut_count(); i++)
    if (strcmp(mut_get(i)->id, id) == 0) return mut_get(i);
  ck_abort_msg("no mutant %s", id);
  return NULL;
}

/* Runs the scenario with a mutant, or with none. */
static void run(const char *mutant, bool strict) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct scn_file *file = scn_file_parse("x.yaml", scenario_text, strlen(scenario_text), &errors);
  ck_assert_ptr_nonnull(file);
  stage = (struct stage){.engine = run_engine_new(),
                         .scenario = scn_load(file, NULL, NULL, 0, &errors),
                         .session = mutant ? mut_session_new(named(mutant)) : NULL};
  ck_assert_ptr_nonnull(stage.scenario);
  scn_file_free(file);
  scn_errors_free(&errors);
  struct run_options options = {.seed = 1, .profile = JDG_DIJK_03, .strict = strict};
  options.judge_only = true;
  if (stage.session) options.hooks = mut_session_hooks(stage.session);
  ck_assert(run_execute(stage.engine, stage.scenario, &options, &stage.outcome));
}

static void finish(void) {
  mut_session_free(stage.session);
  scn_free(stage.scenario);
  run_engine_free(stage.engine);
}

static const struct jdg_result *result_of(const char *node, const char *rule) {
  struct judge *judge = stage.outcome.judge;
  for (size_t i = 0; i < jdg_result_count(judge); i++) {
    const struct jdg_result *r = jdg_result_get(judge, i);
    if (strcmp(r->rule->id, rule) == 0 && strcmp(jdg_node_name(judge, r->node), node) == 0)
      return r;
  }
  ck_abort_msg("no result of %s for %s", rule, node);
  return NULL;
}

START_TEST(reference_passes) {
  run(NULL, true);
  const struct jdg_result *r = result_of("s", "GC-2.3.4-05");
  ck_assert_int_eq(r->verdict, JDG_PASS);
  ck_assert_uint_gt(r->activations, 0);
  ck_assert_uint_eq(r->finding_count, 0);
  ck_assert_int_eq(stage.outcome.verdict, JDG_PASS);
  finish();
}
END_TEST

START_TEST(broken_should_warns) {
  run("confirmable-response", false);
  const struct jdg_result *r = result_of("s", "GC-2.3.4-05");
  ck_assert_int_eq(r->level, JDG_SHOULD);
  ck_assert_int_eq(r->verdict, JDG_WARN);
  finish();
}
END_TEST

START_TEST(broken_should_fails_when_strict) {
  run("confirmable-response", true);
  ck_assert_int_eq(result_of("s", "GC-2.3.4-05")->verdict, JDG_FAIL);
  ck_assert_int_eq(stage.outcome.verdict, JDG_FAIL);
  finish();
}
END_TEST

START_TEST(broken_must_fails) {
  run("confirmable-group-request", false);
  const struct jdg_result *r = result_of("c1", "GC-2.3.1-02");
  ck_assert_int_eq(r->level, JDG_MUST);
  ck_assert_int_eq(r->verdict, JDG_FAIL);
  ck_assert_int_eq(stage.outcome.verdict, JDG_FAIL);
  finish();
}
END_TEST

START_TEST(findings_name_the_frames) {
  run("confirmable-group-request", false);
  const struct jdg_result *r = result_of("c1", "GC-2.3.1-02");
  ck_assert_uint_eq(r->finding_count, 3);
  ck_assert_uint_eq(r->finding_total, 3);
  ck_assert_uint_eq(r->findings[0].frame, 1);
  ck_assert_str_eq(r->findings[0].expected, "request type NON");
  ck_assert_ptr_nonnull(strstr(r->findings[0].actual, "CON"));
  ck_assert_ptr_nonnull(strstr(r->findings[0].message, "2.3.1"));
  ck_assert_uint_gt(r->findings[1].frame, 1);
  finish();
}
END_TEST

/* One try without an ACK decides nothing: neither pass nor fail, nor silence about it. */
START_TEST(undecided_is_inconclusive) {
  run("no-ack", true);
  const struct jdg_result *r = result_of("c1", "COAP-4.2-01");
  ck_assert_int_eq(r->verdict, JDG_INCONCLUSIVE);
  ck_assert_uint_eq(r->finding_count, 1);
  finish();
}
END_TEST

START_TEST(never_asked_is_not_exercised) {
  run(NULL, false);
  ck_assert_int_eq(result_of("c1", "NR-01")->verdict, JDG_NOT_EXERCISED);
  ck_assert_uint_eq(result_of("c1", "NR-01")->activations, 0);
  finish();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("verdict");
  TCase *c = tcase_create("verdict");
  tcase_add_test(c, reference_passes);
  tcase_add_test(c, broken_should_warns);
  tcase_add_test(c, broken_should_fails_when_strict);
  tcase_add_test(c, broken_must_fails);
  tcase_add_test(c, findings_name_the_frames);
  tcase_add_test(c, undecided_is_inconclusive);
  tcase_add_test(c, never_asked_is_not_exercised);
  suite_add_tcase(suite, c);
  return check_run(suite);
}
