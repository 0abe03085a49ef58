/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"

#include "toy.h"

static struct emu_node_config named(const char *name, struct chorus_endpoint *address,
                                    struct toy *toy) {
  return (struct emu_node_config){
      .name = name, .node = {&toy_ops, toy}, .addresses = address, .address_count = 1};
}

START_TEST(names_and_addresses_are_unique) {
  struct toy_network t;
  struct emu_config config = {0};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", "fe80::1", 0, NULL);
  struct chorus_endpoint free_one = at("2001:db8::2"), taken = at("2001:db8::1");
  struct chorus_endpoint local = at("fe80::1"), group = at("ff05::fd");
  struct emu_node_config same_name = named("a", &free_one, &t.nodes[1]);
  struct emu_node_config same_address = named("b", &taken, &t.nodes[1]);
  struct emu_node_config same_local = named("b", &local, &t.nodes[1]);
  struct emu_node_config group_address = named("b", &group, &t.nodes[1]);
  struct emu_node_config no_link = named("b", &free_one, &t.nodes[1]);
  no_link.link = 1;
  ck_assert_uint_eq(emu_add_node(t.network, &same_name), UINT32_MAX);
  ck_assert_uint_eq(emu_add_node(t.network, &same_address), UINT32_MAX);
  ck_assert_uint_eq(emu_add_node(t.network, &same_local), UINT32_MAX);
  ck_assert_uint_eq(emu_add_node(t.network, &group_address), UINT32_MAX);
  ck_assert_uint_eq(emu_add_node(t.network, &no_link), UINT32_MAX);
  struct emu_link_config link = {0};
  same_local.link = emu_add_link(t.network, &link); /* another link, another zone */
  ck_assert_uint_eq(emu_add_node(t.network, &same_local), 1);
  ck_assert_str_eq(emu_node_name(t.network, 1), "b");
  ck_assert_uint_eq(emu_node_address(t.network, 1, 0)->zone, 2);
  ck_assert_ptr_null(emu_node_address(t.network, 1, 1));
  ck_assert_ptr_null(emu_node_address(t.network, 9, 0));
  ck_assert_ptr_null(emu_node_name(t.network, 9));
  toy_finish(&t);
}
END_TEST

START_TEST(hot_state_fits_its_cache_lines) {
  ck_assert_uint_eq(offsetof(struct emu_node, key), 64);
  ck_assert_uint_eq(offsetof(struct emu_node, v6_local), 128);
  ck_assert_uint_le(sizeof(struct emu_node), 192);
}
END_TEST

START_TEST(a_failing_start_is_told) {
  struct toy_network t;
  struct emu_config config = {0};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  toy_add(&t, "b", "2001:db8::2", NULL, 0, NULL);
  t.nodes[0].start_status = CHORUS_REFUSED;
  ck_assert_int_eq(emu_start(t.network), CHORUS_REFUSED);
  ck_assert_int_eq(emu_start(t.network), CHORUS_OK); /* the rest; nobody starts twice */
  emu_stop(t.network);
  emu_stop(t.network);
  ck_assert_uint_eq(t.nodes[0].stops, 0);
  ck_assert_uint_eq(t.nodes[1].stops, 1);
  toy_finish(&t);
}
END_TEST

START_TEST(commands_are_explained) {
  struct toy_network t;
  struct emu_config config = {0};
  const char *why = NULL;
  struct chorus_command command = {.verb = "request"};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  ck_assert_int_eq(emu_command(t.network, 0, &command, &why), CHORUS_REFUSED);
  ck_assert_ptr_nonnull(why);
  emu_start(t.network);
  ck_assert_int_eq(emu_command(t.network, 0, &command, &why), CHORUS_UNSUPPORTED);
  ck_assert_ptr_nonnull(why);
  ck_assert_int_eq(emu_command(t.network, 3, &command, NULL), CHORUS_BAD_ARGUMENT);
  toy_finish(&t);
}
END_TEST

START_TEST(time_stands_where_it_was_sent) {
  struct toy_network t;
  struct emu_config config = {.latency = 700};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  toy_add(&t, "b", "2001:db8::2", NULL, 0, NULL);
  emu_start(t.network);
  ck_assert_uint_eq(emu_next(t.network), CHORUS_NEVER);
  emu_run_until(t.network, 100);
  ck_assert_uint_eq(emu_now(t.network), 100);
  toy_send(&t, 0, "[2001:db8::2]:5683", 1);
  ck_assert_uint_eq(emu_next(t.network), 800);
  ck_assert_uint_eq(emu_counters(t.network).in_flight, 1);
  ck_assert_uint_eq(emu_run_idle(t.network, 100), 800); /* finishes what is under way */
  t.nodes[1].host->ops->deadline(t.nodes[1].host->context, 5000);
  ck_assert_uint_eq(emu_run_idle(t.network, 4000), 800);
  ck_assert_uint_eq(t.nodes[1].wakes, 0);
  emu_run_idle(t.network, 5000);
  ck_assert_uint_eq(t.nodes[1].wakes, 1);
  toy_finish(&t);
}
END_TEST

START_TEST(looking_forward_does_not_disturb) {
  struct toy_network t;
  struct emu_config config = {.latency = 700};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  toy_add(&t, "b", "2001:db8::2", NULL, 0, NULL);
  emu_start(t.network);
  const struct chorus_host *host = t.nodes[0].host;
  host->ops->deadline(host->context, 145 * CHORUS_SECOND);
  for (int i = 0; i < 200; i++) {
    ck_assert_uint_eq(emu_next(t.network), 145 * CHORUS_SECOND);
    toy_send(&t, 0, "[2001:db8::2]:5683", 1);
    ck_assert_uint_eq(emu_next(t.network), emu_now(t.network) + 700);
    emu_run_until(t.network, emu_now(t.network) + 1000);
  }
  ck_assert_uint_eq(t.nodes[1].count, 200);
  toy_finish(&t);
}
END_TEST

START_TEST(impairments_need_nodes) {
  struct toy_network t;
  struct emu_config config = {0};
  struct emu_impairment loss = {.loss = 1};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  ck_assert_uint_eq(emu_impair(t.network, 1, EMU_ANY, &loss), 0);
  ck_assert_uint_eq(emu_impair(t.network, EMU_ANY, 1, &loss), 0);
  ck_assert_uint_eq(emu_impair(t.network, 0, EMU_ANY, &loss), 1);
  ck_assert_uint_eq(emu_impairment_used(t.network, 1), 0);
  emu_repair(t.network, 1);
  emu_repair(t.network, 2);
  toy_finish(&t);
}
END_TEST

/* Pools and queue grow to their working size, then no more. */
START_TEST(steady_state_takes_no_memory) {
  struct toy_network t;
  struct emu_config config = {.latency = 700};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  toy_add(&t, "b", "2001:db8::2", NULL, 0, "[ff35::1]:5683");
  t.nodes[1].answers = 100000;
  emu_start(t.network);
  const void *slabs = NULL, *chunks = NULL;
  uint32_t packets = 0;
  for (int i = 0; i < 20000; i++) {
    toy_send(&t, 0, i % 2 ? "[ff35::1]:5683" : "[2001:db8::2]:5683", 60);
    if (i % 8 == 0) emu_run_until(t.network, emu_now(t.network) + 5000);
    if (i == 1000) {
      slabs = t.network->pool.slabs;
      chunks = t.network->queue.slabs;
      packets = t.network->packets.count;
    }
  }
  ck_assert_ptr_eq(t.network->pool.slabs, slabs);
  ck_assert_ptr_eq(t.network->queue.slabs, chunks);
  ck_assert_uint_eq(t.network->packets.count, packets);
  toy_finish(&t);
}
END_TEST

/* The payload of a multicast is there once, however many hear it. */
START_TEST(a_multicast_payload_is_shared) {
  struct toy_network t;
  struct emu_config config = {.latency = 700};
  toy_new(&t, &config);
  toy_add(&t, "a", "2001:db8::1", NULL, 0, NULL);
  char name[16], address[40];
  for (int i = 1; i < TOY_NODES; i++) {
    snprintf(name, sizeof name, "s%d", i);
    snprintf(address, sizeof address, "2001:db8:1::%d", i);
    toy_add(&t, name, address, NULL, 0, "[ff35::1]:5683");
  }
  emu_start(t.network);
  struct emu_impairment late = {.delay = 5};
  emu_impair(t.network, EMU_ANY, 3, &late);
  toy_send(&t, 0, "[ff35::1]:5683", 60);
  ck_assert_uint_eq(t.network->packets.count, 1);
  ck_assert_uint_eq(emu_packet_at(t.network, 0)->payload->references, 1);
  ck_assert_uint_eq(emu_packet_at(t.network, 0)->references, 2); /* the group and the late one */
  emu_run_until(t.network, 10000);
  for (int i = 1; i < TOY_NODES; i++) ck_assert_uint_eq(t.nodes[i].count, 1);
  toy_finish(&t);
}
END_TEST

RUN_SUITE("network", names_and_addresses_are_unique, hot_state_fits_its_cache_lines,
          a_failing_start_is_told, commands_are_explained, time_stands_where_it_was_sent,
          looking_forward_does_not_disturb, impairments_need_nodes, steady_state_takes_no_memory,
          a_multicast_payload_is_shared)
