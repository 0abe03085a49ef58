/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of rules on servers: a client c1 and a server s1 with a statement. s1 is a member of
 * GROUP and knows the resources
 *
 *   /open     answers everything, does not honour No-Response
 *   /nr       answers everything, honours No-Response
 *   /quiet    suppresses 2.xx by default, honours No-Response
 *   /empty    suppresses empty 2.05 by default
 *   /unicast  not enabled for group requests
 *   others    do not exist; 4.xx answered
 *
 *   START_TEST(...) { serve(JDG_DIJK_03); ask(0, NON(...)); answer(100, NON(...)); end(20000);
 *                     expect("GC-1-01", JDG_PASS); } END_TEST
 */
#ifndef CHORUS_TESTS_SERVER_FIXTURE_H
#define CHORUS_TESTS_SERVER_FIXTURE_H

#include "check_run.h"
#include "judge_fixture.h"

#define CLIENT           "[2001:db8::c]:40000"
#define SERVER           "[2001:db8::1]:5683"
#define GROUP            "[ff35::1]:5683"
#define GROUP_2          "[ff35::2]:5683"
#define NO_RESPONSE(hex) .options = {{DIS_NO_RESPONSE, hex}}

static struct fx fx;
static uint32_t c, s;
static struct jdg_ics ics;

static inline struct jdg_ics_resource *resource(const char *path, uint32_t suppress,
                                                enum jdg_tristate no_response) {
  struct jdg_ics_resource *r = &ics.resources[ics.resource_count++];
  snprintf(r->path, sizeof r->path, "%s", path);
  r->suppress = suppress;
  r->suppress_declared = true;
  r->no_response = no_response;
  r->multicast = JDG_YES;
  r->exists = JDG_YES;
  return r;
}

/* The statement of s1, to be changed by tests before serve(). */
static inline void state(void) {
  jdg_ics_default(&ics);
  ics.declared = true;
  ics.leisure_declared = JDG_YES;
  ics.dedup = ics.discovery = ics.filter = ics.mcast_aware = JDG_YES;
  ics.groups[0] = fx_endpoint(GROUP);
  ics.group_count = 1;
  ics.groups_declared = true;
  resource("/open", 0, JDG_NO);
  resource("/nr", 0, JDG_YES);
  resource("/quiet", JDG_SUPPRESS_2XX, JDG_YES);
  resource("/empty", JDG_SUPPRESS_EMPTY_205, JDG_NO);
  resource("/unicast", 0, JDG_NO)->multicast = JDG_NO;
  resource("*", 0, JDG_NO)->exists = JDG_NO;
}

static inline struct jdg_ics_resource *stated(const char *path) {
  for (size_t i = 0; i < ics.resource_count; i++)
    if (strcmp(ics.resources[i].path, path) == 0) return &ics.resources[i];
  ck_abort_msg("no resource %s", path);
}

static inline void serve(enum jdg_profile profile) {
  fx_open(&fx, profile);
  c = fx_tester(&fx, "c1", CLIENT);
  s = fx_node(&fx, "s1", SERVER);
  jdg_set_ics(fx.judge, s, &ics);
}

/* A request of c1 to |to|, sent and received at |ms|. */
static inline void ask_to(uint64_t ms, const char *to, const struct fx_message *m) {
  fx_at(&fx, ms);
  fx_send(&fx, c, CLIENT, to, m);
  fx_receive(&fx, s, CLIENT, to, m);
}

static inline void ask(uint64_t ms, const struct fx_message *m) {
  ask_to(ms, GROUP, m);
}

static inline void answer(uint64_t ms, const struct fx_message *m) {
  fx_at(&fx, ms);
  fx_send(&fx, s, SERVER, CLIENT, m);
}

/* The application of s1 reports a message of c1; |m| has the outcome's code where there is one. */
static inline void says(uint64_t ms, enum chorus_event_type type, const struct fx_message *m) {
  fx_at(&fx, ms);
  fx_event(&fx, s, type, CLIENT, m, m->path, NULL, 0);
}

static inline void withholds(uint64_t ms, int code, int mid, const char *token) {
  says(ms, CHORUS_EVENT_SUPPRESS, NON(code, mid, token));
}

static inline void executes(uint64_t ms, int mid, const char *token) {
  says(ms, CHORUS_EVENT_EXECUTE, NON(GET, mid, token));
}

static inline void joins(uint64_t ms, const char *group) {
  fx_at(&fx, ms);
  fx_event(&fx, s, CHORUS_EVENT_JOIN, group, NULL, NULL, NULL, 0);
}

static inline void restarts(uint64_t ms) {
  fx_at(&fx, ms);
  fx_event(&fx, s, CHORUS_EVENT_RESTART, NULL, NULL, NULL, NULL, 0);
}

static inline void end(uint64_t ms) {
  fx_close_at(&fx, ms);
}

#define expect(rule, verdict) expect_at(rule, verdict, __LINE__)
static inline void expect_at(const char *rule, enum jdg_verdict verdict, int line) {
  enum jdg_verdict got = fx_verdict(&fx, rule, s);
  const struct jdg_result *r = fx_result(&fx, rule, s);
  const char *actual = r && r->finding_count ? r->findings[0].actual : "no finding";
  ck_assert_msg(got == verdict, "line %d: %s is %s, not %s (%s)", line, rule, jdg_verdict_name(got),
                jdg_verdict_name(verdict), actual);
}

static inline void server_setup(void) {
  memset(&ics, 0, sizeof ics);
  state();
}

static inline void server_teardown(void) {
  fx_free(&fx);
}

/* Runs all tests of a file; |tests| ends with NULL. */
static inline int run_tests(const char *name, const TTest *const *tests) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  tcase_add_checked_fixture(tcase, server_setup, server_teardown);
  tcase_set_timeout(tcase, 60);
  for (; *tests; tests++) tcase_add_test(tcase, *tests);
  suite_add_tcase(suite, tcase);
  return check_run(suite);
}

#endif
