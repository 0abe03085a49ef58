/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"
#include "toy.h"

#define GROUP_V6 "[ff35::1]:5683"
#define GROUP_V4 "224.0.1.187:5683"

static const char *unicast(bool v4) {
  return v4 ? "192.0.2.2:5683" : "[2001:db8::2]:5683";
}
static const char *closed(bool v4) {
  return v4 ? "192.0.2.2:9" : "[2001:db8::2]:9";
}
static const char *group(bool v4) {
  return v4 ? GROUP_V4 : GROUP_V6;
}

static void two(struct toy_network *t, bool v4, uint32_t mtu) {
  struct emu_config config = {.seed = 1, .latency = 1000, .mtu = mtu};
  toy_new(t, &config);
  toy_add(t, "a", v4 ? "192.0.2.1" : "2001:db8::1", NULL, 0, NULL);
  toy_add(t, "b", v4 ? "192.0.2.2" : "2001:db8::2", NULL, 0, group(v4));
  ck_assert_int_eq(emu_start(t->network), CHORUS_OK);
  toy_observe(t);
}

START_TEST(a_closed_port_is_unreachable) {
  for (int v4 = 0; v4 < 2; v4++) {
    struct toy_network t;
    two(&t, v4, 0);
    toy_send(&t, 0, closed(v4), 20);
    emu_run_until(t.network, 1000);
    ck_assert_int_eq(t.fates[0].fate, EMU_DROPPED_CLOSED);
    ck_assert_uint_eq(t.transmitted, 2); /* the error is a packet like others */
    struct emu_ip ip;
    ck_assert(emu_ip_parse(t.sent, (uint32_t)t.sent_length, &ip));
    ck_assert_uint_eq(ip.protocol, v4 ? EMU_PROTOCOL_ICMP : EMU_PROTOCOL_ICMPV6);
    emu_run_until(t.network, 2000);
    struct chorus_endpoint wanted = at(closed(v4));
    ck_assert_uint_eq(t.nodes[0].unreachables, 1);
    ck_assert(chorus_same_endpoint(&t.nodes[0].unreachable, &wanted));
    ck_assert_uint_eq(t.nodes[1].unreachables, 0);
    toy_finish(&t);
  }
}
END_TEST

/* RFC 4443, section 2.4 (e.3); RFC 1122, section 3.2.2. */
START_TEST(groups_get_no_errors) {
  for (int v4 = 0; v4 < 2; v4++) {
    struct toy_network t;
    two(&t, v4, 0);
    toy_send(&t, 0, v4 ? "224.0.1.187:99" : "[ff35::1]:99", 20);
    emu_run_until(t.network, 5000);
    ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_CLOSED), 1);
    ck_assert_uint_eq(t.transmitted, 1);
    toy_finish(&t);
  }
}
END_TEST

START_TEST(errors_are_not_sent_to_group_sources_or_when_forbidden) {
  struct toy_network t;
  two(&t, false, 0);
  struct chorus_datagram d = {.source = at("[ff35::1]:5683"), .destination = at("[2001:db8::2]:9")};
  emu_inject(t.network, 0, &d);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(t.transmitted, 1);
  struct chorus_endpoint address = at("2001:db8::3");
  struct emu_node_config config = {.name = "quiet",
                                   .node = {&toy_ops, &t.nodes[2]},
                                   .addresses = &address,
                                   .address_count = 1,
                                   .no_icmp = true};
  emu_add_node(t.network, &config);
  emu_start(t.network);
  toy_send(&t, 0, "[2001:db8::3]:9", 4);
  emu_run_until(t.network, 10000);
  ck_assert_uint_eq(t.transmitted, 2);
  ck_assert_uint_eq(t.nodes[0].unreachables, 0);
  toy_finish(&t);
}
END_TEST

START_TEST(large_datagrams_go_in_fragments) {
  for (int v4 = 0; v4 < 2; v4++) {
    for (int to_group = 0; to_group < 2; to_group++) {
      struct toy_network t;
      two(&t, v4, 1280);
      toy_send(&t, 0, to_group ? group(v4) : unicast(v4), 5000);
      ck_assert_uint_eq(t.transmitted, v4 ? 4 : 5);
      emu_run_until(t.network, 1000);
      ck_assert_uint_eq(t.arrived, t.transmitted);
      ck_assert_uint_eq(t.nodes[1].count, 1);
      ck_assert_uint_eq(t.nodes[1].notes[0].datagram.length, 5000);
      ck_assert_uint_eq(toy_count_fate(&t, EMU_DELIVERED), t.transmitted);
      uint8_t payload[5000];
      for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)(i * 7 + i / 256);
      ck_assert_uint_eq(t.nodes[1].notes[0].checksum, toy_checksum(payload, sizeof payload));
      ck_assert_uint_eq(emu_counters(t.network).datagrams_delivered, 1);
      toy_finish(&t);
    }
  }
}
END_TEST

/* One fragment less: the others wait, and are given up after the timeout. */
START_TEST(a_lost_fragment_costs_the_datagram) {
  for (int v4 = 0; v4 < 2; v4++) {
    struct toy_network t;
    two(&t, v4, 1280);
    const uint32_t second[] = {2};
    struct emu_impairment drop = {.clause = 4, .drop = second, .drop_count = 1};
    emu_impair(t.network, 0, 1, &drop);
    toy_send(&t, 0, unicast(v4), 3000);
    ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_LIST), 1);
    emu_run_until(t.network, CHORUS_SECOND);
    ck_assert_uint_eq(t.nodes[1].count, 0);
    ck_assert_uint_eq(emu_counters(t.network).in_flight, 2);
    chorus_time timeout = (v4 ? 15 : 60) * CHORUS_SECOND + 1000;
    ck_assert_uint_eq(emu_next(t.network), timeout);
    emu_run_until(t.network, timeout);
    ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_REASSEMBLY), 2);
    ck_assert_uint_eq(emu_counters(t.network).in_flight, 0);
    toy_finish(&t);
  }
}
END_TEST

START_TEST(the_reassembly_has_a_limit) {
  struct toy_network t;
  two(&t, false, 1280);
  const uint32_t seconds[] = {2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36};
  struct emu_impairment drop = {.drop = seconds, .drop_count = 18};
  emu_impair(t.network, 0, 1, &drop);
  for (int i = 0; i < 18; i++) toy_send(&t, 0, unicast(false), 2000);
  emu_run_until(t.network, 1000);
  ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_REASSEMBLY), 2); /* 16 may wait */
  toy_finish(&t);
}
END_TEST

START_TEST(a_closed_port_shows_after_reassembly) {
  for (int v4 = 0; v4 < 2; v4++) {
    struct toy_network t;
    two(&t, v4, 1280);
    toy_send(&t, 0, closed(v4), 2000);
    emu_run_until(t.network, 5000);
    ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_CLOSED), 2);
    ck_assert_uint_eq(t.nodes[0].unreachables, 1);
    struct chorus_endpoint wanted = at(closed(v4));
    ck_assert(chorus_same_endpoint(&t.nodes[0].unreachable, &wanted));
    toy_finish(&t);
  }
}
END_TEST

/* Corrupted packets arrive and are thrown away, unless the bit was one that no checksum covers. */
START_TEST(corruption_is_noticed_by_the_receiver) {
  for (int v4 = 0; v4 < 2; v4++) {
    struct toy_network t;
    two(&t, v4, 0);
    struct emu_impairment corrupt = {.clause = 21, .corrupt = EMU_ALWAYS};
    uint32_t handle = emu_impair(t.network, 0, 1, &corrupt);
    for (int i = 0; i < 200; i++) toy_send(&t, 0, i % 2 ? unicast(v4) : group(v4), 30);
    emu_run_until(t.network, 5000);
    size_t dropped = toy_count_fate(&t, EMU_DROPPED_CORRUPT);
    ck_assert_uint_eq(t.arrived, 200);
    ck_assert_uint_eq(dropped + t.nodes[1].count, 200);
    if (v4) ck_assert_uint_eq(dropped, 200);
    ck_assert_uint_gt(dropped, 120);
    for (size_t i = 0; i < t.fate_count; i++)
      if (t.fates[i].fate == EMU_DROPPED_CORRUPT) ck_assert_uint_eq(t.fates[i].clause, 21);
    for (size_t i = 0; i < t.nodes[1].count && i < TOY_NOTES; i++)
      ck_assert_uint_eq(t.nodes[1].notes[i].checksum, t.nodes[1].notes[0].checksum);
    ck_assert_uint_eq(emu_impairment_used(t.network, handle), 200);
    toy_finish(&t);
  }
}
END_TEST

START_TEST(the_corrupted_octets_are_shown) {
  struct toy_network t;
  two(&t, true, 0);
  struct emu_impairment corrupt = {.corrupt = EMU_ALWAYS};
  emu_impair(t.network, 0, 1, &corrupt);
  toy_send(&t, 0, unicast(true), 30);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(t.last_length, t.sent_length);
  unsigned flipped = 0;
  for (size_t i = 0; i < t.last_length; i++)
    flipped += (unsigned)__builtin_popcount(t.last[i] ^ t.sent[i]);
  ck_assert_uint_eq(flipped, 1);
  toy_finish(&t);
}
END_TEST

START_TEST(corrupted_fragments_end_somehow) {
  struct toy_network t;
  two(&t, false, 1280);
  struct emu_impairment corrupt = {.corrupt = 300000};
  emu_impair(t.network, 0, 1, &corrupt);
  for (int i = 0; i < 60; i++) toy_send(&t, 0, unicast(false), 3000);
  emu_run_until(t.network, 100 * CHORUS_SECOND);
  ck_assert_uint_gt(t.nodes[1].count, 5);
  ck_assert_uint_gt(toy_count_fate(&t, EMU_DROPPED_CORRUPT), 30);
  ck_assert_uint_eq(emu_counters(t.network).in_flight, 0);
  toy_finish(&t);
}
END_TEST

START_TEST(who_stops_or_leaves_hears_nothing) {
  struct toy_network t;
  two(&t, false, 0);
  toy_send(&t, 0, GROUP_V6, 4);
  const struct chorus_host *host = t.nodes[1].host;
  struct chorus_endpoint group_v6 = at(GROUP_V6);
  host->ops->leave(host->context, &group_v6); /* while the packet is under way */
  emu_run_until(t.network, 1000);
  ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_CLOSED), 1);
  toy_send(&t, 0, unicast(false), 4);
  emu_stop(t.network);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_STOPPED), 1);
  ck_assert_uint_eq(t.arrived, 1);
  ck_assert_uint_eq(t.nodes[1].count, 0);
  ck_assert_uint_eq(t.nodes[1].stops, 1);
  toy_finish(&t);
}
END_TEST

/* Zero latency, answers to answers: no node is called from within its own call (see toy_enter()).
 */
START_TEST(nodes_are_never_reentered) {
  struct toy_network t;
  struct emu_config config = {.latency = 0};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  toy_add(&t, "b", "2001:db8::2", NULL, 0, NULL);
  t.nodes[0].answers = t.nodes[1].answers = 100000;
  emu_start(t.network);
  struct emu_impairment loss = {.loss = 20000};
  emu_impair(t.network, EMU_ANY, EMU_ANY, &loss);
  toy_send(&t, 0, "[2001:db8::2]:5683", 4);
  toy_send(&t, 0, "[2001:db8::1]:5683", 4); /* to itself */
  struct emu_impairment own = {.loss = 20000};
  emu_impair(t.network, 0, 0, &own);
  emu_run_idle(t.network, 0);
  ck_assert_uint_gt(t.nodes[1].count, 1);
  ck_assert_uint_eq(emu_now(t.network), 0);
  toy_finish(&t);
}
END_TEST

RUN_SUITE("deliver", a_closed_port_is_unreachable, groups_get_no_errors,
          errors_are_not_sent_to_group_sources_or_when_forbidden, large_datagrams_go_in_fragments,
          a_lost_fragment_costs_the_datagram, the_reassembly_has_a_limit,
          a_closed_port_shows_after_reassembly, corruption_is_noticed_by_the_receiver,
          the_corrupted_octets_are_shown, corrupted_fragments_end_somehow,
          who_stops_or_leaves_hears_nothing, nodes_are_never_reentered)
