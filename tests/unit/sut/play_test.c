/* SPDX-License-Identifier: BSD-2-Clause */
/* What a manifest can play, and what the judge is told of the stack. */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "run/run.h"
#include "scenario/arena.h"
#include "sut/sut.h"

#define NODES                                                                      \
  "id: x\ntitle: t\ncovers: [GC-1-01]\nnetwork: {groups: {$g: \"[ff35::1]\", $p: " \
  "\"[ff35::2]:61616\"}}\nnodes:\n  c1: {role: client, msrd: 30s}\n  t1: {role: tester}\n"
#define PLAIN PLAIN_WITH("")
#define PLAIN_WITH(more)                                                     \
  NODES                                                                      \
  "  s1: {role: server, groups: [$g], resources: {/a: {payload: \"on\"" more \
  "}}}\nsteps:\n"                                                            \
  "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$g/a\"}}\n"

static struct scn_errors errors;

static struct sut_manifest *manifest(const char *more) {
  char text[2000];
  snprintf(text, sizeof text,
           "name: x\nversion: \"1\"\nrung: b\nroles:\n  server:\n    start: [a]\n%s", more);
  struct sut_manifest *m = sut_parse("/tmp/x.yaml", text, strlen(text), NULL, &errors);
  ck_assert_msg(m != NULL, "%s", errors.count ? errors.list[0].message : "");
  return m;
}

static struct scn_scenario *scenario(const char *text) {
  struct scn_file *file = scn_file_parse("x.yaml", text, strlen(text), &errors);
  ck_assert_msg(file != NULL, "%s", errors.count ? errors.list[0].message : "");
  struct scn_scenario *s = scn_load(file, NULL, NULL, 0, &errors);
  scn_file_free(file);
  ck_assert_ptr_nonnull(s);
  return s;
}

/* NULL in |gap|: it can be played. */
static void plays(const char *more, const char *text, const char *gap, uint32_t line) {
  struct sut_manifest *m = manifest(more);
  struct scn_scenario *s = scenario(text);
  struct sut_gap found;
  bool can = sut_can_play(m, SCN_SERVER, s, &found);
  ck_assert_msg(can == (gap == NULL), "%s: %s", more, found.text);
  if (gap) {
    ck_assert_msg(strstr(found.text, gap) != NULL, "\"%s\" instead of \"%s\"", found.text, gap);
    ck_assert_uint_eq(found.line, line);
  }
  scn_free(s);
  sut_free(m);
}

START_TEST(what_everybody_can_play) {
  plays("", PLAIN, NULL, 0);
  plays("    ip: [4]\n", PLAIN, "does not declare IPv6", 0);
  plays("    groups: 0\n", PLAIN, "more than 0 groups", 8);
  plays("    kinds: [counter]\n", PLAIN, "kind state (/a)", 8);
  plays("    methods: [GET]\n", PLAIN, "all methods of /a", 8);
}
END_TEST

START_TEST(steps_ask_for_verbs_and_arguments) {
  static const char text[] = PLAIN "  - {at: 1s, node: s1, set: {path: /a, payload: x}}\n";
  plays("", text, "the verb set", 11);
  plays("    verbs: {set: [path]}\n", text, "the argument payload of set", 11);
  plays("    verbs: {set: [path, payload]}\n", text, NULL, 0);
}
END_TEST

START_TEST(configuration_asks_for_features) {
  static const char sup[] =
      NODES "  s1: {role: server, resources: {/a: {suppress: [2xx]}}}\nsteps: []\n";
  static const char slow[] =
      NODES "  s1: {role: server, resources: {/a: {processing: 3s}}}\nsteps: []\n";
  static const char port[] = NODES "  s1: {role: server, groups: [$p]}\nsteps: []\n";
  static const char leisure[] = NODES "  s1: {role: server, leisure: 1s}\nsteps: []\n";
  plays("", sup, "suppress (/a)", 8);
  plays("    features: [suppress]\n", sup, NULL, 0);
  plays("", slow, "separate (/a)", 8);
  plays("", port, "port 61616", 8);
  plays("    features: [ports]\n", port, NULL, 0);
  plays("", leisure, "5000 ms instead of 1000 ms", 8);
  plays("    statement: {leisure: 1s}\n", leisure, NULL, 0);
  plays("    statement: {leisure: 9s}\n", PLAIN, "9000 ms instead of 5000 ms", 8);
}
END_TEST

START_TEST(options_ask_for_features) {
  static const char nr[] =
      PLAIN "  - {at: 1s, node: c1, request: {id: r, uri: \"coap://$g/a\", no-response: 2}}\n";
  static const char core[] =
      PLAIN "  - {at: 1s, node: c1, request: {id: r, uri: \"coap://$g/.well-known/core?rt=x\"}}\n";
  static const char sent[] = PLAIN
      "  - {at: 1s, node: t1, send: {to: $g, message: {code: GET, options: [no-response: 2]}}}\n";
  plays("", nr, "no-response (/a)", 11);
  plays("", sent, "no-response (/a)", 11);
  plays("    features: [no-response]\n", nr, NULL, 0);
  plays("", core, "discovery", 11);
  plays("    features: [discovery]\n", core, "filter", 11);
  plays("    features: [discovery, filter]\n", core, NULL, 0);
}
END_TEST

START_TEST(copies_ask_for_what_the_stack_states) {
  static const char twice[] = PLAIN
      "  - {at: 1s, node: t1, send: {to: $g, message: {code: GET, mid: 7}}}\n"
      "  - {at: 2s, node: t1, send: {to: $g, message: {code: GET, mid: 7}}}\n";
  plays("    statement: {dedup: false}\n", PLAIN, NULL, 0);
  plays("    statement: {dedup: false}\n", twice, "dedup: it would be false", 12);
  plays("    statement: {dedup: true}\n", twice, NULL, 0);
}
END_TEST

START_TEST(fixed_resources_have_to_fit) {
  plays("    resources: {/a: {payload: \"on\"}}\n", PLAIN, NULL, 0);
  plays("    resources: {/b: {payload: \"on\"}}\n", PLAIN, "a resource /a", 8);
  plays("    resources: {/a: {payload: \"off\"}}\n", PLAIN, "/a as the scenario wants it", 8);
  plays("    resources: {/a: {kind: counter}}\n", PLAIN, "/a as the scenario wants it", 8);
}
END_TEST

static struct jdg_ics ics_in(const char *text, const char *more) {
  struct sut_manifest *m = manifest(more);
  struct scn_scenario *s = scenario(text);
  struct jdg_ics ics;
  run_ics(s, &s->nodes[2], &ics);
  sut_ics(m, SCN_SERVER, &ics);
  scn_free(s);
  sut_free(m);
  return ics;
}

#define OWN "    resources: {/time: {methods: [GET]}}\n    map: {state: /time}\n"

START_TEST(one_plain_resource_stands_for_another) {
  struct sut_manifest *m = manifest(OWN);
  struct scn_scenario *s = scenario(PLAIN);
  struct scn_arena *arena = scn_arena_new();
  struct sut_gap gap;
  ck_assert(!sut_can_play(m, SCN_SERVER, s, &gap));
  const struct scn_scenario *mapped = sut_mapped(m, s, arena);
  ck_assert_ptr_ne(mapped, s);
  ck_assert_str_eq(mapped->nodes[2].server.resources[0].path, "/time");
  const char *uri = chorus_argument_get(&mapped->steps[0].command, "uri");
  ck_assert_ptr_nonnull(strstr(uri, "[ff35::1]"));
  ck_assert_str_eq(strrchr(uri, '/'), "/time");
  ck_assert_str_eq(s->nodes[2].server.resources[0].path, "/a");
  ck_assert(sut_can_play(m, SCN_SERVER, mapped, &gap));
  scn_arena_free(arena);
  scn_free(s);
  sut_free(m);
}
END_TEST

static void stays(const char *text) {
  struct sut_manifest *m = manifest(OWN);
  struct scn_scenario *s = scenario(text);
  struct scn_arena *arena = scn_arena_new();
  ck_assert_ptr_eq(sut_mapped(m, s, arena), s);
  scn_arena_free(arena);
  scn_free(s);
  sut_free(m);
}

/* What the one does not allow, more than one, and what is not plain. */
START_TEST(nothing_else_stands_for_another) {
  stays(PLAIN "  - {at: 1s, node: c1, request: {id: q2, uri: \"coap://$g/a\", method: PUT}}\n");
  stays(NODES
        "  s1: {role: server, groups: [$g], resources: {/a: {}, /b: {}}}\nsteps:\n"
        "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$g/a\"}}\n");
  stays(NODES
        "  s1: {role: server, groups: [$g], resources: {/a: {suppress: [2xx]}}}\nsteps:\n"
        "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$g/a\"}}\n");
  stays(NODES
        "  s1: {role: server, groups: [$g], resources: {/a: {kind: counter}}}\nsteps:\n"
        "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$g/a\"}}\n");
}
END_TEST

static struct jdg_ics ics_of(const char *more) {
  return ics_in(PLAIN, more);
}

START_TEST(what_is_not_followed_is_not_known) {
  struct jdg_ics ics = ics_of("");
  ck_assert_int_eq(ics.leisure_declared, JDG_UNKNOWN);
  ck_assert_int_eq(ics.dedup, JDG_UNKNOWN);
  ck_assert_int_eq(ics.discovery, JDG_UNKNOWN);
  ck_assert(!ics.groups_declared);
  ck_assert_uint_eq(ics.group_count, 1);
  ck_assert_int_eq(jdg_ics_find(&ics, "/a")->no_response, JDG_UNKNOWN);
  ics = ics_of("    features: [leisure, dedup, discovery, no-response]\n");
  ck_assert_int_eq(ics.leisure_declared, JDG_YES);
  ck_assert_int_eq(ics.dedup, JDG_YES);
  ck_assert_int_eq(jdg_ics_find(&ics, "/a")->no_response, JDG_YES);
  ck_assert_uint_eq(ics.group_count, 5);
}
END_TEST

/* That a resource ignores No-Response is the stack's to state, whatever the scenario wants. */
START_TEST(an_ignored_option_is_stated_or_not_known) {
  static const char deaf[] = PLAIN_WITH(", no-response: false");
  struct jdg_ics ics = ics_in(deaf, "    features: [no-response]\n");
  ck_assert_int_eq(jdg_ics_find(&ics, "/a")->no_response, JDG_UNKNOWN);
}
END_TEST

START_TEST(the_statement_wins) {
  struct jdg_ics ics = ics_of(
      "    features: [leisure, dedup]\n    statement: {leisure: 3s, dedup: "
      "false, resources: {/a: {no-response: false}, \"*\": {exists: true}}, "
      "groups: [\"[ff35::9]\"]}\n");
  ck_assert_uint_eq(ics.leisure, 3 * CHORUS_SECOND);
  ck_assert_int_eq(ics.dedup, JDG_NO);
  ck_assert_int_eq(jdg_ics_find(&ics, "/a")->no_response, JDG_NO);
  ck_assert_int_eq(jdg_ics_find(&ics, "/other")->exists, JDG_YES);
  ck_assert_uint_eq(ics.group_count, 1);
  ck_assert_uint_eq(ics.groups[0].address[15], 9);
}
END_TEST

static void begin(void) {
  scn_errors_init(&errors);
}

static void end(void) {
  scn_errors_free(&errors);
}

int main(void) {
  Suite *suite = suite_create("play");
  TCase *tests = tcase_create("play");
  tcase_add_checked_fixture(tests, begin, end);
  tcase_add_test(tests, what_everybody_can_play);
  tcase_add_test(tests, steps_ask_for_verbs_and_arguments);
  tcase_add_test(tests, configuration_asks_for_features);
  tcase_add_test(tests, options_ask_for_features);
  tcase_add_test(tests, copies_ask_for_what_the_stack_states);
  tcase_add_test(tests, fixed_resources_have_to_fit);
  tcase_add_test(tests, one_plain_resource_stands_for_another);
  tcase_add_test(tests, nothing_else_stands_for_another);
  tcase_add_test(tests, what_is_not_followed_is_not_known);
  tcase_add_test(tests, an_ignored_option_is_stated_or_not_known);
  tcase_add_test(tests, the_statement_wins);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
