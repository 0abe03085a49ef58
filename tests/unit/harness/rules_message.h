/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of message rules share: a client, a server and a tester, and what they say. */
#ifndef CHORUS_TESTS_RULES_MESSAGE_H
#define CHORUS_TESTS_RULES_MESSAGE_H

#include "check_run.h"
#include "judge_fixture.h"

#define CLIENT  "[2001:db8::c]:40000"
#define SERVER  "[2001:db8::1]:5683"
#define TESTER  "[2001:db8::7]:5683"
#define GROUP   "[ff35::1]:5683"
#define MEDIUM1 "[2001:db8::77]:50000" /* hosts of a capture made elsewhere */
#define MEDIUM2 "[2001:db8::88]:5683"

static struct fx fx;
static uint32_t c, s, t;

static void setup(void) {
  fx_open(&fx, JDG_DIJK_03);
  c = fx_node(&fx, "c1", CLIENT);
  s = fx_node(&fx, "s1", SERVER);
  t = fx_tester(&fx, "tester", TESTER);
}

static void teardown(void) {
  fx_free(&fx);
}

static inline void declare(uint32_t node, void (*change)(struct jdg_ics *)) {
  struct jdg_ics ics;
  jdg_ics_default(&ics);
  ics.declared = true;
  change(&ics);
  jdg_set_ics(fx.judge, node, &ics);
}

/* The node says something by which it can be seen to have events. */
static inline void note(uint32_t node) {
  fx_event(&fx, node, CHORUS_EVENT_NOTE, NULL, NULL, NULL, "here", 0);
}

/* Ends the run, and expects this verdict. */
#define EXPECT(rule, node, verdict)                                                         \
  do {                                                                                      \
    fx_close_at(&fx, fx.now / FX_MS + 400000);                                              \
    ck_assert_msg(fx_verdict(&fx, rule, node) == (verdict), "%s is %s, not %s: %s", rule,   \
                  jdg_verdict_name(fx_verdict(&fx, rule, node)), jdg_verdict_name(verdict), \
                  first_finding(rule, node));                                               \
  } while (0)

static inline const char *first_finding(const char *rule, uint32_t node) {
  const struct jdg_result *r = fx_result(&fx, rule, node);
  return r && r->finding_count ? r->findings[0].actual : "";
}

/* A frame of the tester to the server, at the server. */
static inline void to_server(const char *from, const char *to, const struct fx_message *m) {
  fx_send(&fx, t, from, to, m);
  fx_receive(&fx, s, from, to, m);
}

static inline void later(uint64_t ms) {
  fx.now += ms * FX_MS;
}

static inline int run_suite(Suite *suite) {
  return check_run(suite);
}

static inline TCase *new_case(Suite *suite, const char *name) {
  TCase *tests = tcase_create(name);
  tcase_add_checked_fixture(tests, setup, teardown);
  suite_add_tcase(suite, tests);
  return tests;
}

#endif
