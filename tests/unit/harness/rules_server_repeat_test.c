/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on copies and repeats at servers (harness/rules/server_repeat.c). */
#include "server_fixture.h"

#define OTHER  "[2001:db8::d]:40000"
#define P(mid) NON(POST, mid, "aa", .path = "/open", .payload = "1")

static void runs(uint64_t ms, const char *client, int mid) {
  fx_at(&fx, ms);
  fx_event(&fx, s, CHORUS_EVENT_EXECUTE, client, NON(POST, mid, "aa"), "/open", NULL, 0);
}

static void copied(uint64_t again, bool executed) {
  serve(JDG_DIJK_03);
  ask(1000, P(1));
  runs(1000, CLIENT, 1);
  answer(3000, NON(CODE_204, 77, "aa"));
  ask(again, P(1));
  if (executed) runs(again, CLIENT, 1);
  end(again + 20000);
}

START_TEST(a_copy_is_dropped) {
  copied(11000, false);
  expect("GC-2.3.1-03", JDG_PASS);
  expect("GC-2.3.1-13", JDG_PASS);
}
END_TEST

START_TEST(a_copy_executed_deviates) {
  copied(11000, true);
  expect("GC-2.3.1-03", JDG_WARN);
  expect("GC-2.3.1-13", JDG_WARN);
}
END_TEST

START_TEST(just_before_the_lifetime_it_is_a_copy) {
  copied(1000 + 145000 - 1, true);
  expect("GC-2.3.1-03", JDG_WARN);
}
END_TEST

START_TEST(after_the_lifetime_it_is_a_new_message) {
  copied(1000 + 145000, true);
  expect("GC-2.3.1-03", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-13", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(without_deduplication_copies_may_be_executed) {
  ics.dedup = JDG_NO;
  copied(11000, true);
  expect("GC-2.3.1-03", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-13", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_restart_forgets_message_ids) {
  serve(JDG_DIJK_03);
  ask(1000, P(1));
  runs(1000, CLIENT, 1);
  restarts(5000);
  ask(11000, P(1));
  runs(11000, CLIENT, 1);
  end(40000);
  expect("GC-2.3.1-03", JDG_NOT_EXERCISED);
  expect("GC-2.3.1-13", JDG_NOT_EXERCISED);
}
END_TEST

static void answered_again(const struct fx_message *second) {
  serve(JDG_DIJK_03);
  ask(1000, P(1));
  answer(3000, NON(CODE_204, 77, "aa"));
  ask(11000, P(1));
  answer(13000, second);
  end(40000);
}

START_TEST(a_second_response_to_a_copy_deviates) {
  answered_again(NON(CODE_204, 78, "aa"));
  expect("GC-2.3.1-13", JDG_WARN);
}
END_TEST

START_TEST(the_same_response_again_does_not) {
  answered_again(NON(CODE_204, 77, "aa"));
  expect("GC-2.3.1-13", JDG_PASS);
}
END_TEST

static void two_clients(bool second_executed, bool second_answered) {
  serve(JDG_DIJK_03);
  joins(0, GROUP);
  ask(1000, P(1));
  runs(1000, CLIENT, 1);
  fx_at(&fx, 20000);
  fx_receive(&fx, s, OTHER, GROUP, P(1));
  if (second_executed) runs(20000, OTHER, 1);
  fx_at(&fx, 23000);
  if (second_answered) fx_send(&fx, s, SERVER, OTHER, NON(CODE_204, 78, "aa"));
  end(60000);
}

/* As a capture made elsewhere shows it: |again| is sent a second later, and both are answered. */
static void seen(enum jdg_tristate dedup, const struct fx_message *again) {
  static const char client[] = "[2001:db8::77]:50000", server[] = "[2001:db8::88]:5683";
  serve(JDG_DIJK_03);
  struct chorus_endpoint address = fx_endpoint(server);
  ics.dedup = dedup;
  jdg_expect_ics(fx.judge, NULL, &address, &ics);
  fx_see(&fx, client, GROUP, P(1));
  fx_at(&fx, 500);
  fx_see(&fx, server, client, NON(CODE_204, 77, "aa"));
  fx_at(&fx, 1000);
  fx_see(&fx, client, GROUP, again);
  fx_at(&fx, 1500);
  fx_see(&fx, server, client, NON(CODE_204, 78, "aa"));
  end(20000);
  s = fx_node_named(&fx, "2001:db8::88");
}

START_TEST(elsewhere_a_second_response_shows_a_copy_answered) {
  seen(JDG_YES, P(1));
  expect("GC-2.3.1-13", JDG_WARN);
  fx_free(&fx);
  seen(JDG_YES, P(2)); /* a repeat is another matter */
  expect("GC-2.3.1-13", JDG_NOT_EXERCISED);
  fx_free(&fx);
  seen(JDG_NO, P(1));
  expect("GC-2.3.1-13", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(another_clients_message_id_is_its_own) {
  two_clients(true, true);
  expect("GC-2.3.1-03", JDG_PASS);
}
END_TEST

START_TEST(another_clients_message_id_taken_for_a_copy_deviates) {
  two_clients(false, false);
  expect("GC-2.3.1-03", JDG_WARN);
}
END_TEST

START_TEST(an_error_response_shows_processing_too) {
  two_clients(false, true);
  expect("GC-2.3.1-03", JDG_PASS);
}
END_TEST

START_TEST(another_client_with_another_message_id_shows_nothing) {
  serve(JDG_DIJK_03);
  ask(1000, P(1));
  runs(1000, CLIENT, 1);
  fx_at(&fx, 20000);
  fx_receive(&fx, s, OTHER, GROUP, P(2));
  end(60000);
  expect("GC-2.3.1-03", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- GC-2.3.1-15 ---- */

enum trace { NOTHING, EXECUTED, SUPPRESSED, ANSWERED };

static void repeated(enum trace first, enum trace second) {
  const enum trace traces[] = {first, second};
  serve(JDG_DIJK_03);
  for (unsigned i = 0; i < 2; i++) {
    uint64_t at = 1000 + 20000 * i;
    ask(at, P(1 + (int)i));
    if (traces[i] == EXECUTED) runs(at, CLIENT, 1 + (int)i);
    if (traces[i] == SUPPRESSED) withholds(at, CODE_404, 1 + (int)i, "aa");
    if (traces[i] == ANSWERED) answer(at + 2000, NON(CODE_204, 77 + (int)i, "aa"));
  }
  end(60000);
}

START_TEST(a_repeat_is_executed_again) {
  repeated(EXECUTED, EXECUTED);
  expect("GC-2.3.1-15", JDG_PASS);
}
END_TEST

START_TEST(a_repeat_ignored_deviates) {
  repeated(EXECUTED, NOTHING);
  expect("GC-2.3.1-15", JDG_WARN);
}
END_TEST

START_TEST(a_repeat_that_fails_was_processed) {
  repeated(EXECUTED, SUPPRESSED);
  expect("GC-2.3.1-15", JDG_PASS);
}
END_TEST

START_TEST(without_events_the_response_tells) {
  repeated(ANSWERED, ANSWERED);
  expect("GC-2.3.1-15", JDG_PASS);
}
END_TEST

START_TEST(without_events_silence_tells) {
  repeated(ANSWERED, NOTHING);
  expect("GC-2.3.1-15", JDG_WARN);
}
END_TEST

START_TEST(a_first_message_is_no_repeat) {
  serve(JDG_DIJK_03);
  ask(1000, P(1));
  runs(1000, CLIENT, 1);
  end(40000);
  expect("GC-2.3.1-15", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_repeat_after_leaving_is_not_for_this_server) {
  serve(JDG_DIJK_03);
  joins(1, GROUP);
  ask(1000, P(1));
  runs(1000, CLIENT, 1);
  fx_at(&fx, 20000);
  fx_event(&fx, s, CHORUS_EVENT_LEAVE, GROUP, NULL, NULL, NULL, 0);
  ask(21000, P(2));
  end(60000);
  expect("GC-2.3.1-15", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_copy_is_dropped,
      a_copy_executed_deviates,
      just_before_the_lifetime_it_is_a_copy,
      after_the_lifetime_it_is_a_new_message,
      without_deduplication_copies_may_be_executed,
      a_restart_forgets_message_ids,
      a_second_response_to_a_copy_deviates,
      the_same_response_again_does_not,
      elsewhere_a_second_response_shows_a_copy_answered,
      another_clients_message_id_is_its_own,
      another_clients_message_id_taken_for_a_copy_deviates,
      an_error_response_shows_processing_too,
      another_client_with_another_message_id_shows_nothing,
      a_repeat_is_executed_again,
      a_repeat_ignored_deviates,
      a_repeat_that_fails_was_processed,
      without_events_the_response_tells,
      without_events_silence_tells,
      a_first_message_is_no_repeat,
      a_repeat_after_leaving_is_not_for_this_server,
      NULL,
  };
  return run_tests("repeat rules", tests);
}
