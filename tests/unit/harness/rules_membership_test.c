/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on group addresses and ports (harness/rules/membership.c). */
#include "server_fixture.h"

#define V4_CLIENT "192.0.2.9:40000"
#define V4_SERVER "192.0.2.1:5683"
#define V4_GROUP  "239.1.2.3:5683"

static void group_of_statement(const char *group) {
  ics.groups[ics.group_count++] = fx_endpoint(group);
}

/* One request to |group|; answered if |mid| is not 0. */
static void exchange(const char *group, int mid) {
  serve(JDG_DIJK_03);
  ask_to(1000, group, NON(GET, 1, "aa", .path = "/open"));
  if (mid) answer(3000, NON(CODE_205, mid, "aa"));
  end(20000);
}

START_TEST(a_member_answers) {
  exchange(GROUP, 77);
  expect("GC-2.1-01", JDG_PASS);
  expect("GC-2.2.2-01", JDG_PASS);
  expect("GC-2.3.2-01", JDG_PASS);
  expect("GC-2.4.1-01", JDG_PASS);
  expect("GC-2.4.2-01", JDG_NOT_EXERCISED);
  expect("GC-2.3.2-09", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_silent_member_deviates) {
  exchange(GROUP, 0);
  expect("GC-2.1-01", JDG_WARN);
  expect("GC-2.2.2-01", JDG_WARN);
  expect("GC-2.3.2-01", JDG_WARN);
  expect("GC-2.4.1-01", JDG_WARN);
  expect("GC-2.3.2-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(another_port_is_not_the_default_port) {
  group_of_statement("[ff35::3]:61616");
  exchange("[ff35::3]:61616", 0);
  expect("GC-2.3.2-01", JDG_WARN);
  expect("GC-2.2.2-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_stranger_keeps_quiet) {
  exchange(GROUP_2, 0);
  expect("GC-2.1-01", JDG_PASS);
  expect("GC-2.3.2-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_stranger_that_answers_deviates) {
  exchange(GROUP_2, 77);
  expect("GC-2.1-01", JDG_WARN);
}
END_TEST

/* In a capture made elsewhere, of a server that states its groups. */
static void seen_elsewhere(const char *group) {
  const struct chorus_endpoint server = fx_endpoint("[2001:db8::88]:0");
  serve(JDG_DIJK_03);
  jdg_expect_ics(fx.judge, NULL, &server, &ics);
  fx_see(&fx, "[2001:db8::77]:50000", group, NON(GET, 1, "aa", .path = "/open"));
  fx_at(&fx, 3000);
  fx_see(&fx, "[2001:db8::88]:5683", "[2001:db8::77]:50000", NON(CODE_205, 77, "aa"));
  end(20000);
  s = fx_node_named(&fx, "2001:db8::88");
}

START_TEST(elsewhere_the_statement_tells_a_stranger) {
  const struct {
    const char *group;
    enum jdg_verdict verdict;
  } cases[] = {
      {GROUP, JDG_PASS},
      {GROUP_2, JDG_WARN},
      {"[ff35::1]:61616", JDG_WARN},
      {"[ff05::fd]:5683", JDG_NOT_EXERCISED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) fx_free(&fx);
    seen_elsewhere(cases[i].group);
    expect("GC-2.1-01", cases[i].verdict);
  }
  fx_free(&fx);
  ics.groups_declared = false;
  seen_elsewhere(GROUP_2);
  expect("GC-2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(unknown_membership_is_not_judged) {
  ics.groups_declared = false;
  exchange(GROUP_2, 77);
  expect("GC-2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(all_coap_nodes_need_no_statement) {
  exchange("[ff02::fd]:5683", 77);
  expect("GC-2.1-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(who_left_owes_nothing) {
  serve(JDG_DIJK_03);
  joins(1, GROUP);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  fx_at(&fx, 1500);
  fx_event(&fx, s, CHORUS_EVENT_LEAVE, GROUP, NULL, NULL, NULL, 0);
  end(20000);
  expect("GC-2.3.2-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(ipv4_groups_count_for_ipv4) {
  group_of_statement(V4_GROUP);
  serve(JDG_DIJK_03);
  fx_at(&fx, 1000);
  fx_receive(&fx, s, V4_CLIENT, V4_GROUP, NON(GET, 1, "aa", .path = "/open"));
  fx_at(&fx, 3000);
  fx_send(&fx, s, V4_SERVER, V4_CLIENT, NON(CODE_205, 77, "aa"));
  end(20000);
  expect("GC-2.4.2-01", JDG_PASS);
  expect("GC-2.4.1-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_silent_ipv4_member_deviates) {
  group_of_statement(V4_GROUP);
  serve(JDG_DIJK_03);
  fx_at(&fx, 1000);
  fx_receive(&fx, s, V4_CLIENT, V4_GROUP, NON(GET, 1, "aa", .path = "/open"));
  end(20000);
  expect("GC-2.4.2-01", JDG_WARN);
}
END_TEST

/* GC-2.3.2-02: another server answers, or does not; and so does this one, or not. */
static void two_servers(bool other, bool own) {
  serve(JDG_DIJK_03);
  uint32_t s2 = fx_node(&fx, "s2", "[2001:db8::2]:5683");
  jdg_set_ics(fx.judge, s2, &ics);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  fx_receive(&fx, s2, CLIENT, GROUP, NON(GET, 1, "aa", .path = "/open"));
  fx_at(&fx, 2000);
  if (other) fx_send(&fx, s2, "[2001:db8::2]:5683", CLIENT, NON(CODE_205, 5, "aa"));
  if (own) answer(3000, NON(CODE_205, 77, "aa"));
  end(20000);
}

START_TEST(all_members_at_one_port) {
  two_servers(true, true);
  expect("GC-2.3.2-02", JDG_PASS);
}
END_TEST

START_TEST(a_member_at_another_port_fails) {
  two_servers(true, false);
  expect("GC-2.3.2-02", JDG_FAIL);
}
END_TEST

START_TEST(one_member_alone_shows_nothing) {
  two_servers(false, true);
  expect("GC-2.3.2-02", JDG_NOT_EXERCISED);
}
END_TEST

/* GC-2.3.2-06 */
START_TEST(an_unserved_port_is_discarded) {
  exchange("[ff35::1]:5699", 0);
  expect("GC-2.3.2-06", JDG_PASS);
  expect("GC-2.4.1-06", JDG_PASS);
}
END_TEST

START_TEST(an_unserved_port_that_answers_deviates) {
  exchange("[ff35::1]:5699", 77);
  expect("GC-2.3.2-06", JDG_WARN);
}
END_TEST

START_TEST(an_unserved_port_that_executes_deviates) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff35::1]:5699", NON(GET, 1, "aa", .path = "/open"));
  executes(1000, 1, "aa");
  end(20000);
  expect("GC-2.3.2-06", JDG_WARN);
}
END_TEST

START_TEST(an_unserved_address_is_another_matter) {
  exchange("[ff35::2]:5699", 0);
  expect("GC-2.3.2-06", JDG_NOT_EXERCISED);
}
END_TEST

/* GC-2.3.2-09 */
START_TEST(the_secure_port_is_ignored) {
  exchange("[ff35::1]:5684", 0);
  expect("GC-2.3.2-09", JDG_PASS);
}
END_TEST

START_TEST(a_response_from_the_secure_port_fails) {
  exchange("[ff35::1]:5684", 77);
  expect("GC-2.3.2-09", JDG_FAIL);
}
END_TEST

START_TEST(executing_from_the_secure_port_fails) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff35::1]:5684", NON(PUT, 1, "aa", .path = "/open"));
  says(1000, CHORUS_EVENT_EXECUTE, NON(PUT, 1, "aa"));
  end(20000);
  expect("GC-2.3.2-09", JDG_FAIL);
}
END_TEST

START_TEST(joining_at_the_secure_port_fails) {
  serve(JDG_DIJK_03);
  joins(1, "[ff35::1]:5684");
  end(20000);
  expect("GC-2.3.2-09", JDG_FAIL);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_member_answers,
      a_silent_member_deviates,
      another_port_is_not_the_default_port,
      a_stranger_keeps_quiet,
      a_stranger_that_answers_deviates,
      elsewhere_the_statement_tells_a_stranger,
      unknown_membership_is_not_judged,
      all_coap_nodes_need_no_statement,
      who_left_owes_nothing,
      ipv4_groups_count_for_ipv4,
      a_silent_ipv4_member_deviates,
      all_members_at_one_port,
      a_member_at_another_port_fails,
      one_member_alone_shows_nothing,
      an_unserved_port_is_discarded,
      an_unserved_port_that_answers_deviates,
      an_unserved_port_that_executes_deviates,
      an_unserved_address_is_another_matter,
      the_secure_port_is_ignored,
      a_response_from_the_secure_port_fails,
      executing_from_the_secure_port_fails,
      joining_at_the_secure_port_fails,
      NULL,
  };
  return run_tests("membership rules", tests);
}
