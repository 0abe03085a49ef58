/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"
#include "toy.h"

#define GROUP "[ff35::1]:5683"

/* A client and two members on link 0. */
static void three(struct toy_network *t) {
  struct emu_config config = {.seed = 1, .latency = 1000};
  toy_new(t, &config);
  toy_add(t, "client", "2001:db8::c", "fe80::c", 0, NULL);
  toy_add(t, "s1", "2001:db8::1", "fe80::1", 0, GROUP);
  toy_add(t, "s2", "2001:db8::2", "fe80::2", 0, GROUP);
  ck_assert_int_eq(emu_start(t->network), CHORUS_OK);
}

START_TEST(unicast_arrives_after_the_latency) {
  struct toy_network t;
  three(&t);
  ck_assert_int_eq(toy_send(&t, 0, "[2001:db8::2]:5683", 10), CHORUS_OK);
  emu_run_until(t.network, 999);
  ck_assert_uint_eq(t.nodes[2].count, 0);
  emu_run_until(t.network, 1000);
  ck_assert_uint_eq(t.nodes[2].count, 1);
  ck_assert_uint_eq(t.nodes[1].count, 0);
  const struct toy_note *note = &t.nodes[2].notes[0];
  struct chorus_endpoint source = at("[2001:db8::c]:5683");
  ck_assert_uint_eq(note->at, 1000);
  ck_assert_uint_eq(note->datagram.length, 10);
  ck_assert_uint_eq(note->datagram.hop_limit, 64);
  ck_assert_mem_eq(&note->datagram.source, &source, sizeof source);
  toy_finish(&t);
}
END_TEST

START_TEST(groups_reach_members_only) {
  struct toy_network t;
  three(&t);
  toy_send(&t, 0, GROUP, 10);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(t.nodes[0].count, 0);
  ck_assert_uint_eq(t.nodes[1].count, 1);
  ck_assert_uint_eq(t.nodes[2].count, 1);
  ck_assert_uint_eq(t.nodes[1].notes[0].datagram.hop_limit, 16);
  struct emu_counters c = emu_counters(t.network);
  ck_assert_uint_eq(c.transmissions, 1);
  ck_assert_uint_eq(c.receptions, 2);
  ck_assert_uint_eq(c.fate[EMU_DELIVERED], 2);
  toy_finish(&t);
}
END_TEST

START_TEST(nobody_there_is_no_reception) {
  struct toy_network t;
  three(&t);
  toy_send(&t, 0, "[ff35::99]:5683", 10);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(emu_counters(t.network).receptions, 0);
  toy_finish(&t);
}
END_TEST

/* Own multicasts come back only to members that want them, and at once. */
START_TEST(loopback_needs_membership_and_the_flag) {
  for (int flag = 0; flag < 2; flag++) {
    for (int member = 0; member < 2; member++) {
      struct toy_network t;
      three(&t);
      struct chorus_endpoint address = at("2001:db8::d");
      struct emu_node_config config = {.name = "d",
                                       .node = {&toy_ops, &t.nodes[3]},
                                       .addresses = &address,
                                       .address_count = 1,
                                       .multicast_loopback = flag};
      t.nodes[3].join = member ? GROUP : NULL;
      ck_assert_uint_eq(emu_add_node(t.network, &config), 3);
      emu_start(t.network);
      toy_send(&t, 3, GROUP, 4);
      emu_run_until(t.network, 0);
      ck_assert_uint_eq(t.nodes[3].count, flag && member);
      emu_run_until(t.network, 5000);
      ck_assert_uint_eq(t.nodes[3].count, flag && member);
      ck_assert_uint_eq(t.nodes[1].count, 1);
      toy_finish(&t);
    }
  }
}
END_TEST

START_TEST(link_local_sources_have_a_zone) {
  struct toy_network t;
  three(&t);
  const struct chorus_host *host = t.nodes[1].host;
  struct chorus_endpoint local = at("[ff02::fd]:5683");
  host->ops->join(host->context, &local);
  toy_send(&t, 0, "[ff02::fd]:5683", 4);
  emu_run_until(t.network, 5000);
  const struct toy_note *note = &t.nodes[1].notes[0];
  struct chorus_endpoint source = at("[fe80::c]:5683");
  ck_assert(chorus_same_address(&note->datagram.source, &source));
  ck_assert_uint_eq(note->datagram.source.zone, 1);
  ck_assert_uint_eq(note->datagram.destination.zone, 0);
  ck_assert_uint_eq(note->datagram.hop_limit, 1);
  t.nodes[1].answers = 1; /* back to where it came from */
  toy_send(&t, 0, "[ff02::fd]:5683", 4);
  emu_run_until(t.network, 10000);
  ck_assert_uint_eq(t.nodes[0].count, 1);
  toy_finish(&t);
}
END_TEST

START_TEST(links_and_zones) {
  struct toy_network t;
  three(&t);
  struct emu_link_config same = {0}, other = {.realm = 1, .admin = 1, .site = 1};
  emu_add_link(t.network, &same);
  emu_add_link(t.network, &other);
  toy_add(&t, "near", "2001:db8:1::1", "fe80::99", 1, "[ff05::fd]:5683");
  toy_add(&t, "far", "2001:db8:2::1", NULL, 2, "[ff05::fd]:5683");
  emu_start(t.network);
  toy_observe(&t);
  toy_send(&t, 0, "[ff05::fd]:5683", 4);
  emu_run_until(t.network, 2000);
  ck_assert_uint_eq(t.nodes[3].count, 1);
  ck_assert_uint_eq(t.nodes[3].notes[0].datagram.hop_limit, 15);
  ck_assert_uint_eq(t.last[7], 15); /* so say the octets that arrived */
  ck_assert_uint_eq(t.sent[7], 16);
  ck_assert_uint_eq(t.nodes[4].count, 0);
  ck_assert_uint_eq(emu_counters(t.network).receptions, 1); /* another zone is no receiver */
  toy_send(&t, 0, "[fe80::99]:5683", 4);                    /* on another link */
  toy_send(&t, 0, "[2001:db8:2::1]:5683", 4);
  emu_run_until(t.network, 4000);
  ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_SCOPE), 1);
  ck_assert_uint_eq(t.nodes[4].count, 1);
  ck_assert_uint_eq(t.nodes[4].notes[0].datagram.hop_limit, 63);
  toy_finish(&t);
}
END_TEST

START_TEST(an_exhausted_hop_limit_is_reported) {
  struct toy_network t;
  three(&t);
  struct emu_link_config same = {0};
  emu_add_link(t.network, &same);
  toy_add(&t, "near", "2001:db8:1::1", NULL, 1, GROUP);
  emu_start(t.network);
  toy_observe(&t);
  struct chorus_datagram d = {.destination = at("[ff35::1]:5683"), .hop_limit = 1};
  emu_inject(t.network, 0, &d);
  ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_SCOPE), 1);
  ck_assert_uint_eq(t.fates[0].receiver, 3);
  emu_run_until(t.network, 4000);
  ck_assert_uint_eq(t.nodes[1].count, 1);
  ck_assert_uint_eq(t.nodes[3].count, 0);
  toy_finish(&t);
}
END_TEST

START_TEST(nobody_has_the_address) {
  struct toy_network t;
  three(&t);
  toy_observe(&t);
  toy_send(&t, 0, "[2001:db8::77]:5683", 4);
  ck_assert_uint_eq(t.fate_count, 1);
  ck_assert_int_eq(t.fates[0].fate, EMU_DROPPED_NO_ROUTE);
  ck_assert_uint_eq(t.fates[0].receiver, EMU_ANY);
  ck_assert_uint_eq(t.fates[0].id, 1);
  toy_finish(&t);
}
END_TEST

START_TEST(broadcast_reaches_open_ports_on_the_link) {
  struct toy_network t;
  struct emu_config config = {.latency = 10};
  toy_new(&t, &config);
  struct emu_link_config elsewhere = {0};
  emu_add_link(t.network, &elsewhere);
  toy_add(&t, "a", "192.0.2.1", NULL, 0, NULL);
  toy_add(&t, "b", "192.0.2.2", NULL, 0, NULL);
  toy_add(&t, "c", "192.0.2.3", NULL, 0, NULL);
  toy_add(&t, "v6", "2001:db8::1", NULL, 0, NULL);
  toy_add(&t, "d", "192.0.2.4", NULL, 1, NULL);
  t.nodes[2].port = 7777;
  emu_start(t.network);
  toy_observe(&t);
  toy_send(&t, 0, "255.255.255.255:5683", 4);
  emu_run_until(t.network, 100);
  ck_assert_uint_eq(t.nodes[1].count, 1);
  ck_assert_uint_eq(t.nodes[0].count + t.nodes[2].count + t.nodes[3].count + t.nodes[4].count, 0);
  ck_assert_uint_eq(t.fate_count, 2);
  ck_assert_uint_eq(toy_count_fate(&t, EMU_DROPPED_CLOSED), 1);
  ck_assert_uint_eq(t.transmitted, 1); /* and no ICMP error */
  toy_finish(&t);
}
END_TEST

START_TEST(spoofed_and_impossible_sources) {
  struct toy_network t;
  three(&t);
  struct chorus_datagram d = {.source = at("[2001:db8::2]:99"),
                              .destination = at("[2001:db8::1]:5683")};
  ck_assert_int_eq(emu_inject(t.network, 0, &d), CHORUS_OK);
  emu_run_until(t.network, 2000);
  ck_assert(chorus_same_endpoint(&t.nodes[1].notes[0].datagram.source, &d.source));
  d = (struct chorus_datagram){.destination = at("192.0.2.1:5683")};
  ck_assert_int_eq(emu_inject(t.network, 0, &d), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(emu_inject(t.network, 99, &d), CHORUS_BAD_ARGUMENT);
  toy_finish(&t);
}
END_TEST

START_TEST(datagrams_have_a_limit) {
  struct toy_network t;
  three(&t);
  ck_assert_int_eq(toy_send(&t, 0, "[2001:db8::1]:5683", 65508), CHORUS_TOO_LARGE);
  ck_assert_int_eq(toy_send(&t, 0, "[2001:db8::1]:5683", 65507), CHORUS_OK);
  ck_assert_int_eq(toy_send(&t, 0, "[2001:db8::1]:5683", 0), CHORUS_OK);
  emu_run_until(t.network, 2000);
  ck_assert_uint_eq(t.nodes[1].count, 2);
  toy_finish(&t);
}
END_TEST

START_TEST(a_port_is_found_for_the_sender) {
  struct toy_network t;
  three(&t);
  struct chorus_datagram d = {.destination = at("[2001:db8::1]:5683")};
  emu_inject(t.network, 0, &d);
  const struct chorus_host *host = t.nodes[0].host;
  host->ops->close(host->context, 5683);
  emu_inject(t.network, 0, &d);
  emu_run_until(t.network, 2000);
  ck_assert_uint_eq(t.nodes[1].notes[0].datagram.source.port, 5683);
  ck_assert_uint_eq(t.nodes[1].notes[1].datagram.source.port, EMU_EPHEMERAL_PORT);
  toy_finish(&t);
}
END_TEST

/* One impaired member does not keep the others from hearing. */
START_TEST(impairments_are_per_member) {
  struct toy_network t;
  three(&t);
  toy_observe(&t);
  struct emu_impairment loss = {.clause = 14, .loss = EMU_ALWAYS};
  struct emu_impairment late = {.clause = 15, .delay = 500};
  uint32_t lossy = emu_impair(t.network, 0, 1, &loss);
  uint32_t delaying = emu_impair(t.network, 0, 2, &late);
  toy_send(&t, 0, GROUP, 4);
  ck_assert_uint_eq(t.fate_count, 1); /* decided at once */
  ck_assert_int_eq(t.fates[0].fate, EMU_DROPPED_LOSS);
  ck_assert_uint_eq(t.fates[0].clause, 14);
  ck_assert_uint_eq(t.fates[0].receiver, 1);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(t.nodes[1].count, 0);
  ck_assert_uint_eq(t.nodes[2].notes[0].at, 1500);
  ck_assert_uint_eq(emu_impairment_used(t.network, lossy), 1);
  ck_assert_uint_eq(emu_impairment_used(t.network, delaying), 1);
  emu_repair(t.network, lossy);
  toy_send(&t, 0, GROUP, 4);
  emu_run_until(t.network, 10000);
  ck_assert_uint_eq(t.nodes[1].count, 1);
  toy_finish(&t);
}
END_TEST

START_TEST(duplicates_are_counted) {
  struct toy_network t;
  three(&t);
  struct emu_impairment twice = {.duplicate = EMU_ALWAYS, .duplicate_gap = 3};
  emu_impair(t.network, EMU_ANY, EMU_ANY, &twice);
  toy_send(&t, 0, GROUP, 4);
  toy_send(&t, 0, "[2001:db8::1]:5683", 4);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(t.nodes[1].count, 4);
  ck_assert_uint_eq(t.nodes[2].count, 2);
  struct emu_counters c = emu_counters(t.network);
  ck_assert_uint_eq(c.receptions, 6);
  ck_assert_uint_eq(c.duplicated, 3);
  toy_finish(&t);
}
END_TEST

RUN_SUITE("transmit", unicast_arrives_after_the_latency, groups_reach_members_only,
          nobody_there_is_no_reception, loopback_needs_membership_and_the_flag,
          link_local_sources_have_a_zone, links_and_zones, an_exhausted_hop_limit_is_reported,
          nobody_has_the_address, broadcast_reaches_open_ports_on_the_link,
          spoofed_and_impossible_sources, datagrams_have_a_limit, a_port_is_found_for_the_sender,
          impairments_are_per_member, duplicates_are_counted)
