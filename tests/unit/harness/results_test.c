/* SPDX-License-Identifier: BSD-2-Clause */
/* results.json, waivers (W20), statements and event files. */
#include "run/results.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_run.h"
#include "events/log.h"
#include "run/waivers.h"
#include "statement/statement.h"
#include "text/text.h"

/* ---- results ---- */

static json_t *run_with(const char *rule_verdict, const char *item_verdict) {
  return json_pack("{s:s, s:{s:s, s:s}, s:s, s:[{s:s, s:s, s:s, s:i}], s:[{s:s, s:s}]}", "scenario",
                   "x", "sut", "name", "libx", "version", "4.3.10", "verdict", "none", "rules",
                   "id", "GC-2.3.1-22", "node", "c1", "verdict", rule_verdict, "activations", 1,
                   "expectations", "kind", "expectation", "verdict", item_verdict);
}

/* Verdict of the rule, of the expectation, and what the run's has to be. */
static const char *const decisions[][3] = {
    {"not-exercised", "pass", "pass"},
    {"pass", "pass", "pass"},
    {"warn", "pass", "warn"},
    {"fail", "pass", "fail"},
    {"error", "pass", "error"},
    {"waived", "pass", "pass"},
    {"unsupported", "pass", "pass"},
    {"inconclusive", "pass", "pass"},
    {"pass", "inconclusive", "inconclusive"},
    {"pass", "fail", "fail"},
    {"fail", "error", "error"},
    {"pass", "error", "error"},
};

START_TEST(verdict_per_run) {
  json_t *run = run_with(decisions[_i][0], decisions[_i][1]);
  run_decide(run);
  ck_assert_str_eq(json_string_value(json_object_get(run, "verdict")), decisions[_i][2]);
  json_decref(run);
}
END_TEST

static char *summary_of(json_t *run) {
  json_t *runs = json_array();
  run_decide(run);
  json_array_append_new(runs, run);
  json_t *results = run_results("dijk-03", "sim", runs, NULL, false);
  char *text = json_dumps(json_object_get(results, "summary"), JSON_COMPACT);
  json_decref(results);
  return text;
}

START_TEST(golden_summary) {
  static const char expected[] =
      "{\"verdict\":\"fail\",\"total\":1,\"runs\":{\"pass\":0,\"warn\":0,\"inconclusive\":0,"
      "\"fail\":1,"
      "\"error\":0,\"none\":0,\"unsupported\":0},\"rules\":{\"pass\":0,\"warn\":0,\"inconclusive\":"
      "0,\"fail\":1,"
      "\"not-exercised\":0,\"unsupported\":0,\"waived\":0}}";
  char *text = summary_of(run_with("fail", "pass"));
  ck_assert_str_eq(text, expected);
  free(text);
}
END_TEST

START_TEST(golden_run) {
  static const char scenario_text[] =
      "id: x\ntitle: t\nnetwork: {groups: {$g: \"[ff35::1]\"}}\n"
      "nodes: {c1: {role: client}, t: {role: tester}}\n"
      "steps: [{at: 0s, node: c1, request: {id: q1, uri: \"coap://$g/a\", token: \"01\"}}]\n"
      "expect: [{request: q1, times: 0}]\nend: 1s\n";
  struct scn_errors errors;
  struct run_outcome outcome;
  struct run_options options = {.seed = 9, .record = true};
  scn_errors_init(&errors);
  struct scn_file *file = scn_file_parse("x.yaml", scenario_text, strlen(scenario_text), &errors);
  struct scn_scenario *s = file ? scn_load(file, NULL, NULL, 0, &errors) : NULL;
  struct run_engine *engine = run_engine_new();
  ck_assert_ptr_nonnull(s);
  ck_assert(run_execute(engine, s, &options, &outcome));
  struct run_about about = {.seed = 9,
                            .sut_name = "sut",
                            .sut_version = "1",
                            .capture = "x.pcapng",
                            .events = "x.jsonl",
                            .reproduce = "chorus run x --seed 9"};
  json_t *run = run_result(s, &about, &outcome);
  static const char *const keys[] = {
      "scenario",    "id",      "title",       "topic",    "parameters", "seed",
      "digest",      "profile", "sut",         "verdict",  "capture",    "events",
      "end_ns",      "counts",  "nodes",       "covers",   "rules",      "expectations",
      "impairments", "trace",   "trace_total", "reproduce"};
  size_t i = 0;
  const char *key;
  json_t *value;
  json_object_foreach(run, key, value) {
    ck_assert_uint_lt(i, sizeof keys / sizeof *keys);
    ck_assert_str_eq(key, keys[i++]); /* the order is part of the contract: bytes are compared */
  }
  ck_assert_uint_eq(i, sizeof keys / sizeof *keys);
  ck_assert_str_eq(json_string_value(json_object_get(run, "verdict")), "pass");
  json_t *expectation = json_array_get(json_object_get(run, "expectations"), 0);
  char *text = json_dumps(expectation, JSON_COMPACT);
  ck_assert_str_eq(
      text,
      "{\"kind\":\"expectation\",\"verdict\":\"pass\",\"text\":\"{request: q1, times: 0}\","
      "\"line\":6,\"frame\":0,\"expected\":null,\"actual\":null}");
  free(text);
  json_decref(run);
  run_engine_free(engine);
  scn_free(s);
  scn_file_free(file);
  scn_errors_free(&errors);
}
END_TEST

START_TEST(texts_are_escaped) {
  struct txt_buffer text = {0};
  txt_json(&text, "a\"b\\c\n\x01 \xc3\xa9 \xff\xc0\x80");
  ck_assert_str_eq(text.data, "\"a\\\"b\\\\c\\u000a\\u0001 \xc3\xa9 \\ufffd\\ufffd\\ufffd\"");
  json_t *value = json_loads(text.data, JSON_DECODE_ANY, NULL);
  ck_assert(json_is_string(value));
  json_decref(value);
  txt_free(&text);
}
END_TEST

START_TEST(a_full_disk_is_noticed) {
  ck_assert(!run_write_file("/nonexistent/folder/x", "a", 1));
  ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* ---- waivers ---- */

#define WAIVER                                                                                \
  "- rule: GC-2.3.1-22\n  sut: lib*\n  versions: 4.3.9..4.3.11\n  reason: known\n  link: l\n" \
  "  expires: 2027-01-31\n"

static json_t *apply(const char *yaml, json_t *run, const char *today, char *problem, size_t size) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct run_waivers *w = run_waivers_parse("w.yaml", yaml, strlen(yaml), &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  ck_assert_ptr_nonnull(w);
  json_t *runs = json_array();
  json_array_append(runs, run);
  json_t *list = run_waivers_apply(w, runs, today);
  const char *text = json_string_value(json_object_get(json_array_get(list, 0), "problem"));
  snprintf(problem, size, "%s", text ? text : "");
  json_decref(list);
  json_decref(runs);
  run_waivers_free(w);
  return run;
}

/* Verdict of the rule, day, verdict of the run afterwards, and what is wrong with the waiver. */
static const char *const waived[][4] = {
    {"fail", "2026-11-22", "pass", ""},
    {"fail", "2027-01-31", "pass", ""},
    {"fail", "2027-02-01", "fail", "expired"},
    {"pass", "2026-11-22", "pass", "the rule passes"},
    {"not-exercised", "2026-11-22", "pass", "used by nothing"},
    {"warn", "2026-11-22", "pass", ""},
};

START_TEST(w20_waivers) {
  char problem[40];
  json_t *run =
      apply(WAIVER, run_with(waived[_i][0], "pass"), waived[_i][1], problem, sizeof problem);
  ck_assert_str_eq(json_string_value(json_object_get(run, "verdict")), waived[_i][2]);
  ck_assert_str_eq(problem, waived[_i][3]);
  json_decref(run);
}
END_TEST

START_TEST(w20_other_versions_are_not_waived) {
  static const char later[] =
      "- {rule: GC-2.3.1-22, versions: 4.3.11.., reason: r, link: l, expires: 2027-01-31}\n";
  char problem[40];
  json_t *run = apply(later, run_with("fail", "pass"), "2026-11-22", problem, sizeof problem);
  ck_assert_str_eq(json_string_value(json_object_get(run, "verdict")), "fail");
  ck_assert_str_eq(problem, "used by nothing");
  json_decref(run);
}
END_TEST

START_TEST(w20_a_problem_fails_the_whole) {
  json_t *runs = json_array(), *waivers = json_array();
  json_array_append_new(runs, run_with("pass", "pass"));
  run_decide(json_array_get(runs, 0));
  json_array_append_new(waivers,
                        json_pack("{s:s, s:s}", "rule", "GC-2.3.1-22", "problem", "expired"));
  json_t *results = run_results("dijk-03", "sim", runs, waivers, false);
  ck_assert_str_eq(
      json_string_value(json_object_get(json_object_get(results, "summary"), "verdict")), "fail");
  json_decref(results);
}
END_TEST

START_TEST(wrong_waivers_are_explained) {
  static const char text[] = "- {rule: GC-2.3.1-99, reason: r, link: l, expires: soon}\n";
  struct scn_errors errors;
  scn_errors_init(&errors);
  ck_assert_ptr_null(run_waivers_parse("w.yaml", text, strlen(text), &errors));
  ck_assert_uint_eq(errors.total, 2);
  ck_assert_ptr_nonnull(
      strstr(errors.list[0].message, "there is no rule \"GC-2.3.1-99\"; did you mean"));
  ck_assert_str_eq(errors.list[1].message, "\"soon\" is no date; write 2027-01-31");
  scn_errors_free(&errors);
}
END_TEST

/* ---- statements ---- */

START_TEST(statements) {
  static const char text[] =
      "\"[2001:db8::5]\": {leisure: 3s, dedup: true, groups: [\"[ff35::1]\"],\n"
      "  resources: {/light: {suppress: [4xx, 5xx], multicast: false}, \"*\": {exists: false}}}\n"
      "c1: {msrd: 30s, no-response-policy: authorised-only}\n"
      "\"*\": {6lowpan: no}\n";
  struct stm_statements s;
  struct scn_errors errors;
  scn_errors_init(&errors);
  ck_assert(stm_parse(&s, "i.yaml", text, strlen(text), &errors));
  ck_assert_uint_eq(s.count, 3);
  ck_assert(s.list[0].has_address && s.list[0].ics.leisure == 3 * CHORUS_SECOND);
  ck_assert_int_eq(s.list[0].ics.dedup, JDG_YES);
  ck_assert_int_eq(s.list[0].ics.filter, JDG_UNKNOWN); /* silence is not "no" */
  ck_assert_uint_eq(s.list[0].ics.resources[0].suppress, JDG_SUPPRESS_4XX | JDG_SUPPRESS_5XX);
  ck_assert_int_eq(s.list[0].ics.resources[1].exists, JDG_NO);
  ck_assert(s.list[0].ics.groups_declared);
  ck_assert_str_eq(s.list[1].name, "c1");
  ck_assert(s.list[1].ics.msrd_declared && s.list[1].ics.nr_policy == JDG_NR_AUTHONLY);
  ck_assert(!s.list[2].has_address && s.list[2].name[0] == '\0');
  ck_assert_int_eq(s.list[2].ics.sixlowpan, JDG_NO);
  stm_free(&s);
  static const char bad[] = "c1: {leasure: 3s}\n";
  ck_assert(!stm_parse(&s, "i.yaml", bad, strlen(bad), &errors));
  ck_assert_str_eq(errors.list[0].message,
                   "unknown key \"leasure\" in a statement; did you mean \"leisure\"?");
  scn_errors_free(&errors);
}
END_TEST

START_TEST(paths_of_statements_are_those_of_requests) {
  static const char good[] = "c1: {resources: {/a b: {multicast: false}, '*': {}}}\n";
  static const char twice[] = "c1: {resources: {/a b: {}, /a%20b: {}}}\n";
  struct stm_statements s;
  struct scn_errors errors;
  scn_errors_init(&errors);
  ck_assert(stm_parse(&s, "i.yaml", good, strlen(good), &errors));
  ck_assert_str_eq(jdg_ics_find(&s.list[0].ics, "/a%20b")->path, "/a%20b");
  stm_free(&s);
  ck_assert(!stm_parse(&s, "i.yaml", twice, strlen(twice), &errors));
  ck_assert_str_eq(errors.list[0].message, "\"/a%20b\": there is a resource /a%20b already");
  scn_errors_free(&errors);
}
END_TEST

static bool same_resource(const struct jdg_ics_resource *a, const struct jdg_ics_resource *b) {
  return strcmp(a->path, b->path) == 0 && a->suppress == b->suppress &&
         a->suppress_declared == b->suppress_declared && a->no_response == b->no_response &&
         a->multicast == b->multicast && a->idempotent_post == b->idempotent_post &&
         a->exists == b->exists;
}

static bool same_flags(const struct jdg_ics *a, const struct jdg_ics *b) {
  return a->declared == b->declared && a->leisure_declared == b->leisure_declared &&
         a->dedup == b->dedup && a->nr_policy == b->nr_policy &&
         a->msrd_declared == b->msrd_declared && a->discovery == b->discovery &&
         a->filter == b->filter && a->mcast_aware == b->mcast_aware &&
         a->constrained == b->constrained && a->sixlowpan == b->sixlowpan &&
         a->internet == b->internet && a->secured == b->secured && a->boundary == b->boundary;
}

static bool same_numbers(const struct jdg_ics *a, const struct jdg_ics *b) {
  return a->leisure == b->leisure && a->processing == b->processing && a->msrd == b->msrd &&
         a->needed_scope == b->needed_scope && a->nstart == b->nstart &&
         a->group_size == b->group_size && a->group_rate == b->group_rate &&
         a->response_size == b->response_size;
}

static bool same_statement(const struct jdg_ics *a, const struct jdg_ics *b) {
  if (!same_flags(a, b) || !same_numbers(a, b)) return false;
  if (a->groups_declared != b->groups_declared || a->group_count != b->group_count) return false;
  if (a->resource_count != b->resource_count) return false;
  for (size_t i = 0; i < a->group_count; i++)
    if (!chorus_same_endpoint(&a->groups[i], &b->groups[i])) return false;
  for (size_t i = 0; i < a->resource_count; i++)
    if (!same_resource(&a->resources[i], &b->resources[i])) return false;
  return true;
}

/* Writes |ics| down, reads it back. */
static void assert_kept(const char *name, const struct jdg_ics *ics) {
  struct txt_buffer text = {0};
  struct stm_statements read;
  struct scn_errors errors;
  scn_errors_init(&errors);
  stm_write(&text, name, ics);
  ck_assert(stm_recognise(text.data, text.length));
  bool ok = stm_parse(&read, "written.yaml", text.data, text.length, &errors);
  ck_assert_msg(ok, "%s\n%s", ok ? "" : errors.list[0].message, text.data);
  ck_assert_uint_eq(read.count, 1);
  ck_assert_str_eq(read.list[0].name, name);
  ck_assert_msg(same_statement(ics, &read.list[0].ics), "%s", text.data);
  stm_free(&read);
  txt_free(&text);
  scn_errors_free(&errors);
}

START_TEST(statements_are_written_as_they_are_read) {
  static const char *const all =
      "x: {leisure: 2500ms, processing: 1ns, dedup: true, no-response-policy: authorised-only,\n"
      "  msrd: 30s, discovery: false, filter: true, multicast-aware: false, constrained: true,\n"
      "  6lowpan: false, internet: true, secured: false, boundary: true, needed-scope: 5,\n"
      "  nstart: 3, group-size: 20, group-rate: 18446744073709551615, response-size: 100,\n"
      "  groups: ['[ff35::1]:5683', '239.1.2.3:61616'], more-groups: true,\n"
      "  resources: {/a: {suppress: [], no-response: false},\n"
      "    /b: {suppress: [2xx, 4xx, 5xx, empty-2.05], multicast: true, exists: false},\n"
      "    '/\\\": {}%23': {idempotent-post: true}, '*': {exists: false}}}\n"
      "y: {}\nz: {groups: []}\n";
  struct stm_statements s;
  struct scn_errors errors;
  scn_errors_init(&errors);
  ck_assert(stm_parse(&s, "i.yaml", all, strlen(all), &errors));
  ck_assert_uint_eq(s.count, 3);
  ck_assert(s.list[0].ics.group_count == 2 && !s.list[0].ics.groups_declared);
  ck_assert(!s.list[1].ics.groups_declared && s.list[2].ics.groups_declared);
  for (size_t i = 0; i < s.count; i++) assert_kept(s.list[i].name, &s.list[i].ics);
  assert_kept("a \"name\": with {all}", &s.list[0].ics);
  ck_assert(!stm_recognise("# Statement", 11));
  stm_free(&s);
  scn_errors_free(&errors);
}
END_TEST

/* ---- event files ---- */

static bool read_log(const char *text, struct evt_log *log, char *message, size_t size) {
  char path[] = "/tmp/chorus-events-XXXXXX";
  int file = mkstemp(path);
  ck_assert_int_ge(file, 0);
  ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
  close(file);
  bool ok = evt_log_read(log, path, message, size);
  unlink(path);
  return ok;
}

START_TEST(events_are_read_back) {
  static const char text[] =
      "{\"time_ns\":5,\"node\":\"c1\",\"event\":\"deliver\",\"request\":\"q1\",\"peer\":\"[2001:"
      "db8::2]:5683\","
      "\"group\":true,\"type\":\"NON\",\"code\":\"2.05\",\"mid\":7,\"token\":\"0a0b\",\"payload\":"
      "\"6f6e\"}\n\n"
      "{\"time_ns\":6,\"node\":\"c1\",\"event\":\"done\",\"detail\":\"timeout\"}\n";
  struct evt_log log;
  char message[200];
  ck_assert(read_log(text, &log, message, sizeof message));
  ck_assert_uint_eq(log.count, 2);
  const struct chorus_event *e = &log.list[0].event;
  ck_assert_int_eq(e->type, CHORUS_EVENT_DELIVER);
  ck_assert(e->has_message && e->group && e->code == 0x45 && e->mid == 7 && e->message_type == 1);
  ck_assert_uint_eq(e->token_length, 2);
  ck_assert_uint_eq(e->payload_length, 2);
  ck_assert_uint_eq(e->peer.port, 5683);
  ck_assert_str_eq(log.list[1].event.detail, "timeout");
  evt_log_free(&log);
  ck_assert(!read_log("{\"time_ns\":5,\"node\":\"c1\",\"event\":\"delivr\"}\n", &log, message,
                      sizeof message));
  ck_assert_ptr_nonnull(strstr(message, ":1: no event that is known"));
  ck_assert(!read_log("{\"time_ns\":5\n", &log, message, sizeof message));
}
END_TEST

static const struct word_case {
  const char *value, *word;
} word_cases[] = {
    {"plain/path-1.yaml", "plain/path-1.yaml"},
    {"", "''"},
    {"a b", "'a b'"},
    {"it's", "'it'\\''s'"},
    {"$HOME;`x`\n", "'$HOME;`x`\n'"},
};

START_TEST(words_for_a_shell) {
  struct txt_buffer text = {0};
  txt_word(&text, word_cases[_i].value);
  ck_assert_str_eq(text.data, word_cases[_i].word);
  txt_free(&text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("results");
  TCase *tests = tcase_create("all");
  tcase_add_loop_test(tests, verdict_per_run, 0, (int)(sizeof decisions / sizeof *decisions));
  tcase_add_loop_test(tests, words_for_a_shell, 0, sizeof word_cases / sizeof *word_cases);
  tcase_add_test(tests, golden_summary);
  tcase_add_test(tests, golden_run);
  tcase_add_test(tests, texts_are_escaped);
  tcase_add_test(tests, a_full_disk_is_noticed);
  tcase_add_loop_test(tests, w20_waivers, 0, (int)(sizeof waived / sizeof *waived));
  tcase_add_test(tests, w20_other_versions_are_not_waived);
  tcase_add_test(tests, w20_a_problem_fails_the_whole);
  tcase_add_test(tests, wrong_waivers_are_explained);
  tcase_add_test(tests, statements);
  tcase_add_test(tests, statements_are_written_as_they_are_read);
  tcase_add_test(tests, paths_of_statements_are_those_of_requests);
  tcase_add_test(tests, events_are_read_back);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
