/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on the All CoAP Nodes groups (harness/rules/all_nodes.c). */
#include "server_fixture.h"

#define DISCOVER(mid) NON(GET, mid, "aa", .path = "/.well-known/core")
#define LINKS         .options = {{DIS_CONTENT_FORMAT, "28"}}, .payload = "</a>"

static void serve_groups(const char *const *groups) {
  serve(JDG_DIJK_03);
  for (; *groups; groups++) joins(0, *groups);
}

START_TEST(all_groups_joined) {
  const char *const groups[] = {
      "[ff02::fd]:5683", "[ff03::fd]:5683", "[ff04::fd]:5683", "[ff05::fd]:5683", GROUP, NULL};
  ics.sixlowpan = JDG_YES;
  serve_groups(groups);
  end(1000);
  expect("GC-2.3.2-10", JDG_PASS);
  expect("GC-2.4.1-03", JDG_PASS);
  expect("GC-2.4.1-04", JDG_PASS);
  expect("GC-2.4.1-05", JDG_PASS);
  expect("COAP-8-01", JDG_PASS);
  expect("GC-2.4.2-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(the_wrong_port_is_not_served) {
  const char *const groups[] = {"[ff02::fd]:61616", "[ff04::fd]:61616", "[ff05::fd]:61616", NULL};
  serve_groups(groups);
  end(1000);
  expect("GC-2.3.2-10", JDG_FAIL);
  expect("GC-2.4.1-03", JDG_FAIL);
  expect("GC-2.4.1-04", JDG_WARN);
  expect("COAP-8-01", JDG_WARN);
}
END_TEST

START_TEST(each_missing_scope_is_named) {
  const char *const groups[] = {"[ff02::fd]:5683", NULL};
  ics.sixlowpan = JDG_YES;
  serve_groups(groups);
  end(1000);
  expect("GC-2.3.2-10", JDG_PASS);
  expect("GC-2.4.1-04", JDG_WARN);
  expect("GC-2.4.1-05", JDG_WARN);
  ck_assert_uint_eq(fx_result(&fx, "GC-2.4.1-04", s)->finding_count, 2);
}
END_TEST

START_TEST(admin_local_is_the_drafts_wish_only) {
  const char *const groups[] = {"[ff02::fd]:5683", "[ff05::fd]:5683", NULL};
  serve_groups(groups);
  end(1000);
  expect("GC-2.4.1-04", JDG_WARN);
  expect("COAP-8-01", JDG_PASS);
  expect("GC-2.4.1-05", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(without_discovery_nothing_is_asked) {
  const char *const groups[] = {GROUP, NULL};
  ics.discovery = JDG_NO;
  serve_groups(groups);
  end(1000);
  expect("GC-2.3.2-10", JDG_NOT_EXERCISED);
  expect("GC-2.4.1-03", JDG_NOT_EXERCISED);
  expect("GC-2.4.1-04", JDG_NOT_EXERCISED);
  expect("COAP-8-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_node_that_reports_no_joins_is_not_judged) {
  serve(JDG_DIJK_03);
  executes(10, 1, "aa");
  end(1000);
  expect("GC-2.3.2-10", JDG_NOT_EXERCISED);
  expect("GC-2.4.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(answers_show_membership) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff05::fd]:5683", DISCOVER(1));
  answer(3000, NON(CODE_205, 77, "aa", LINKS));
  end(20000);
  expect("GC-2.3.2-10", JDG_PASS);
  expect("GC-2.4.1-03", JDG_PASS);
  expect("GC-2.4.1-04", JDG_PASS);
  expect("COAP-8-01", JDG_PASS);
}
END_TEST

START_TEST(answers_at_another_port_do_not) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff05::fd]:61616", DISCOVER(1));
  answer(3000, NON(CODE_205, 77, "aa", LINKS));
  end(20000);
  expect("GC-2.3.2-10", JDG_NOT_EXERCISED);
  expect("GC-2.4.1-04", JDG_NOT_EXERCISED);
}
END_TEST

/* Silence of a member: proves nothing, unless the server promised to answer, or executed. */
static void silent_discovery(bool executed) {
  ics.groups[ics.group_count++] = fx_endpoint("[ff02::fd]:5683");
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff02::fd]:5683", DISCOVER(1));
  if (executed) executes(1000, 1, "aa");
  end(20000);
}

START_TEST(silence_is_inconclusive) {
  resource("/.well-known/core", JDG_SUPPRESS_EMPTY_205, JDG_YES);
  silent_discovery(false);
  expect("GC-2.3.2-10", JDG_INCONCLUSIVE);
}
END_TEST

START_TEST(a_broken_promise_fails) {
  resource("/.well-known/core", 0, JDG_YES);
  silent_discovery(false);
  expect("GC-2.3.2-10", JDG_FAIL);
  expect("GC-2.4.1-03", JDG_FAIL);
}
END_TEST

START_TEST(an_execution_shows_that_it_was_served) {
  resource("/.well-known/core", 0, JDG_YES);
  silent_discovery(true);
  expect("GC-2.3.2-10", JDG_PASS);
}
END_TEST

static void serve_ipv4(const char *group) {
  fx_open(&fx, JDG_DIJK_03);
  c = fx_tester(&fx, "c1", "192.0.2.9");
  s = fx_node(&fx, "s1", "192.0.2.1");
  jdg_set_ics(fx.judge, s, &ics);
  joins(0, group);
  end(1000);
}

START_TEST(ipv4_has_a_group_of_its_own) {
  serve_ipv4("224.0.1.187:5683");
  expect("GC-2.4.2-02", JDG_PASS);
  expect("GC-2.3.2-10", JDG_PASS);
  expect("COAP-8-01", JDG_PASS);
  expect("GC-2.4.1-03", JDG_NOT_EXERCISED);
  expect("GC-2.4.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(all_hosts_is_not_all_coap_nodes) {
  serve_ipv4("224.0.0.1:5683");
  expect("GC-2.4.2-02", JDG_FAIL);
  expect("COAP-8-01", JDG_WARN);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      all_groups_joined,
      the_wrong_port_is_not_served,
      each_missing_scope_is_named,
      admin_local_is_the_drafts_wish_only,
      without_discovery_nothing_is_asked,
      a_node_that_reports_no_joins_is_not_judged,
      answers_show_membership,
      answers_at_another_port_do_not,
      silence_is_inconclusive,
      a_broken_promise_fails,
      an_execution_shows_that_it_was_served,
      ipv4_has_a_group_of_its_own,
      all_hosts_is_not_all_coap_nodes,
      NULL,
  };
  return run_tests("All CoAP Nodes rules", tests);
}
