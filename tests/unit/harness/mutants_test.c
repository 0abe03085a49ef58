/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutants: what counts as killed and what does not (W17), and that the wrapper changes nothing. */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "mutants/change.h"
#include "rules/rules.h"

static const char scenario_text[] =
    "id: x\n"
    "title: t\n"
    "covers: [GC-2.3.1-02]\n"
    "network: {groups: {$g: {4: 239.255.0.1, 6: \"[ff35::1]\"}}}\n"
    "nodes:\n"
    "  c1: {role: client, msrd: 30s}\n"
    "  s: {role: server, count: 2, groups: [$g], resources: {/a: {payload: \"on\"}}}\n"
    "  t: {role: tester, port: 61000}\n"
    "steps:\n"
    "  - {at: 0s, node: c1, request: {id: q1, uri: \"coap://$g/a\"}}\n"
    "  - {at: 9s, node: t, send: {to: $g, message: {code: GET, uri-path: /a, token: \"01\"}}}\n"
    "expect:\n"
    "  - {request: q1, from: s, each: 1}\n";

static struct scn_scenario *load(void) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct scn_file *file = scn_file_parse("x.yaml", scenario_text, strlen(scenario_text), &errors);
  ck_assert_ptr_nonnull(file);
  struct scn_scenario *scenario = scn_load(file, NULL, NULL, 0, &errors);
  ck_assert_ptr_nonnull(scenario);
  scn_file_free(file);
  scn_errors_free(&errors);
  return scenario;
}

static const struct mutant *named(const char *id) {
  for (size_t i = 0; i < mut_count(); i++)
    if (strcmp(mut_get(i)->id, id) == 0) return mut_get(i);
  ck_abort_msg("no mutant %s", id);
  return NULL;
}

/* The caller frees |result|; its scenario is gone. */
static void try_mutant(const struct mutant *mutant, struct mut_result *result) {
  struct run_engine *engine = run_engine_new();
  struct scn_scenario *scenario = load();
  *result = (struct mut_result){.verdict = MUT_NOT_APPLIED};
  ck_assert(mut_try(engine, mutant, scenario, 1, result));
  scn_free(scenario);
  run_engine_free(engine);
}

static bool found(const struct mut_result *result, const char *rule) {
  for (size_t i = 0; i < result->found_count; i++)
    if (strcmp(result->found[i]->id, rule) == 0) return true;
  return false;
}

START_TEST(named_rule_kills) {
  struct mut_result r;
  try_mutant(named("confirmable-group-request"), &r);
  ck_assert_int_eq(r.verdict, MUT_KILLED);
  ck_assert(found(&r, "GC-2.3.1-02"));
  ck_assert(found(&r, "COAP-8.1-01"));
  ck_assert_uint_gt(r.applied, 0);
  ck_assert_int_eq(r.level, JDG_MUST);
  mut_result_free(&r);
}
END_TEST

START_TEST(w17_other_rules_do_not_kill) {
  struct mutant wrong = *named("confirmable-group-request");
  struct mut_result r;
  wrong.rule = "COAP-5.10.1-01"; /* passes with and without the mutation */
  try_mutant(&wrong, &r);
  ck_assert_int_eq(r.verdict, MUT_SURVIVED);
  ck_assert(found(&r, "GC-2.3.1-02"));
  mut_result_free(&r);
}
END_TEST

START_TEST(unknown_rule_does_not_kill) {
  struct mutant wrong = *named("confirmable-group-request");
  struct mut_result r;
  wrong.rule = "GC-0-00";
  try_mutant(&wrong, &r);
  ck_assert_int_eq(r.verdict, MUT_SURVIVED);
  mut_result_free(&r);
}
END_TEST

START_TEST(w17_control_has_to_pass) {
  struct mutant wrong = *named("etag-to-group");
  struct mut_result r;
  wrong.rule = "NR-01"; /* not exercised: no request has the option */
  try_mutant(&wrong, &r);
  ck_assert_int_eq(r.verdict, MUT_SURVIVED);
  ck_assert(r.control_failed);
  mut_result_free(&r);
}
END_TEST

START_TEST(other_nodes_do_not_kill) {
  struct mutant wrong = *named("confirmable-group-request");
  struct mut_result r;
  wrong.role = MUT_SERVER; /* nothing of a server is a group request */
  try_mutant(&wrong, &r);
  ck_assert_int_eq(r.verdict, MUT_NOT_APPLIED);
  mut_result_free(&r);
}
END_TEST

START_TEST(without_stimulus_not_applied) {
  struct mut_result r;
  try_mutant(named("observe-2"), &r); /* no request observes */
  ck_assert_int_eq(r.verdict, MUT_NOT_APPLIED);
  ck_assert_uint_eq(r.applied, 0);
  ck_assert_uint_eq(r.found_count, 0);
  ck_assert_uint_eq(r.trials, 1);
  mut_result_free(&r);
}
END_TEST

START_TEST(controls_survive) {
  struct mut_result r;
  try_mutant(named("no-op-datagrams"), &r);
  ck_assert_int_eq(r.verdict, MUT_SURVIVED);
  ck_assert_uint_eq(r.found_count, 0);
  ck_assert_uint_gt(r.applied, 0);
  mut_result_free(&r);
  try_mutant(named("no-op-policies"), &r);
  ck_assert_int_eq(r.verdict, MUT_SURVIVED);
  ck_assert_uint_gt(r.applied, 0);
  mut_result_free(&r);
}
END_TEST

START_TEST(control_that_does_something_is_killed) {
  struct mutant wrong = *named("confirmable-group-request");
  struct mut_result r;
  wrong.rule = NULL;
  try_mutant(&wrong, &r);
  ck_assert_int_eq(r.verdict, MUT_KILLED);
  mut_result_free(&r);
}
END_TEST

START_TEST(one_server_of_two) {
  struct mutant one = *named("confirmable-response");
  struct scn_scenario *scenario = load();
  one.role = MUT_ONE_SERVER;
  ck_assert(!mut_concerns(&one, &scenario->nodes[0], true));
  ck_assert(mut_concerns(&one, &scenario->nodes[1], true));
  ck_assert(!mut_concerns(&one, &scenario->nodes[2], false));
  ck_assert(!mut_concerns(&one, &scenario->nodes[3], true));
  scn_free(scenario);
}
END_TEST

START_TEST(table_is_sound) {
  for (size_t i = 0; i < mut_count(); i++) {
    const struct mutant *m = mut_get(i);
    for (size_t k = 0; k < i; k++) ck_assert_str_ne(mut_get(k)->id, m->id);
    ck_assert_int_eq(m->rule == NULL, m->breaks == NULL);
    if (!m->rule) continue;
    const struct rule *rule = rule_find(m->rule);
    ck_assert_msg(rule != NULL, "%s: rule %s", m->id, m->rule);
    ck_assert_msg(rule_check_of(rule) != NULL, "%s: rule %s is planned", m->id, m->rule);
  }
}
END_TEST

START_TEST(selectors) {
  const struct mutant *m = named("no-leisure");
  ck_assert(mut_selected(m, "no-leisure"));
  ck_assert(mut_selected(m, "GC-2.3.4-06"));
  ck_assert(mut_selected(m, "M7"));
  ck_assert(mut_selected(m, "no-l*"));
  ck_assert(!mut_selected(m, "no-leisures"));
}
END_TEST

/* ---- messages ---- */

static struct mut_message message;
static uint8_t out[MUT_MAX_DATAGRAM];

static size_t through(const void *octets, size_t length) {
  struct chorus_datagram d = {.payload = octets, .length = length};
  ck_assert(mut_message_read(&message, &d));
  return mut_message_write(&message, out);
}

/* CON GET, Token a1b2, Uri-Path "light", Uri-Query of 20 octets, No-Response 26, payload. */
static const uint8_t rich[] = {0x42, 0x01, 0x12, 0x34, 0xa1, 0xb2, 0xb5, 'l',  'i', 'g',
                               'h',  't',  0x4d, 0x07, 'q',  'q',  'q',  'q',  'q', 'q',
                               'q',  'q',  'q',  'q',  'q',  'q',  'q',  'q',  'q', 'q',
                               'q',  'q',  'q',  'q',  0xd1, 0xe6, 0x1a, 0xff, 'o', 'n'};

START_TEST(messages_come_out_as_they_went_in) {
  ck_assert_uint_eq(through(rich, sizeof rich), sizeof rich);
  ck_assert_mem_eq(out, rich, sizeof rich);
  ck_assert_uint_eq(message.option_count, 3);
  ck_assert_uint_eq(mut_option_uint(&message, DIS_NO_RESPONSE, 99), 26);
  ck_assert(mut_path_is(&message, "/light"));
  ck_assert(!mut_path_is(&message, "/ligh"));
  ck_assert(!mut_path_is(&message, "/light/a"));
  static const uint8_t empty[] = {0x70, 0, 0xbe, 0xef};
  ck_assert_uint_eq(through(empty, 4), 4);
  ck_assert_mem_eq(out, empty, 4);
}
END_TEST

START_TEST(damaged_messages_are_left_alone) {
  static const uint8_t damaged[] = {0x49, 0x01, 0x12, 0x34};
  struct chorus_datagram d = {.payload = damaged, .length = sizeof damaged};
  ck_assert(!mut_message_read(&message, &d));
}
END_TEST

START_TEST(options_are_changed) {
  through(rich, sizeof rich);
  mut_option_remove(&message, DIS_URI_QUERY);
  mut_option_add_uint(&message, DIS_NO_RESPONSE, 0);
  mut_option_add_uint(&message, DIS_OBSERVE, 0x0102);
  ck_assert_uint_eq(message.option_count, 4);
  ck_assert_uint_eq(message.options[0].number, DIS_OBSERVE);
  ck_assert_uint_eq(message.options[0].length, 2);
  ck_assert_uint_eq(message.options[3].number, DIS_NO_RESPONSE);
  ck_assert_uint_eq(message.options[3].length, 0);
  size_t length = mut_message_write(&message, out);
  struct dis_coap m;
  ck_assert(dis_coap_parse(&m, out, length));
  ck_assert_uint_eq(dis_option_count(&m, DIS_NO_RESPONSE, NULL), 2);
}
END_TEST

START_TEST(replies_fit) {
  struct mut_message reply;
  through(rich, sizeof rich);
  mut_empty_reply(&reply, &message, DIS_RST);
  ck_assert_uint_eq(mut_message_write(&reply, out), 4);
  static const uint8_t reset[] = {0x70, 0, 0x12, 0x34};
  ck_assert_mem_eq(out, reset, 4);
  mut_response(&reply, &message, DIS_ACK, REF_CODE(2, 5));
  ck_assert_uint_eq(mut_message_write(&reply, out), 6);
  static const uint8_t content[] = {0x62, 0x45, 0x12, 0x34, 0xa1, 0xb2};
  ck_assert_mem_eq(out, content, 6);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mutants");
  TCase *c = tcase_create("mutants");
  tcase_add_test(c, named_rule_kills);
  tcase_add_test(c, w17_other_rules_do_not_kill);
  tcase_add_test(c, unknown_rule_does_not_kill);
  tcase_add_test(c, w17_control_has_to_pass);
  tcase_add_test(c, other_nodes_do_not_kill);
  tcase_add_test(c, without_stimulus_not_applied);
  tcase_add_test(c, controls_survive);
  tcase_add_test(c, control_that_does_something_is_killed);
  tcase_add_test(c, one_server_of_two);
  tcase_add_test(c, table_is_sound);
  tcase_add_test(c, selectors);
  tcase_add_test(c, messages_come_out_as_they_went_in);
  tcase_add_test(c, damaged_messages_are_left_alone);
  tcase_add_test(c, options_are_changed);
  tcase_add_test(c, replies_fit);
  suite_add_tcase(suite, c);
  return check_run(suite);
}
