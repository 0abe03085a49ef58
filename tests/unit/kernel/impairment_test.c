/* SPDX-License-Identifier: BSD-2-Clause */
/* What the switch does to packets: impairments, links, snooping, flooding, testers. */
#include "lab.h"

#define GROUP "[ff35::1]:5683"

static struct lab *three(const struct krn_config *config) {
  struct lab *lab = lab_new(*config);
  lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 5683, NULL);
  lab_add(lab, "b", "[2001:db8::2],192.0.2.2", 5683, GROUP);
  lab_add(lab, "c", "[2001:db8::3],192.0.2.3", 5683, GROUP);
  return lab;
}

static struct lab *three_default(void) {
  const struct krn_config config = {.network = {.seed = 7, .latency = CHORUS_MILLISECOND}};
  return three(&config);
}

START_TEST(the_listed_packet_of_the_pair_is_lost) {
  const uint32_t second[] = {2};
  struct lab *lab = three_default();
  struct emu_impairment loss = {.clause = 14, .drop = second, .drop_count = 1};
  uint32_t handle = krn_impair(lab->network, 0, 1, &loss);
  ck_assert_uint_ne(handle, 0);
  lab_go(lab);
  for (int i = 0; i < 3; i++) lab_send(lab, 0, GROUP, i == 0 ? "1" : i == 1 ? "2" : "3");
  lab_send(lab, 2, "[2001:db8::2]:5683", "c");
  lab_await(lab, &lab->nodes[2].count, 3);
  lab_await(lab, &lab->nodes[1].count, 3);
  ck_assert_int_eq(lab->nodes[1].notes[0].head[0], '1');
  ck_assert_int_eq(lab->nodes[1].notes[1].head[0], '3');
  ck_assert_int_eq(lab->nodes[1].notes[2].head[0], 'c');
  ck_assert_uint_eq(lab_count_fate(lab, 1, EMU_DROPPED_LIST), 1);
  for (size_t i = 0; i < lab->fate_count; i++) {
    if (lab->fates[i].fate != EMU_DROPPED_LIST) continue;
    ck_assert_uint_eq(lab->fates[i].id, lab->sent[1].id);
    ck_assert_uint_eq(lab->fates[i].clause, 14);
  }
  ck_assert_uint_eq(krn_impairment_used(lab->network, handle), 1);
  lab_free(lab);
}
END_TEST

#define ROUNDS 60

/* Which of the packets of node 0 are lost towards node 1, one bit each. */
static uint64_t losses(bool chatter) {
  struct lab *lab = three_default();
  struct emu_impairment loss = {.clause = 3, .loss = 300000};
  ck_assert_uint_ne(krn_impair(lab->network, EMU_ANY, EMU_ANY, &loss), 0);
  lab_go(lab);
  uint64_t lost = 0;
  for (int i = 0; i < ROUNDS; i++) {
    if (chatter && i % 3 == 0) lab_send(lab, 2, "[2001:db8::2]:5683", "between");
    if (chatter && i % 5 == 0) lab_send(lab, 0, "[2001:db8::3]:5683", "elsewhere");
    size_t before = lab_count_fate(lab, 1, EMU_DROPPED_LOSS);
    lab_send(lab, 0, "[2001:db8::2]:5683", "x");
    if (lab_count_fate(lab, 1, EMU_DROPPED_LOSS) > before) lost |= UINT64_C(1) << i;
    lab_run(lab, CHORUS_MILLISECOND);
  }
  lab_run(lab, 20 * CHORUS_MILLISECOND);
  lab_free(lab);
  return lost;
}

START_TEST(losses_do_not_depend_on_others) {
  uint64_t alone = losses(false), among = losses(true);
  ck_assert_uint_eq(alone, among);
  int count = __builtin_popcountll(alone);
  ck_assert_int_gt(count, ROUNDS / 10);
  ck_assert_int_lt(count, ROUNDS / 2);
}
END_TEST

START_TEST(duplicates_come_later) {
  struct lab *lab = three_default();
  struct emu_impairment twice = {.duplicate = EMU_ALWAYS, .duplicate_gap = 30 * CHORUS_MILLISECOND};
  krn_impair(lab->network, 0, 1, &twice);
  lab_go(lab);
  lab_send(lab, 0, "[2001:db8::2]:5683", "x");
  lab_await(lab, &lab->nodes[1].count, 2);
  const struct lab_note *notes = lab->nodes[1].notes;
  ck_assert_uint_eq(notes[1].at - notes[0].at, 30 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(krn_counters(lab->network).duplicated, 1);
  lab_free(lab);
}
END_TEST

static int different_bits(const struct lab_seen *a, const struct lab_seen *b) {
  int count = 0;
  for (size_t i = 0; i < sizeof a->octets; i++)
    count += __builtin_popcount((unsigned)(a->octets[i] ^ b->octets[i]));
  return count;
}

START_TEST(corrupt_packets_reach_the_interface_only) {
  struct lab *lab = three_default();
  struct emu_impairment flip = {.clause = 5, .corrupt = EMU_ALWAYS};
  krn_impair(lab->network, 0, 1, &flip);
  lab_go(lab);
  uint8_t payload[80] = {0}; /* the whole packet is kept; most bits are under the checksum */
  lab_try(lab, 0, "[2001:db8::2]:5683", payload, sizeof payload);
  lab_await(lab, &lab->came_count, 1);
  lab_run(lab, 20 * CHORUS_MILLISECOND);
  ck_assert_int_eq(different_bits(&lab->sent[0], &lab->came[0]), 1);
  ck_assert_uint_eq(lab_count_fate(lab, 1, EMU_DELIVERED), 1);
  ck_assert_uint_eq(lab->nodes[1].count, 0);
  lab_free(lab);
}
END_TEST

START_TEST(lost_fragments_spoil_the_datagram) {
  const uint32_t second[] = {2};
  const struct krn_config config = {.network = {.seed = 1, .mtu = 1280}};
  struct lab *lab = three(&config);
  krn_impair(lab->network, 0, 1, &(struct emu_impairment){.drop = second, .drop_count = 1});
  lab_go(lab);
  uint8_t payload[2000] = {0};
  ck_assert_int_eq(lab_try(lab, 0, GROUP, payload, sizeof payload), CHORUS_OK);
  lab_await(lab, &lab->nodes[2].count, 1);
  lab_run(lab, 20 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[1].count, 0);
  ck_assert_uint_eq(lab_count_fate(lab, 1, EMU_DELIVERED), 1);
  ck_assert_uint_eq(lab_count_fate(lab, 1, EMU_DROPPED_LIST), 1);
  lab_free(lab);
}
END_TEST

START_TEST(links_have_zones_and_take_hops) {
  struct lab *lab = lab_default();
  uint32_t link = krn_add_link(lab->network, &(struct emu_link_config){.realm = 9});
  lab_add(lab, "a", "[2001:db8::1],[fe80::1],192.0.2.1", 5683, NULL);
  lab->nodes[1].port = lab->nodes[2].port = 5683;
  lab->nodes[1].join = "[ff05::fd]:5683";
  lab->nodes[2].join = "[ff03::fd]:5683";
  struct emu_node_config there = {.link = link};
  lab_add_as(lab, "b", "[2001:db8::2],[fe80::1],192.0.2.2", KRN_SOCKETS, there);
  lab_add_as(lab, "c", "[2001:db8::3],[fe80::3]", KRN_SOCKETS, there);
  lab_go(lab);
  lab_send(lab, 0, "[ff05::fd]:5683", "site");
  lab_send(lab, 0, "192.0.2.2:5683", "unicast");
  lab_await(lab, &lab->nodes[1].count, 2);
  ck_assert_uint_eq(lab->nodes[1].notes[0].datagram.hop_limit, 15);
  ck_assert_uint_eq(lab->nodes[1].notes[1].datagram.hop_limit, 63); /* its checksum is right */
  const struct chorus_host *host = lab->nodes[0].host;
  struct chorus_datagram d = {.destination = at("[ff05::fd]:5683"), .hop_limit = 1};
  ck_assert_int_eq(host->ops->send(host->context, &d), CHORUS_OK);
  ck_assert_uint_eq(lab_count_fate(lab, 1, EMU_DROPPED_SCOPE), 1);
  lab_send(lab, 0, "[ff03::fd]:5683", "realm");
  lab_send(lab, 0, "[fe80::3]:5683", "link");
  lab_run(lab, 30 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[2].count, 0);
  ck_assert_uint_eq(lab->nodes[1].count, 2);
  lab_free(lab);
}
END_TEST

START_TEST(a_flooding_switch_sends_to_all) {
  const struct krn_config config = {.network = {.seed = 7}, .flood = true};
  struct lab *lab = three(&config);
  lab->nodes[3].port = 5683;
  lab_add_as(lab, "t", "[2001:db8::4]", KRN_PORT, (struct emu_node_config){0});
  lab_go(lab);
  lab_send(lab, 1, GROUP, "x");
  lab_await(lab, &lab->nodes[2].count, 1);
  lab_await(lab, &lab->came_count, 3); /* not at the sender */
  ck_assert_uint_eq(lab_count_fate(lab, 0, EMU_DELIVERED), 1);
  ck_assert_uint_eq(lab_count_fate(lab, 3, EMU_DROPPED_CLOSED), 1); /* no member */
  ck_assert_uint_eq(lab->nodes[0].count, 0);
  ck_assert_uint_eq(lab->nodes[3].count, 0);
  lab_free(lab);
}
END_TEST

static void forge(struct lab *lab, uint32_t node, const char *from, const char *to) {
  struct chorus_datagram d = {
      .source = at(from), .destination = at(to), .payload = (const uint8_t *)"forged", .length = 6};
  ck_assert_int_eq(krn_inject(lab->network, node, &d), CHORUS_OK);
}

START_TEST(testers_forge_and_hear) {
  struct lab *lab = three_default();
  lab->nodes[3].port = 5683;
  lab->nodes[3].join = GROUP;
  uint32_t t =
      lab_add_as(lab, "t", "[2001:db8::4],192.0.2.4", KRN_PORT, (struct emu_node_config){0});
  lab->nodes[1].answers = 2;
  lab_go(lab);
  forge(lab, t, "[2001:db8::99]:1234", "[2001:db8::2]:5683");
  lab_await(lab, &lab->nodes[1].count, 1);
  struct chorus_endpoint source = at("[2001:db8::99]:1234");
  ck_assert(chorus_same_endpoint(&lab->nodes[1].notes[0].datagram.source, &source));
  lab_await(lab, &lab->sent_count, 2);
  ck_assert_uint_eq(lab_count_fate(lab, EMU_ANY, EMU_DROPPED_NO_ROUTE), 1); /* the answer */
  lab_send(lab, t, "192.0.2.2:5683", "mine");
  lab_await(lab, &lab->nodes[t].count, 1);
  lab_send(lab, 0, GROUP, "to all");
  lab_await(lab, &lab->nodes[t].count, 2);
  uint8_t large[3000] = {1};
  ck_assert_int_eq(lab_try(lab, t, GROUP, large, sizeof large), CHORUS_OK);
  lab_await(lab, &lab->nodes[1].count, 4);
  ck_assert_uint_eq(lab->nodes[1].notes[3].datagram.length, sizeof large);
  ck_assert_int_eq(lab_try(lab, 0, "[2001:db8::4]:5683", large, sizeof large), CHORUS_OK);
  lab_await(lab, &lab->nodes[t].count, 3);
  ck_assert_uint_eq(lab->nodes[t].notes[2].checksum, lab_checksum(large, sizeof large));
  lab_free(lab);
}
END_TEST

START_TEST(testers_and_hosts_tell_each_other_of_closed_ports) {
  struct lab *lab = three_default();
  lab->nodes[3].port = 5683;
  uint32_t t =
      lab_add_as(lab, "t", "[2001:db8::4],192.0.2.4", KRN_PORT, (struct emu_node_config){0});
  lab_go(lab);
  lab_send(lab, t, "[2001:db8::2]:9", "?");
  lab_send(lab, t, "192.0.2.2:9", "?");
  lab_await(lab, &lab->nodes[t].unreachables, 2);
  lab_send(lab, 0, "[2001:db8::4]:9", "?");
  lab_send(lab, 0, "192.0.2.4:9", "?");
  lab_await(lab, &lab->nodes[0].unreachables, 2);
  lab_free(lab);
}
END_TEST

START_TEST(nodes_with_sockets_forge_past_their_kernel) {
  struct lab *lab = three_default();
  lab_go(lab);
  forge(lab, 0, "[2001:db8::99]:1234", "[2001:db8::2]:5683");
  const struct chorus_host *host = lab->nodes[2].host;
  struct chorus_datagram d = {.source = at("[2001:db8::98]:7"),
                              .destination = at("[2001:db8::2]:5683")};
  ck_assert_int_eq(host->ops->send(host->context, &d), CHORUS_OK);
  lab_await(lab, &lab->nodes[1].count, 2);
  lab_free(lab);
}
END_TEST

START_TEST(lateness_is_measured) {
  struct lab *lab = three_default();
  lab_go(lab);
  for (int i = 0; i < 50; i++) {
    lab_send(lab, 0, GROUP, "x");
    lab_run(lab, CHORUS_MILLISECOND);
  }
  lab_await(lab, &lab->nodes[2].count, 50);
  struct krn_lag lag = krn_lag(lab->network);
  ck_assert_uint_eq(lag.frames, 100);
  ck_assert(lag.median <= lag.p99 && lag.p99 <= lag.worst);
  ck_assert_uint_gt(lag.median, 0);
  ck_assert_uint_lt(lag.median, 50 * CHORUS_MILLISECOND);
  lab_free(lab);
}
END_TEST

LAB_SUITE("impairment", {the_listed_packet_of_the_pair_is_lost, 1},
          {losses_do_not_depend_on_others, 1}, {duplicates_come_later, 1},
          {corrupt_packets_reach_the_interface_only, 1}, {lost_fragments_spoil_the_datagram, 1},
          {links_have_zones_and_take_hops, 1}, {a_flooding_switch_sends_to_all, 1},
          {testers_forge_and_hear, 1}, {testers_and_hosts_tell_each_other_of_closed_ports, 1},
          {nodes_with_sockets_forge_past_their_kernel, 1}, {lateness_is_measured, 1})
