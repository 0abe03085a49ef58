/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on Resets and ICMP errors about multicast (harness/rules/rejection.c). */
#include "server_fixture.h"

#define UNKNOWN_CRITICAL(mid) NON(GET, mid, "aa", .path = "/open", .options = {{65001, "01"}})

START_TEST(silence_to_bad_multicast_passes) {
  serve(JDG_DIJK_03);
  ask(1000, UNKNOWN_CRITICAL(1));
  ask(1001, NON(0, 2, ""));
  end(20000);
  expect("COAP-8.1-02", JDG_PASS);
  expect("COAP-8.1-03", JDG_PASS);
  ck_assert_uint_eq(fx_result(&fx, "COAP-8.1-03", s)->activations, 2);
  expect("COAP-8-02", JDG_NOT_EXERCISED);
  expect("COAP-8.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_reset_for_multicast_fails) {
  serve(JDG_DIJK_03);
  ask(1000, UNKNOWN_CRITICAL(1));
  answer(1001, RST(1));
  end(20000);
  expect("COAP-8.1-02", JDG_WARN);
  expect("COAP-8.1-03", JDG_FAIL);
}
END_TEST

START_TEST(a_reset_for_a_good_request_fails_too) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(1001, RST(1));
  end(20000);
  expect("COAP-8.1-03", JDG_FAIL);
}
END_TEST

START_TEST(an_unaware_server_may_reset) {
  ics.mcast_aware = JDG_NO;
  serve(JDG_DIJK_03);
  ask(1000, UNKNOWN_CRITICAL(1));
  answer(1001, RST(1));
  end(20000);
  expect("COAP-8.1-02", JDG_NOT_EXERCISED);
  expect("COAP-8.1-03", JDG_NOT_EXERCISED);
  expect("COAP-8.1-04", JDG_PASS);
}
END_TEST

START_TEST(a_reset_for_unicast_is_not_judged) {
  serve(JDG_DIJK_03);
  ask_to(1000, SERVER, UNKNOWN_CRITICAL(1));
  answer(1001, RST(1));
  end(20000);
  expect("COAP-8.1-02", JDG_NOT_EXERCISED);
  expect("COAP-8.1-03", JDG_NOT_EXERCISED);
  expect("COAP-8.1-04", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(a_reset_for_another_message_is_not_judged) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(1001, RST(2));
  end(20000);
  expect("COAP-8.1-03", JDG_NOT_EXERCISED);
}
END_TEST

static void executed_as(bool group) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  struct chorus_event e = {.type = CHORUS_EVENT_EXECUTE,
                           .peer = fx_endpoint(CLIENT),
                           .has_message = true,
                           .token_length = 1,
                           .token = {0xaa},
                           .mid = 1,
                           .message_type = DIS_NON,
                           .code = GET,
                           .group = group};
  jdg_event(fx.judge, s, fx.now, &e);
  end(20000);
}

START_TEST(an_execution_tells_that_it_was_multicast) {
  executed_as(true);
  expect("COAP-8.1-02", JDG_PASS);
}
END_TEST

START_TEST(an_execution_taken_for_unicast) {
  ics.mcast_aware = JDG_NO;
  executed_as(false);
  expect("COAP-8.1-02", JDG_WARN);
}
END_TEST

START_TEST(an_adapter_that_does_not_tell_is_not_held_against_the_server) {
  executed_as(false);
  expect("COAP-8.1-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(all_nodes_may_be_ignored) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff02::1]:5683", NON(GET, 1, "aa", .path = "/missing"));
  end(20000);
  expect("COAP-8-02", JDG_PASS);
}
END_TEST

START_TEST(all_nodes_are_not_reset) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff02::1]:5683", UNKNOWN_CRITICAL(1));
  answer(1001, RST(1));
  end(20000);
  expect("COAP-8-02", JDG_FAIL);
}
END_TEST

/* An ICMP error of the server that quotes a datagram from c1 to |to|. */
static void icmp(uint64_t ms, const char *to, uint8_t type, uint8_t code) {
  uint8_t coap[64], quoted[200], packet[300] = {0};
  struct chorus_endpoint from = fx_endpoint(CLIENT), group = fx_endpoint(to);
  struct chorus_endpoint own = fx_endpoint(SERVER);
  bool v4 = chorus_is_ipv4(&group);
  if (v4) {
    from = fx_endpoint("192.0.2.9:40000");
    own = fx_endpoint("192.0.2.1:5683");
  }
  size_t n =
      fx_packet(&from, &group, coap, fx_build(NON(GET, 1, "aa", .path = "/open"), coap), quoted);
  /* The outer packet: as a UDP packet would have it, with the protocol and the octets changed. */
  uint8_t body[220] = {type, code};
  memcpy(body + 8, quoted, n);
  size_t head = v4 ? 20 : 40;
  size_t total = fx_packet(&own, &from, body + 8, n, packet);
  packet[v4 ? 9 : 6] = v4 ? 1 : 58;
  memcpy(packet + head, body, 8 + n);
  uint32_t sum = 0;
  if (v4) {
    packet[10] = packet[11] = 0;
    for (size_t i = 0; i < 20; i += 2) sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    fx_word(packet + 10, (uint16_t)~sum);
    sum = 0;
  } else {
    sum = 58 + (uint32_t)(8 + n);
    for (size_t i = 8; i < 40; i += 2) sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
  }
  for (size_t i = 0; i < 8 + n; i += 2)
    sum += (uint32_t)(body[i] << 8 | (i + 1 < 8 + n ? body[i + 1] : 0));
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  fx_word(packet + head + 2, (uint16_t)~sum);
  struct cap_packet p = {.frame = ++fx.frame,
                         .interface = s,
                         .link_type = 101,
                         .time = ms * FX_MS,
                         .direction = DIS_OUTBOUND,
                         .data = packet,
                         .length = total,
                         .original_length = total};
  fx_at(&fx, ms);
  jdg_packet(fx.judge, &p);
}

START_TEST(icmp_errors_by_type) {
  static const struct {
    const char *to;
    uint8_t type, code;
    enum jdg_verdict port6, any6, port4, any4, unserved;
  } cases[] = {
      {"[ff35::1]:5699", 1, 4, JDG_WARN, JDG_FAIL, 0, 0, JDG_WARN},
      {"[ff35::1]:5683", 1, 4, JDG_WARN, JDG_FAIL, 0, 0, 0},
      {"[ff35::1]:5699", 1, 3, 0, JDG_FAIL, 0, 0, JDG_WARN},
      {"[ff35::1]:5699", 2, 0, 0, 0, 0, 0, JDG_WARN},
      {"[ff35::1]:5699", 4, 2, 0, 0, 0, 0, JDG_WARN},
      {"[ff35::1]:5699", 4, 0, 0, JDG_FAIL, 0, 0, JDG_WARN},
      {"[2001:db8::1]:5699", 1, 4, 0, 0, 0, 0, 0},
      {"239.1.2.3:5699", 3, 3, 0, 0, JDG_WARN, JDG_FAIL, 0},
      {"239.1.2.3:5699", 3, 1, 0, 0, 0, JDG_FAIL, 0},
      {"255.255.255.255:5699", 3, 3, 0, 0, JDG_WARN, JDG_FAIL, 0},
      {"192.0.2.1:5699", 3, 3, 0, 0, 0, 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) fx_free(&fx);
    serve(JDG_DIJK_03);
    icmp(1000, cases[i].to, cases[i].type, cases[i].code);
    end(20000);
    ck_assert_uint_eq(jdg_counts_get(fx.judge).icmp_errors, 1);
    expect("GC-2.4.1-06", cases[i].port6);
    expect("ICMP6-2.4-01", cases[i].any6);
    expect("GC-2.4.2-03", cases[i].port4);
    expect("ICMP4-3.2.2-01", cases[i].any4);
    if (cases[i].unserved) expect("GC-2.3.2-06", cases[i].unserved);
  }
}
END_TEST

START_TEST(no_icmp_error_passes) {
  serve(JDG_DIJK_03);
  ask_to(1000, "[ff35::1]:5699", NON(GET, 1, "aa", .path = "/open"));
  fx_receive(&fx, s, "192.0.2.9:40000", "239.9.9.9:5699", NON(GET, 1, "aa", .path = "/open"));
  end(20000);
  expect("GC-2.4.1-06", JDG_PASS);
  expect("ICMP6-2.4-01", JDG_PASS);
  expect("GC-2.4.2-03", JDG_PASS);
  expect("ICMP4-3.2.2-01", JDG_PASS);
}
END_TEST

START_TEST(a_served_port_says_nothing_about_unserved_ones) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  end(20000);
  expect("GC-2.4.1-06", JDG_NOT_EXERCISED);
  expect("GC-2.4.2-03", JDG_NOT_EXERCISED);
  expect("ICMP4-3.2.2-01", JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      silence_to_bad_multicast_passes,
      a_reset_for_multicast_fails,
      a_reset_for_a_good_request_fails_too,
      an_unaware_server_may_reset,
      a_reset_for_unicast_is_not_judged,
      a_reset_for_another_message_is_not_judged,
      an_execution_tells_that_it_was_multicast,
      an_execution_taken_for_unicast,
      an_adapter_that_does_not_tell_is_not_held_against_the_server,
      all_nodes_may_be_ignored,
      all_nodes_are_not_reset,
      icmp_errors_by_type,
      no_icmp_error_passes,
      a_served_port_says_nothing_about_unserved_ones,
      NULL,
  };
  return run_tests("rejection rules", tests);
}
