/* SPDX-License-Identifier: BSD-2-Clause */
#include "scope.h"

#include "toy.h"

static void select_and_expect(const struct toy_network *t, const char *destination,
                              const char *expected) {
  struct chorus_endpoint to = at(destination), source = {0}, wanted = at(expected);
  ck_assert(emu_select_source(emu_node_at(t->network, 0), &to, &source));
  ck_assert_msg(chorus_same_address(&source, &wanted), "%s", destination);
  ck_assert_uint_eq(source.zone, chorus_is_link_local(&wanted) ? 1 : 0);
}

START_TEST(sources_fit_the_scope) {
  struct toy_network t;
  struct emu_config config = {0};
  toy_new(&t, &config);
  toy_add(&t, "a", "fe80::a", "2001:db8::a", 0, NULL);
  select_and_expect(&t, "ff02::fd", "fe80::a");
  select_and_expect(&t, "fe80::1", "fe80::a");
  select_and_expect(&t, "ff05::fd", "2001:db8::a");
  select_and_expect(&t, "ff03::fd", "2001:db8::a");
  select_and_expect(&t, "2001:db8::1", "2001:db8::a");
  struct chorus_endpoint v4 = at("192.0.2.1"), source = {0};
  ck_assert(!emu_select_source(emu_node_at(t.network, 0), &v4, &source));
  toy_finish(&t);
}
END_TEST

START_TEST(any_source_is_better_than_none) {
  struct toy_network t;
  struct emu_config config = {0};
  toy_new(&t, &config);
  toy_add(&t, "a", "fe80::a", "192.0.2.1", 0, NULL);
  select_and_expect(&t, "ff05::fd", "fe80::a");
  select_and_expect(&t, "224.0.0.5", "192.0.2.1");
  select_and_expect(&t, "255.255.255.255", "192.0.2.1");
  toy_finish(&t);
}
END_TEST

START_TEST(the_longest_prefix_wins) {
  struct toy_network t;
  struct emu_config config = {0};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8:1::a", "2001:db8:2::a", 0, NULL);
  select_and_expect(&t, "2001:db8:2::1", "2001:db8:2::a");
  select_and_expect(&t, "2001:db8:1::1", "2001:db8:1::a");
  select_and_expect(&t, "ff05::fd", "2001:db8:1::a"); /* no prefix to compare: the first */
  toy_finish(&t);
}
END_TEST

START_TEST(default_hop_limits) {
  const struct {
    const char *to;
    unsigned hops;
  } cases[] = {{"2001:db8::1", 64}, {"192.0.2.1", 64},      {"ff02::fd", 1},
               {"224.0.0.1", 1},    {"255.255.255.255", 1}, {"ff03::fd", 16},
               {"ff05::fd", 16},    {"224.0.1.187", 16},    {"ff0e::1", 16}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct chorus_endpoint to = at(cases[i].to);
    ck_assert_uint_eq(emu_default_hop_limit(&to), cases[i].hops);
  }
}
END_TEST

/* Link 1 shares every zone with link 0 but the smallest; link 2 shares only the organization. */
START_TEST(zones_hold_groups) {
  struct toy_network t;
  struct emu_config config = {0};
  toy_new(&t, &config);
  struct emu_link_config near = {.realm = 1}, far = {.realm = 2, .admin = 1, .site = 1};
  ck_assert_uint_eq(emu_add_link(t.network, &near), 1);
  ck_assert_uint_eq(emu_add_link(t.network, &far), 2);
  const struct {
    const char *group;
    bool near, far;
  } cases[] = {
      {"ff01::1", false, false},   {"ff02::fd", false, false},  {"ff03::fd", false, false},
      {"ff04::fd", true, false},   {"ff05::fd", true, false},   {"ff08::fd", true, true},
      {"ff0e::fd", true, true},    {"224.0.0.9", false, false}, {"239.255.0.1", true, false},
      {"239.192.0.1", true, true}, {"224.0.1.187", true, true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct chorus_endpoint group = at(cases[i].group);
    ck_assert(emu_same_zone(t.network, 0, 0, &group));
    ck_assert_msg(emu_same_zone(t.network, 0, 1, &group) == cases[i].near, "%s", cases[i].group);
    ck_assert_msg(emu_same_zone(t.network, 0, 2, &group) == cases[i].far, "%s", cases[i].group);
  }
  toy_finish(&t);
}
END_TEST

START_TEST(crossing_takes_a_hop_and_a_routable_source) {
  struct emu_packet packet = {
      .source = at("2001:db8::1"), .destination = at("ff05::fd"), .hop_limit = 2};
  ck_assert(emu_can_cross(&packet, 0, 1));
  packet.hop_limit = 1;
  ck_assert(!emu_can_cross(&packet, 0, 1));
  ck_assert(emu_can_cross(&packet, 1, 1));
  packet.hop_limit = 64;
  packet.source = at("fe80::1");
  ck_assert(!emu_can_cross(&packet, 0, 1));
}
END_TEST

START_TEST(all_nodes_groups) {
  struct chorus_endpoint yes[] = {at("ff02::1"), at("224.0.0.1")};
  struct chorus_endpoint no[] = {at("ff02::2"), at("ff05::1"), at("224.0.0.2"), at("fe80::1")};
  for (size_t i = 0; i < 2; i++) ck_assert(emu_is_all_nodes(&yes[i]));
  for (size_t i = 0; i < 4; i++) ck_assert(!emu_is_all_nodes(&no[i]));
}
END_TEST

RUN_SUITE("scope", sources_fit_the_scope, any_source_is_better_than_none, the_longest_prefix_wins,
          default_hop_limits, zones_hold_groups, crossing_takes_a_hop_and_a_routable_source,
          all_nodes_groups)
