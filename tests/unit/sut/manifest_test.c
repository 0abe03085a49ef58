/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of manifests: what it makes of a file, and what it says of a wrong one. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "check_run.h"
#include "sut/internal.h"

#define HEAD   "name: x\nversion: \"1\"\nrung: d\n"
#define SERVER "roles:\n  server:\n    start: [a]\n"

static struct scn_errors errors;

static void begin(void) {
  scn_errors_init(&errors);
}

static void end(void) {
  scn_errors_free(&errors);
}

static struct sut_manifest *parse(const char *text) {
  return sut_parse("/tmp/x.yaml", text, strlen(text), "/stacks", &errors);
}

/* The manifest is wrong at this place, and this is said. */
static void complains(const char *text, uint32_t line, uint32_t column, const char *message) {
  scn_errors_free(&errors);
  ck_assert_ptr_null(parse(text));
  for (size_t i = 0; i < errors.count; i++)
    if (strstr(errors.list[i].message, message)) {
      ck_assert_uint_eq(errors.list[i].line, line);
      ck_assert_uint_eq(errors.list[i].column, column);
      return;
    }
  ck_abort_msg("nobody says \"%s\"; the first message: %s", message,
               errors.count ? errors.list[0].message : "none");
}

START_TEST(a_whole_manifest) {
  struct sut_manifest *m = parse(
      "name: aiocoap\nversion: [python3, -V]\nsetup: ./setup\nrung: d\nfaketime: true\n"
      "roles:\n  server:\n    start: [\"{stacks}/a\", \"{manifest}/b.py\", \"{port}\"]\n"
      "    environment: {A: \"{name}\", B: 1}\n    ready: {timeout: 5s}\n"
      "    stop: {signal: INT, within: 1s}\n    join: helper\n"
      "    verbs: {set: [path, payload], restart: [], wait: [for]}\n    kinds: [state, fixed]\n"
      "    features: [suppress, leisure]\n    ip: [6]\n    groups: 8\n"
      "waivers:\n  - {rule: GC-2.3.1-02, reason: r, link: l, expires: 2027-01-31}\n");
  ck_assert_ptr_nonnull(m);
  const struct sut_part *p = sut_part_for(m, SCN_SERVER);
  ck_assert_str_eq(m->folder, "/tmp");
  ck_assert_str_eq(m->setup, "/tmp/./setup");
  ck_assert(m->faketime && m->rung == SUT_PROGRAM);
  ck_assert_str_eq(m->version_command[1], "-V");
  ck_assert_ptr_null(sut_part_for(m, SCN_CLIENT));
  ck_assert_str_eq(p->start[2], "{port}");
  ck_assert_ptr_null(p->start[3]);
  ck_assert_uint_eq(p->environment_count, 2);
  ck_assert_uint_eq(p->ready_timeout, 5 * CHORUS_SECOND);
  ck_assert_int_eq(p->stop_signal, SIGINT);
  ck_assert(p->join_helper && p->adapter && p->ip6 && !p->ip4 && p->any_resource);
  ck_assert_uint_eq(p->kinds, 1u << REF_RESOURCE_STATE | 1u << REF_RESOURCE_FIXED);
  ck_assert_uint_eq(p->features, SUT_SUPPRESS | SUT_LEISURE);
  ck_assert_uint_eq(p->groups, 8);
  ck_assert(sut_verb_takes(sut_verb_find(p, "set"), "payload"));
  ck_assert(!sut_verb_takes(sut_verb_find(p, "set"), "code"));
  ck_assert_ptr_null(sut_verb_find(p, "join"));
  sut_free(m);
}
END_TEST

START_TEST(defaults) {
  struct sut_manifest *m = parse(HEAD SERVER);
  ck_assert_ptr_nonnull(m);
  const struct sut_part *p = sut_part_for(m, SCN_SERVER);
  ck_assert(p->adapter && p->ready == SUT_READY_ADAPTER && p->ip4 && p->ip6);
  ck_assert_uint_eq(p->ready_timeout, 20 * CHORUS_SECOND);
  ck_assert_uint_eq(p->stop_within, 10 * CHORUS_SECOND);
  ck_assert_int_eq(p->stop_signal, 0);
  ck_assert_uint_eq(p->features, 0);
  sut_free(m);
}
END_TEST

START_TEST(an_unmodified_program) {
  struct sut_manifest *m = parse(HEAD SERVER
                                 "    protocol: none\n    ready: {coap: /x}\n"
                                 "    resources: {/x: {payload: \"on\", methods: [GET]}}\n");
  ck_assert_ptr_nonnull(m);
  const struct sut_part *p = sut_part_for(m, SCN_SERVER);
  ck_assert(!p->adapter && p->ready == SUT_READY_COAP && !p->any_resource);
  ck_assert_int_eq(p->stop_signal, SIGTERM);
  ck_assert_uint_eq(p->resource_count, 1);
  ck_assert_str_eq(p->resources[0].path, "/x");
  sut_free(m);
}
END_TEST

START_TEST(mistakes_have_a_place) {
  complains("name: x\n", 1, 1, "needs a version");
  complains("name: x\nversion: \"1\"\nrung: c\nroles: {}\n", 3, 7, "\"c\" is no rung");
  complains(HEAD "roles: {}\n", 4, 8, "no role at all");
  complains("nam: x\n", 1, 1, "did you mean \"name\"?");
  complains(HEAD "roles:\n  servr: {start: [a]}\n", 5, 3, "did you mean \"server\"?");
  complains(HEAD "roles:\n  server: {}\n", 5, 11, "needs start");
  complains(HEAD "roles:\n  server: {start: a}\n", 5, 19, "has to be a list");
  complains(HEAD "roles:\n  server: {start: []}\n", 5, 19, "name of a program");
  complains(HEAD "roles:\n  server: {start: [\"{stack}/a\"]}\n", 5, 20, "{stacks}?");
  complains(HEAD SERVER "    features: [supress]\n", 7, 16, "did you mean \"suppress\"?");
  complains(HEAD SERVER "    kinds: [states]\n", 7, 13, "did you mean \"state\"?");
  complains(HEAD SERVER "    verbs: {sett: []}\n", 7, 13, "did you mean \"set\"?");
  complains(HEAD SERVER "    verbs: {set: [payloat]}\n", 7, 19, "did you mean \"payload\"?");
  complains(HEAD SERVER "    ip: [5]\n", 7, 10, "no IP version");
  complains(HEAD SERVER "    ready: {output: \"(\"}\n    protocol: none\n", 7, 21, "no regular");
  complains(HEAD SERVER "    ready: {output: a}\n", 7, 12, "says itself");
  complains(HEAD SERVER "    stop: {within: 2}\n", 7, 20, "not a duration");
  complains(HEAD SERVER "    stop: {signal: TREM}\n", 7, 20, "did you mean \"TERM\"?");
  complains(HEAD SERVER "    statement: {leisur: 5s}\n", 7, 17, "did you mean \"leisure\"?");
  complains(HEAD SERVER "    resources: all\n", 7, 16, "resources is any");
  complains(HEAD SERVER "    library: ./x.so\n", 7, 14, "library is for rung a");
}
END_TEST

START_TEST(roles_and_rungs_go_together) {
  complains("name: x\nversion: \"1\"\nrung: a\n" SERVER, 6, 12, "rung a has a library");
  complains("name: x\nversion: \"1\"\nrung: b\nfaketime: yes\n" SERVER, 4, 11, "is for rung d");
  complains("name: x\nversion: \"1\"\nrung: b\n" SERVER "    protocol: none\n", 7, 15,
            "live by the protocol");
  complains("name: x\nversion: \"1\"\nrung: b\n" SERVER "    join: helper\n", 7, 11, "rung d");
  complains(HEAD "roles:\n  client:\n    start: [a]\n", 6, 5, "a client needs verbs");
  complains(HEAD "roles:\n  client:\n    start: [a]\n    verbs: {request: [uri]}\n", 7, 12,
            "id and uri");
  complains(HEAD "roles:\n  client:\n    start: [a]\n    join: self\n", 7, 5, "unknown key");
  complains(HEAD "faketime: true\n" SERVER, 7, 5, "needs the verb wait: [for]");
  complains(HEAD SERVER "    resources: {/a: {}}\n    map: {state: /b}\n", 8, 18,
            "map names one of resources");
}
END_TEST

START_TEST(waivers_are_checked_and_handed_on) {
  complains(HEAD SERVER "waivers: [{rule: GC-9, reason: r, link: l, expires: 2027-01-31}]\n", 7, 18,
            "there is no rule");
  complains(HEAD SERVER "waivers: [{rule: GC-1-01, reason: r, expires: 2027-01-31}]\n", 7, 11,
            "needs link");
  complains(HEAD SERVER "waivers: [{rule: GC-1-01, reason: r, link: l, expires: 2027-13-31}]\n", 7,
            56, "is no date");
  scn_errors_free(&errors);
  struct sut_manifest *m =
      parse(HEAD SERVER "waivers: [{rule: GC-1-01, reason: r, link: l, expires: 2027-01-31}]\n");
  ck_assert_ptr_nonnull(m);
  char *text = sut_waivers_text(m);
  json_t *list = json_loads(text, 0, NULL);
  ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "sut")), "x");
  json_decref(list);
  free(text);
  sut_free(m);
}
END_TEST

START_TEST(placeholders_are_filled_in) {
  struct scn_arena *arena = scn_arena_new();
  struct sut_places places = {.manifest = "/m", .port = "5683", .name = "s1"};
  ck_assert_str_eq(sut_fill_in(arena, "{manifest}/a{port}{name}", &places), "/m/a5683s1");
  ck_assert_str_eq(sut_fill_in(arena, "{\"a\": 1} {} {", &places), "{\"a\": 1} {} {");
  ck_assert_str_eq(sut_fill_in(arena, "{group}", &places), "{group}");
  ck_assert_str_eq(sut_fill_in(arena, "", &places), "");
  scn_arena_free(arena);
}
END_TEST

START_TEST(versions_come_from_commands) {
  char text[64], why[200];
  struct sut_manifest *m =
      parse("name: x\nversion: [sh, -c, \"echo 4.3.5; echo more\"]\nrung: d\n" SERVER);
  ck_assert(sut_version(m, text, sizeof text, why, sizeof why));
  ck_assert_str_eq(text, "4.3.5");
  sut_free(m);
  m = parse("name: x\nversion: [sh, -c, \"echo broken >&2; exit 3\"]\nrung: d\n" SERVER);
  ck_assert(!sut_version(m, text, sizeof text, why, sizeof why));
  ck_assert_ptr_nonnull(strstr(why, "status 3"));
  ck_assert_ptr_nonnull(strstr(why, "broken"));
  sut_free(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("manifest");
  TCase *tests = tcase_create("manifest");
  tcase_add_checked_fixture(tests, begin, end);
  tcase_add_test(tests, a_whole_manifest);
  tcase_add_test(tests, defaults);
  tcase_add_test(tests, an_unmodified_program);
  tcase_add_test(tests, mistakes_have_a_place);
  tcase_add_test(tests, roles_and_rungs_go_together);
  tcase_add_test(tests, waivers_are_checked_and_handed_on);
  tcase_add_test(tests, placeholders_are_filled_in);
  tcase_add_test(tests, versions_come_from_commands);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
