/* SPDX-License-Identifier: BSD-2-Clause */
/* The runner: determinism, expectations, the closing sweep, and what makes a run an error. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_run.h"
#include "rules/rules.h"
#include "run/fuzz.h"
#include "run/offline.h"
#include "run/results.h"
#include "run/run.h"
#include "run/set.h"
#include "run/tester.h"
#include "text/text.h"

#define HEAD                                                                              \
  "id: x\ntitle: t\nnetwork:\n  groups: {$g: \"[ff35::1]\"}\n%s"                          \
  "nodes:\n  c1: {role: client, msrd: 30s}\n"                                             \
  "  s: {role: server, count: 2, groups: [$g], resources: {/light: {payload: \"on\"}}}\n" \
  "  t: {role: tester}\n"                                                                 \
  "steps:\n  - {at: 0s, node: c1, request: {id: q1, uri: \"coap://$g/light\"}}\n%s"

static struct run_engine *engine;
static struct scn_scenario *scenario;
static struct run_outcome outcome;

static void begin(void) {
  engine = run_engine_new();
}

static void end(void) {
  run_engine_free(engine);
  scn_free(scenario);
  scenario = NULL;
}

static void load(const char *text) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct scn_file *file = scn_file_parse("x.yaml", text, strlen(text), &errors);
  scn_errors_print(&errors, stderr);
  ck_assert_ptr_nonnull(file);
  scn_free(scenario);
  scenario = scn_load(file, NULL, NULL, 0, &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  scn_file_free(file);
  ck_assert_ptr_nonnull(scenario);
}

static void execute(uint64_t seed, const struct run_hooks *hooks) {
  struct run_options options = {.seed = seed, .record = true, .hooks = hooks};
  ck_assert(run_execute(engine, scenario, &options, &outcome));
}

/* Runs the scenario above with |network| and |rest| filled in. */
static void run(const char *network, const char *rest) {
  struct txt_buffer text = {0};
  txt_print(&text, HEAD, network, rest);
  load(text.data);
  txt_free(&text);
  execute(1, NULL);
}

static const struct run_item *bad_item(void) {
  for (size_t i = 0; i < outcome.item_count; i++)
    if (outcome.items[i].verdict != JDG_PASS) return &outcome.items[i];
  return NULL;
}

static char *capture_octets(size_t *size) {
  char *octets = NULL;
  FILE *stream = open_memstream(&octets, size);
  ck_assert_int_eq(cap_writer_save_stream(outcome.capture, stream), CAP_OK);
  fclose(stream);
  return octets;
}

START_TEST(twice_the_same) {
  size_t sizes[3], lengths[3];
  char *octets[3], *events[3];
  for (int i = 0; i < 3; i++) {
    if (i == 1) { /* something else in between must not matter */
      struct txt_buffer text = {0};
      run_fuzz_scenario(3, &text);
      load(text.data);
      txt_free(&text);
      execute(3, NULL);
    }
    run("  impairments: [{loss: 20%, optional: true}]\n", "expect: [{request: q1, times: 0..}]\n");
    if (i == 2) execute(2, NULL);
    octets[i] = capture_octets(&sizes[i]);
    events[i] = strdup(outcome.events);
    lengths[i] = outcome.events_length;
  }
  ck_assert_uint_eq(sizes[0], sizes[1]);
  ck_assert_mem_eq(octets[0], octets[1], sizes[0]);
  ck_assert_uint_eq(lengths[0], lengths[1]);
  ck_assert_mem_eq(events[0], events[1], lengths[0]);
  ck_assert_str_ne(events[0], events[2]); /* another seed, another run */
  for (int i = 0; i < 3; i++) {
    free(octets[i]);
    free(events[i]);
  }
}
END_TEST

START_TEST(a_run_that_passes) {
  run("",
      "covers: [GC-2.3.1-22]\nexpect:\n  - {request: q1, from: s, each: 1, code: 2.05, within: "
      "6s}\n"
      "  - {executes: {node: s, each: 1}}\n  - {never: {type: RST}}\n"
      "  - {packet: {from: c1, group: true}, times: 1}\n");
  ck_assert_ptr_null(bad_item());
  ck_assert_int_eq(outcome.verdict, JDG_PASS);
  ck_assert_uint_eq(outcome.trace_total, 3);
  ck_assert_uint_eq(outcome.trace[0].delivery_count, 2);
  ck_assert_uint_eq(outcome.trace[0].frame, 1);
}
END_TEST

/* Expectations that do not hold, and what is said (W13: omission is noticed). */
static const struct {
  const char *network, *expect, *expected, *actual;
} failing[] = {
    {"  impairments: [{from: c1, to: s2, loss: 100%}]\n",
     "expect: [{request: q1, from: s, each: 1}]\n", "1 from each", "0 from s2"},
    {"", "expect: [{request: q1, from: s, each: 2}]\n", "2 from each", "1 from s1, 1 from s2"},
    {"", "expect: [{request: q1, from: s, times: 0}]\n", "0", "2"},
    {"", "expect: [{never: {from: s, code: 2.05}}]\n", "0", "2"},
    {"", "expect: [{event: done, request: q1, detail: timeout, times: 2}]\nend: 30s\n", "2", "1"},
    {"", "expect: [{executes: {node: s1, method: PUT}}]\n", "1 or more",
     "0 (nearest: s1: GET seen"},
    {"", "expect: [{request: q1, from: s1, times: 1, code: 4.04}]\n", "1",
     "0 (nearest: s1: 2.05 delivered"},
    {"", "expect: [{request: q1, from: s, each: 1, within: 1ns}]\n", "1 from each",
     "0 from s1, 0 from s2 (nearest"},
};

START_TEST(expectations_fail) {
  run(failing[_i].network, failing[_i].expect);
  const struct run_item *item = bad_item();
  ck_assert_ptr_nonnull(item);
  ck_assert_int_eq(outcome.verdict, JDG_FAIL);
  ck_assert_int_eq(item->kind, RUN_EXPECTATION);
  ck_assert_str_eq(item->expected, failing[_i].expected);
  ck_assert_msg(strncmp(item->actual, failing[_i].actual, strlen(failing[_i].actual)) == 0, "%s",
                item->actual);
  ck_assert_uint_gt(item->line, 0);
}
END_TEST

/* Rules that the profile does not ask are no reason to pass; what else decides still does. */
static const struct {
  const char *network, *rest;
  enum jdg_verdict seed_draft, rfc7390;
} unasked[] = {
    {"", "covers: [GC-2.3.1-38]\n", JDG_PASS, JDG_UNSUPPORTED},
    {"", "covers: [GC-2.3.1-38, COAP-3-01]\n", JDG_PASS, JDG_PASS},
    {"", "covers: [GC-2.3.1-38]\nexpect: [{request: q1, from: s, each: 1}]\n", JDG_PASS, JDG_PASS},
    {"", "covers: [GC-2.3.1-38]\nexpect: [{request: q1, from: s, each: 2}]\n", JDG_FAIL, JDG_FAIL},
    {"  impairments: [{from: s2, to: s1, loss: 100%}]\n", "covers: [GC-2.3.1-38]\n", JDG_ERROR,
     JDG_ERROR},
};

START_TEST(what_the_profile_does_not_ask) {
  struct run_options options = {.seed = 1, .record = true, .profile = JDG_RFC7390};
  run(unasked[_i].network, unasked[_i].rest);
  ck_assert_int_eq(outcome.verdict, unasked[_i].seed_draft);
  ck_assert(run_execute(engine, scenario, &options, &outcome));
  ck_assert_int_eq(outcome.verdict, unasked[_i].rfc7390);
  const struct run_item *item = NULL;
  for (size_t i = 0; i < outcome.item_count; i++)
    if (outcome.items[i].verdict == JDG_UNSUPPORTED) item = &outcome.items[i];
  ck_assert_ptr_nonnull(item);
  ck_assert_str_eq(item->text, "covers GC-2.3.1-38");
  ck_assert_str_eq(item->actual, "not asked by rfc7390");
}
END_TEST

/* W4: a rule that had to look and did not makes the run an error. */
START_TEST(w4_required_rule_not_exercised) {
  run("", "covers: [GC-2.3.1-12]\nexpect: [{request: q1}]\n");
  const struct run_item *item = bad_item();
  ck_assert_int_eq(outcome.verdict, JDG_ERROR);
  ck_assert_int_eq(item->kind, RUN_REQUIRED);
  ck_assert_str_eq(item->text, "covers GC-2.3.1-12");
  ck_assert_str_eq(item->actual, "not exercised");
}
END_TEST

/* W18: an impairment that hit nothing makes the run an error, unless it may. */
START_TEST(w18_unused_impairment) {
  run("  impairments: [{from: c1, to: s1, drop: [99]}]\n", "expect: [{request: q1}]\n");
  const struct run_item *item = bad_item();
  ck_assert_int_eq(outcome.verdict, JDG_ERROR);
  ck_assert_str_eq(item->actual, "none: impairment unused");
  ck_assert_uint_eq(item->line, 5);
  run("  impairments: [{from: c1, to: s1, drop: [99], optional: true}]\n",
      "expect: [{request: q1}]\n");
  ck_assert_int_eq(outcome.verdict, JDG_PASS);
}
END_TEST

START_TEST(a_step_that_the_node_does_not_take) {
  run("", "  - {at: 100s, node: c1, forget: {of: q1}}\nexpect: [{request: q1}]\n");
  ck_assert_int_eq(outcome.verdict, JDG_ERROR);
  ck_assert_str_eq(bad_item()->text, "forget of node c1");
  run("", "  - {at: 100s, node: c1, optional: true, forget: {of: q1}}\nexpect: [{request: q1}]\n");
  ck_assert_int_eq(outcome.verdict, JDG_PASS);
}
END_TEST

/* ---- a node that sends what nobody asked for ---- */

struct chatterbox {
  struct chorus_node inner;
  const struct chorus_host *host;
};

static int chatter_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct chatterbox *c = node;
  c->host = host;
  return c->inner.ops->start(c->inner.state, now, host);
}

static void chatter_datagram(void *node, chorus_time now, const struct chorus_datagram *d) {
  static const uint8_t stray[] = {0x50, 0x45, 0x77, 0x77};
  struct chatterbox *c = node;
  struct chorus_datagram out = {.destination = d->source, .payload = stray, .length = sizeof stray};
  out.source.port = CHORUS_COAP_PORT;
  c->host->ops->send(c->host->context, &out);
  c->inner.ops->datagram(c->inner.state, now, d);
}

static void chatter_wake(void *node, chorus_time now) {
  struct chatterbox *c = node;
  c->inner.ops->wake(c->inner.state, now);
}

static const struct chorus_node_ops chatter_ops = {
    .start = chatter_start, .datagram = chatter_datagram, .wake = chatter_wake};

static struct chorus_node wrap(void *context, const struct scn_node *node,
                               struct chorus_node inner) {
  struct chatterbox *c = context;
  if (strcmp(node->name, "s1") != 0) return inner;
  c->inner = inner;
  return (struct chorus_node){.ops = &chatter_ops, .state = c};
}

START_TEST(w13_unexpected_packets) {
  struct chatterbox chatterbox = {.host = NULL};
  struct run_hooks hooks = {.context = &chatterbox, .wrap = wrap};
  run("", "expect: [{request: q1}]\n");
  ck_assert_int_eq(outcome.verdict, JDG_PASS);
  execute(1, &hooks);
  bool found = false;
  for (size_t i = 0; i < outcome.item_count; i++) {
    const struct run_item *item = &outcome.items[i];
    if (item->kind != RUN_SWEEP || item->verdict != JDG_FAIL) continue;
    found = true;
    ck_assert_ptr_nonnull(strstr(item->actual, "1; the first: s1 sent NON 2.05"));
    ck_assert_uint_gt(item->frame, 0);
  }
  ck_assert(found);
}
END_TEST

static void slow_leisure(void *context, const struct scn_node *node,
                         struct ref_server_config *config) {
  (*(unsigned *)context)++;
  if (strcmp(node->name, "s2") == 0) config->leisure = 20 * CHORUS_SECOND;
}

/* The statement is made before the configuration is changed, so the change is a deviation. */
START_TEST(hooks_change_configurations) {
  unsigned calls = 0;
  struct run_hooks hooks = {.context = &calls, .server = slow_leisure};
  run("", "expect: [{request: q1, from: s, each: 1, within: 6s}]\nend: 30s\n");
  ck_assert_int_eq(outcome.verdict, JDG_PASS);
  bool late = false;
  for (uint64_t seed = 1; seed < 20 && !late; seed++) {
    execute(seed, &hooks);
    late = outcome.verdict == JDG_FAIL;
  }
  ck_assert(late);
  ck_assert_uint_ge(calls, 2);
}
END_TEST

static bool always(void *context) {
  (void)context;
  return true;
}

START_TEST(an_interrupt_ends_the_run) {
  run("", "expect: [{request: q1}]\n");
  struct run_options options = {.seed = 1, .record = true, .interrupted = always};
  ck_assert(run_execute(engine, scenario, &options, &outcome));
  ck_assert(outcome.interrupted);
  ck_assert_int_eq(outcome.verdict, JDG_ERROR);
}
END_TEST

/* ---- the tester ---- */

START_TEST(messages_are_built_as_asked) {
  static const uint8_t path[] = "a", value[300] = {7};
  struct scn_option options[] = {{11, 1, path}, {65000, 300, value}};
  struct scn_message m = {.version = 1,
                          .type_from = SCN_GIVEN,
                          .type = 0,
                          .code = 1,
                          .token_from = SCN_GIVEN,
                          .token = {1, 2},
                          .token_length = 2,
                          .token_length_field = -1,
                          .mid_from = SCN_GIVEN,
                          .mid = 0x1234,
                          .options = options,
                          .option_count = 2,
                          .payload = path,
                          .payload_length = 1,
                          .marker = true};
  uint8_t out[400];
  uint16_t mid = 5;
  static const uint8_t head[] = {0x42, 1, 0x12, 0x34, 1, 2, 0xb1, 'a', 0xee, 0xfc, 0xd0, 0, 31};
  size_t length = run_build_message(&m, NULL, &mid, out, sizeof out);
  ck_assert_uint_eq(length, sizeof head + 300 + 2);
  ck_assert_mem_eq(out, head, sizeof head);
  ck_assert_uint_eq(out[length - 2], 0xff);
  ck_assert_uint_eq(mid, 5);
  ck_assert_uint_eq(run_build_message(&m, NULL, &mid, out, 20), 0); /* does not fit */
}
END_TEST

START_TEST(answers_copy_from_what_came_in) {
  struct run_received con = {.type = 0, .token_length = 2, .token = {9, 8}, .mid = 77};
  struct scn_message m = {.version = 1, .code = 0x45, .token_length_field = -1};
  uint8_t out[20];
  uint16_t mid = 5;
  static const uint8_t ack[] = {0x62, 0x45, 0, 77, 9, 8}, non[] = {0x52, 0x45, 0, 5, 9, 8};
  ck_assert_uint_eq(run_build_message(&m, &con, &mid, out, sizeof out), 6);
  ck_assert_mem_eq(out, ack, 6);
  con.type = 1;
  ck_assert_uint_eq(run_build_message(&m, &con, &mid, out, sizeof out), 6);
  ck_assert_mem_eq(out, non, 6);
  ck_assert_uint_eq(mid, 6);
}
END_TEST

START_TEST(testers_lie_about_their_source) {
  run("",
      "  - {at: 1s, node: t, send: {to: $s1, from: \"$s2:5683\", message: {code: GET, mid: 1, "
      "uri-path: "
      "/light}}}\nexpect:\n  - {packet: {from: s1, to: s2, code: 2.05}, times: 1}\n"
      "  - {packet: {from: t}, times: 1}\n");
  ck_assert_ptr_null(bad_item());
}
END_TEST

/* ---- random scenarios ---- */

START_TEST(random_scenarios_load_and_hold) {
  for (uint64_t seed = 1000; seed < 1060; seed++) {
    struct txt_buffer text = {0}, again = {0};
    run_fuzz_scenario(seed, &text);
    run_fuzz_scenario(seed, &again);
    ck_assert_str_eq(text.data, again.data);
    load(text.data);
    struct run_options options = {.seed = seed};
    ck_assert(run_execute(engine, scenario, &options, &outcome));
    const struct run_item *item = bad_item();
    ck_assert_msg(outcome.verdict == JDG_PASS || outcome.verdict == JDG_INCONCLUSIVE,
                  "seed %llu: %s %s", (unsigned long long)seed, item ? item->text : "",
                  item && item->actual ? item->actual : "");
    txt_free(&text);
    txt_free(&again);
  }
}
END_TEST

/*
 * The scenarios of a seed are the same on every compiler: this runs as gcc and as clang built it.
 * A changed generator changes the number.
 */
START_TEST(random_scenarios_are_the_same_everywhere) {
  uint64_t digest = 0;
  for (uint64_t seed = 1; seed <= 500; seed++) {
    struct txt_buffer text = {0};
    run_fuzz_scenario(seed, &text);
    digest = run_digest(digest, text.data, text.length);
    txt_free(&text);
  }
  ck_assert_uint_eq(digest, UINT64_C(8309243455171849061));
}
END_TEST

/* ---- the same verdicts from the files as during the run ---- */

/* Everything that the judge said, as text. */
static void verdicts(struct judge *judge, struct txt_buffer *out) {
  for (size_t i = 0; i < jdg_result_count(judge); i++) {
    const struct jdg_result *r = jdg_result_get(judge, i);
    if (!jdg_node_judged(judge, r->node)) continue;
    txt_print(out, "%s %s %s %llu\n", jdg_node_name(judge, r->node), r->rule->id,
              jdg_verdict_name(r->verdict), (unsigned long long)r->activations);
  }
}

static void judge_files(const char *folder, struct txt_buffer *out) {
  char capture[64], events[64], message[200] = "";
  struct jdg_config config = {.profile = JDG_DIJK_03};
  struct judge *judge = jdg_new(&config);
  struct evt_log log;
  snprintf(capture, sizeof capture, "%s/x.pcapng", folder);
  snprintf(events, sizeof events, "%s/x.jsonl", folder);
  ck_assert_int_eq(cap_writer_save(outcome.capture, capture), CAP_OK);
  ck_assert(run_write_file(events, outcome.events, outcome.events_length));
  ck_assert(evt_log_read(&log, events, message, sizeof message));
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct run_companions companions = {.log = &log, .errors = &errors};
  ck_assert_int_eq(run_judge_capture(judge, capture, &companions, message, sizeof message),
                   CAP_END);
  ck_assert_uint_eq(errors.total, 0);
  scn_errors_free(&errors);
  verdicts(judge, out);
  evt_log_free(&log);
  jdg_free(judge);
  unlink(capture);
  unlink(events);
}

START_TEST(offline_as_online) {
  char folder[] = "/tmp/chorus-offline-XXXXXX";
  ck_assert_ptr_nonnull(mkdtemp(folder));
  for (uint64_t seed = 2000; seed < 2040; seed++) {
    struct txt_buffer text = {0}, online = {0}, offline = {0};
    run_fuzz_scenario(seed, &text);
    load(text.data);
    execute(seed, NULL);
    verdicts(outcome.judge, &online);
    judge_files(folder, &offline);
    ck_assert_str_eq(online.data, offline.data);
    txt_free(&text);
    txt_free(&online);
    txt_free(&offline);
  }
  rmdir(folder);
}
END_TEST

START_TEST(the_lattice) {
  static const enum jdg_verdict order[] = {JDG_NOT_EXERCISED, JDG_PASS, JDG_WARN,
                                           JDG_INCONCLUSIVE,  JDG_FAIL, JDG_ERROR};
  for (size_t a = 0; a < 6; a++)
    for (size_t b = 0; b < 6; b++)
      ck_assert_int_eq(run_worst(order[a], order[b]), order[a > b ? a : b]);
  ck_assert_int_eq(run_worst(JDG_WAIVED, JDG_FAIL), JDG_FAIL);
  ck_assert_int_eq(run_worst(JDG_UNSUPPORTED, JDG_PASS), JDG_PASS);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("runner");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, begin, end);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, twice_the_same);
  tcase_add_test(tests, a_run_that_passes);
  tcase_add_loop_test(tests, expectations_fail, 0, (int)(sizeof failing / sizeof *failing));
  tcase_add_loop_test(tests, what_the_profile_does_not_ask, 0, sizeof unasked / sizeof *unasked);
  tcase_add_test(tests, w4_required_rule_not_exercised);
  tcase_add_test(tests, w18_unused_impairment);
  tcase_add_test(tests, a_step_that_the_node_does_not_take);
  tcase_add_test(tests, w13_unexpected_packets);
  tcase_add_test(tests, hooks_change_configurations);
  tcase_add_test(tests, an_interrupt_ends_the_run);
  tcase_add_test(tests, messages_are_built_as_asked);
  tcase_add_test(tests, answers_copy_from_what_came_in);
  tcase_add_test(tests, testers_lie_about_their_source);
  tcase_add_test(tests, random_scenarios_load_and_hold);
  tcase_add_test(tests, random_scenarios_are_the_same_everywhere);
  tcase_add_test(tests, offline_as_online);
  tcase_add_test(tests, the_lattice);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
