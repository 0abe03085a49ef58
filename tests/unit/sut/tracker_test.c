/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of programs that do not know Tokens and Message IDs get them from packets. */
#include "sut/tracker.h"

#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "chorus/endpoint_text.h"

/* NON GET, Message ID 0x1234, Token 77, Uri-Path "a"; and the response to it with payload "on". */
static const uint8_t request[] = {0x51, 0x01, 0x12, 0x34, 0x77, 0xb1, 'a'};
static const uint8_t response[] = {0x51, 0x45, 0xab, 0xcd, 0x77, 0xff, 'o', 'n'};

static struct sut_tracker tracker;
static struct chorus_endpoint group, server, client;

static void begin(void) {
  memset(&tracker, 0, sizeof tracker);
  ck_assert(chorus_endpoint_parse("[ff35::1]", 5683, &group));
  ck_assert(chorus_endpoint_parse("[2001:db8::2]", 5683, &server));
  ck_assert(chorus_endpoint_parse("[2001:db8::1]:40000", 0, &client));
}

static void end(void) {
  sut_tracker_free(&tracker);
}

static void ask(const char *id) {
  struct chorus_argument arguments[] = {
      {"id", id}, {"uri", "coap://[ff35::1]/a"}, {"timeout", "3s"}};
  struct chorus_command command = {"request", arguments, 3};
  sut_tracker_command(&tracker, &command);
}

START_TEST(request_waits_for_its_packet) {
  struct chorus_event event = {.type = CHORUS_EVENT_REQUEST, .request = "q"}, out;
  ask("q");
  ck_assert(!sut_tracker_complete(&tracker, &event));
  ck_assert(!sut_tracker_release(&tracker, &out));
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert(sut_tracker_release(&tracker, &out));
  ck_assert(!sut_tracker_release(&tracker, &event));
  ck_assert_str_eq(out.request, "q");
  ck_assert(out.has_message && out.group && out.token_length == 1 && out.token[0] == 0x77);
  ck_assert_uint_eq(out.mid, 0x1234);
  ck_assert_uint_eq(out.timeout, 3 * CHORUS_SECOND);
  ck_assert(chorus_same_endpoint(&out.peer, &group));
}
END_TEST

START_TEST(held_request_keeps_what_was_said) {
  struct chorus_event event = {.type = CHORUS_EVENT_REQUEST,
                               .request = "q",
                               .path = "/a",
                               .timeout = 20 * CHORUS_SECOND},
                      out;
  ask("q");
  ck_assert(!sut_tracker_complete(&tracker, &event));
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert(sut_tracker_release(&tracker, &out));
  ck_assert_str_eq(out.path, "/a");
  ck_assert_uint_eq(out.timeout, 20 * CHORUS_SECOND);
}
END_TEST

/* A response from a cache: nothing left, and the request is told all the same, before it. */
START_TEST(answered_without_a_packet) {
  struct chorus_event event = {.type = CHORUS_EVENT_REQUEST, .request = "q"}, out;
  struct chorus_event delivery = {.type = CHORUS_EVENT_DELIVER, .request = "q", .peer = server};
  ask("q");
  ck_assert(!sut_tracker_complete(&tracker, &event));
  ck_assert(sut_tracker_complete(&tracker, &delivery));
  ck_assert(sut_tracker_release(&tracker, &out));
  ck_assert_str_eq(out.request, "q");
  ck_assert(!out.has_message);
  ck_assert(chorus_same_endpoint(&out.peer, &group));
  ck_assert(!sut_tracker_release(&tracker, &out));
}
END_TEST

/* The packet of a request whose message the program named is not that of the next. */
START_TEST(what_was_named_is_taken) {
  struct chorus_event first = {.type = CHORUS_EVENT_REQUEST,
                               .request = "q",
                               .has_message = true,
                               .token_length = 1,
                               .token = {0x77}};
  struct chorus_event second = {.type = CHORUS_EVENT_REQUEST, .request = "r"};
  ask("q");
  ask("r");
  if (_i == 0) sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert(sut_tracker_complete(&tracker, &first));
  if (_i == 1) sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert(!sut_tracker_complete(&tracker, &second));
}
END_TEST

/* Where events may overtake packets, one that names its message waits for it, too. 0: it comes; 1:
 * it had left; 2: the request is over without it. */
START_TEST(named_request_waits_where_lines_are_faster) {
  struct chorus_event event = {.type = CHORUS_EVENT_REQUEST,
                               .request = "q",
                               .code = 1,
                               .mid = 0x1234,
                               .has_message = true,
                               .token_length = 1,
                               .token = {0x77}},
                      done = {.type = CHORUS_EVENT_DONE, .request = "q"}, out;
  tracker.patient = true;
  ask("q");
  if (_i == 1) sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert_int_eq(sut_tracker_complete(&tracker, &event), _i == 1);
  if (_i == 1) return;
  ck_assert(!sut_tracker_release(&tracker, &out));
  if (_i == 0) sut_tracker_sent(&tracker, &group, request, sizeof request);
  if (_i == 2) ck_assert(sut_tracker_complete(&tracker, &done));
  ck_assert(sut_tracker_release(&tracker, &out));
  ck_assert_str_eq(out.request, "q");
  ck_assert(out.has_message && out.token[0] == 0x77);
  ck_assert_uint_eq(out.mid, 0x1234);
  ck_assert_uint_eq(out.timeout, 3 * CHORUS_SECOND);
}
END_TEST

/* A client that goes elsewhere and says so was still asked for the group. */
START_TEST(asked_for_is_what_the_command_says) {
  struct chorus_event event = {.type = CHORUS_EVENT_REQUEST,
                               .request = "q",
                               .peer = server,
                               .has_message = true,
                               .token_length = 1,
                               .token = {0x77}};
  ask("q");
  ck_assert(sut_tracker_complete(&tracker, &event));
  ck_assert(chorus_same_endpoint(&event.peer, &group));
  ck_assert(event.group);
}
END_TEST

START_TEST(packet_before_the_event) {
  struct chorus_event event = {.type = CHORUS_EVENT_REQUEST, .request = "q"};
  ask("q");
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert(sut_tracker_complete(&tracker, &event));
  ck_assert(event.has_message && event.code == 1 && event.message_type == 1);
}
END_TEST

START_TEST(two_requests_get_a_packet_each) {
  uint8_t second[sizeof request];
  struct chorus_event one = {.type = CHORUS_EVENT_REQUEST, .request = "q1"};
  struct chorus_event two = {.type = CHORUS_EVENT_REQUEST, .request = "q2"};
  memcpy(second, request, sizeof request);
  second[3] = 0x35;
  second[4] = 0x78;
  ask("q1");
  ask("q2");
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  sut_tracker_sent(&tracker, &group, request, sizeof request); /* a copy */
  sut_tracker_sent(&tracker, &group, second, sizeof second);
  ck_assert(sut_tracker_complete(&tracker, &one) && sut_tracker_complete(&tracker, &two));
  ck_assert_uint_eq(one.mid, 0x1234);
  ck_assert_uint_eq(two.mid, 0x1235);
}
END_TEST

START_TEST(delivery_gets_its_response) {
  struct chorus_event asked = {.type = CHORUS_EVENT_REQUEST, .request = "q"};
  struct chorus_event event = {.type = CHORUS_EVENT_DELIVER,
                               .request = "q",
                               .peer = server,
                               .code = 0x45,
                               .payload = (const uint8_t *)"on",
                               .payload_length = 2};
  struct chorus_event again = event, done = {.type = CHORUS_EVENT_DONE, .request = "q"};
  ask("q");
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  sut_tracker_complete(&tracker, &asked);
  sut_tracker_arrived(&tracker, &server, response, sizeof response);
  ck_assert(sut_tracker_complete(&tracker, &event));
  ck_assert(event.has_message);
  ck_assert_uint_eq(event.mid, 0xabcd);
  ck_assert(sut_tracker_complete(&tracker, &again)); /* nothing came for a second one */
  ck_assert(!again.has_message);
  ck_assert(sut_tracker_complete(&tracker, &done));
  ck_assert(done.token_length == 1 && done.token[0] == 0x77);
}
END_TEST

START_TEST(execution_gets_its_request) {
  struct chorus_event event = {
      .type = CHORUS_EVENT_EXECUTE, .peer = client, .path = "/%61", .code = 1};
  sut_tracker_arrived(&tracker, &client, request, sizeof request);
  ck_assert(sut_tracker_complete(&tracker, &event));
  ck_assert(event.has_message);
  ck_assert_uint_eq(event.mid, 0x1234);
}
END_TEST

/* The first event tells all; the second is of a request with an empty Token, and tells no Token. */
/* The event's code is that of the response that was withheld: it stays. */
START_TEST(suppression_gets_its_request) {
  struct chorus_event event = {
      .type = CHORUS_EVENT_SUPPRESS, .peer = client, .path = "/a", .code = 0x84};
  struct chorus_event elsewhere = {
      .type = CHORUS_EVENT_SUPPRESS, .peer = client, .path = "/b", .code = 0x84};
  event.peer.port = elsewhere.peer.port = 0; /* some libraries tell the address alone */
  sut_tracker_arrived(&tracker, &client, request, sizeof request);
  ck_assert(sut_tracker_complete(&tracker, &event));
  ck_assert(event.has_message);
  ck_assert_uint_eq(event.mid, 0x1234);
  ck_assert_uint_eq(event.code, 0x84);
  ck_assert_uint_eq(event.peer.port, client.port);
  ck_assert(sut_tracker_complete(&tracker, &elsewhere));
  ck_assert(!elsewhere.has_message);
}
END_TEST

START_TEST(what_was_told_is_taken) {
  static const uint8_t empty_token[] = {0x50, 0x01, 0x12, 0x35, 0xb1, 'a'};
  struct chorus_event first = {.type = CHORUS_EVENT_EXECUTE,
                               .peer = client,
                               .path = "/a",
                               .message_type = 1,
                               .code = 1,
                               .mid = 0x1234,
                               .token = {0x77},
                               .token_length = 1,
                               .has_message = true};
  struct chorus_event second = {
      .type = CHORUS_EVENT_EXECUTE, .peer = client, .path = "/a", .code = 1};
  sut_tracker_arrived(&tracker, &client, request, sizeof request);
  ck_assert(sut_tracker_complete(&tracker, &first));
  sut_tracker_arrived(&tracker, &client, empty_token, sizeof empty_token);
  ck_assert(sut_tracker_complete(&tracker, &second));
  ck_assert(second.has_message);
  ck_assert_uint_eq(second.mid, 0x1235);
  ck_assert_uint_eq(second.token_length, 0);
}
END_TEST

/* The program names the server asked, not the one that answered. */
START_TEST(payload_tells_more_than_the_peer) {
  static const uint8_t other[] = {0x51, 0x45, 0xab, 0xce, 0x77, 0xff, 'n', 'o'};
  struct chorus_event asked = {.type = CHORUS_EVENT_REQUEST, .request = "q"};
  struct chorus_event event = {.type = CHORUS_EVENT_DELIVER,
                               .request = "q",
                               .peer = server,
                               .code = 0x45,
                               .payload = (const uint8_t *)"on",
                               .payload_length = 2};
  ask("q");
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  sut_tracker_complete(&tracker, &asked);
  sut_tracker_arrived(&tracker, &client, response, sizeof response);
  sut_tracker_arrived(&tracker, &server, other, sizeof other);
  ck_assert(sut_tracker_complete(&tracker, &event));
  ck_assert_uint_eq(event.mid, 0xabcd);
}
END_TEST

/* A request that follows a link: no command names it. */
START_TEST(followed_link_gets_its_packet) {
  uint8_t next[sizeof request];
  struct chorus_event asked = {.type = CHORUS_EVENT_REQUEST, .request = "q"}, out;
  struct chorus_event follow = {
      .type = CHORUS_EVENT_FOLLOW, .request = "q", .detail = "f#1", .peer = server, .path = "/a"};
  struct chorus_event event = {
      .type = CHORUS_EVENT_REQUEST, .request = "f#1", .peer = server, .path = "/a"};
  ask("q");
  sut_tracker_sent(&tracker, &group, request, sizeof request);
  ck_assert(sut_tracker_complete(&tracker, &asked));
  ck_assert(sut_tracker_complete(&tracker, &follow));
  ck_assert(follow.token_length == 1 && follow.token[0] == 0x77); /* of the group request */
  ck_assert(!sut_tracker_complete(&tracker, &event));
  memcpy(next, request, sizeof next);
  next[4] = 0x78;
  sut_tracker_sent(&tracker, &server, next, sizeof next);
  ck_assert(sut_tracker_release(&tracker, &out));
  ck_assert_str_eq(out.request, "f#1");
  ck_assert(out.has_message && !out.group && out.token[0] == 0x78);
  ck_assert(chorus_same_endpoint(&out.peer, &server));
}
END_TEST

START_TEST(rubbish_is_not_heard) {
  static const uint8_t rubbish[] = {0x5f, 1, 2, 3, 4};
  sut_tracker_arrived(&tracker, &client, rubbish, sizeof rubbish);
  sut_tracker_arrived(&tracker, &client, rubbish, 0);
  ck_assert_uint_eq(tracker.arrived_count, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tracker");
  TCase *tests = tcase_create("tracker");
  tcase_add_checked_fixture(tests, begin, end);
  tcase_add_test(tests, request_waits_for_its_packet);
  tcase_add_test(tests, held_request_keeps_what_was_said);
  tcase_add_test(tests, answered_without_a_packet);
  tcase_add_loop_test(tests, what_was_named_is_taken, 0, 2);
  tcase_add_loop_test(tests, named_request_waits_where_lines_are_faster, 0, 3);
  tcase_add_test(tests, asked_for_is_what_the_command_says);
  tcase_add_test(tests, packet_before_the_event);
  tcase_add_test(tests, two_requests_get_a_packet_each);
  tcase_add_test(tests, delivery_gets_its_response);
  tcase_add_test(tests, execution_gets_its_request);
  tcase_add_test(tests, suppression_gets_its_request);
  tcase_add_test(tests, what_was_told_is_taken);
  tcase_add_test(tests, payload_tells_more_than_the_peer);
  tcase_add_test(tests, followed_link_gets_its_packet);
  tcase_add_test(tests, rubbish_is_not_heard);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
