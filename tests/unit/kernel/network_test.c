/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams between nodes with sockets in their namespaces. */
#include <pthread.h>
#include <time.h>

#include "lab.h"

#define GROUP_V6 "[ff35::1]:5683"
#define GROUP_V4 "224.0.1.187:5683"

START_TEST(unicast_goes_there_and_back) {
  static const char *const to[] = {"[2001:db8::2]:5683", "192.0.2.2:5683"};
  static const char *const from[] = {"[2001:db8::1]:49152", "192.0.2.1:49152"};
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[2001:db8::2],192.0.2.2", 5683, NULL);
  lab->nodes[b].answers = 1;
  lab_go(lab);
  lab_send(lab, a, to[_i], "hello");
  lab_await(lab, &lab->nodes[b].count, 1);
  lab_await(lab, &lab->nodes[a].count, 1);
  struct chorus_endpoint asker = at(from[_i]), server = at(to[_i]);
  const struct lab_note *asked = &lab->nodes[b].notes[0], *answered = &lab->nodes[a].notes[0];
  ck_assert(chorus_same_endpoint(&asked->datagram.source, &asker));
  ck_assert(chorus_same_endpoint(&asked->datagram.destination, &server));
  ck_assert(chorus_same_endpoint(&answered->datagram.source, &server));
  ck_assert_uint_eq(asked->datagram.hop_limit, 64);
  ck_assert_mem_eq(answered->head, "hello", 5);
  /* The reference behind sockets keeps the emulator's times to the nanosecond. */
  ck_assert_uint_eq(answered->at, asked->at + CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->sent_count, 2);
  ck_assert_uint_eq(lab->came_count, 2);
  ck_assert_uint_eq(lab->events, 1);
  ck_assert_uint_eq(lab->sent_at_event, 2); /* the answer left before the event */
  lab_free(lab);
}
END_TEST

START_TEST(multicast_reaches_members_only) {
  static const char *const group[] = {GROUP_V6, GROUP_V4};
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[2001:db8::2],192.0.2.2", 5683, group[_i]);
  uint32_t c = lab_add(lab, "c", "[2001:db8::3],192.0.2.3", 5683, NULL);
  uint32_t d = lab_add(lab, "d", "[2001:db8::4],192.0.2.4", 0, group[_i]);
  lab_go(lab);
  lab_send(lab, a, group[_i], "all");
  lab_await(lab, &lab->nodes[d].count, 1);
  lab_run(lab, 20 * CHORUS_MILLISECOND);
  struct chorus_endpoint to = at(group[_i]);
  ck_assert_uint_eq(lab->nodes[b].count, 1);
  ck_assert_uint_eq(lab->nodes[c].count, 0);
  ck_assert(chorus_same_endpoint(&lab->nodes[b].notes[0].datagram.destination, &to));
  ck_assert_uint_eq(lab->nodes[b].notes[0].datagram.hop_limit, 16);
  ck_assert_uint_eq(lab->came_count, 2);
  ck_assert_uint_eq(lab_count_fate(lab, c, EMU_DELIVERED), 0);
  ck_assert(krn_is_member(lab->network, b, &to));
  ck_assert(!krn_is_member(lab->network, c, &to));
  lab_free(lab);
}
END_TEST

START_TEST(a_node_that_left_hears_nothing) {
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[2001:db8::2]", 5683, GROUP_V6);
  lab_go(lab);
  const struct chorus_host *host = lab->nodes[b].host;
  struct chorus_endpoint group = at(GROUP_V6);
  ck_assert_int_eq(host->ops->join(host->context, &group), CHORUS_OK); /* still one membership */
  lab_send(lab, a, GROUP_V6, "1");
  lab_await(lab, &lab->nodes[b].count, 1);
  host->ops->leave(host->context, &group);
  ck_assert(!krn_is_member(lab->network, b, &group));
  lab_send(lab, a, GROUP_V6, "2");
  lab_run(lab, 50 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[b].count, 1);
  ck_assert_int_eq(host->ops->join(host->context, &group), CHORUS_OK);
  lab_run(lab, 50 * CHORUS_MILLISECOND); /* the kernel's own reports must not undo it */
  lab_send(lab, a, GROUP_V6, "3");
  lab_await(lab, &lab->nodes[b].count, 2);
  ck_assert_uint_eq(lab->joined, 2);
  ck_assert_uint_eq(lab->left, 1);
  lab_free(lab);
}
END_TEST

START_TEST(all_nodes_are_members_of_all_nodes) {
  static const char *const group[] = {"[ff02::1]:5683", "224.0.0.1:5683", "255.255.255.255:5683"};
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[fe80::1],192.0.2.1", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[fe80::2],192.0.2.2", 5683, NULL);
  lab_go(lab);
  lab_send(lab, a, group[_i], "all");
  lab_await(lab, &lab->nodes[b].count, 1);
  ck_assert_uint_eq(lab->nodes[b].notes[0].datagram.hop_limit, 1);
  if (_i == 0) ck_assert_uint_eq(lab->nodes[b].notes[0].datagram.source.zone, 1);
  lab_free(lab);
}
END_TEST

START_TEST(own_multicasts_come_back_if_wanted) {
  static const char *const group[] = {GROUP_V6, GROUP_V4};
  struct lab *lab = lab_default();
  lab->nodes[0].join = lab->nodes[1].join = group[_i];
  struct emu_node_config echo = {.multicast_loopback = true};
  uint32_t a = lab_add_as(lab, "a", "[2001:db8::1],192.0.2.1", KRN_SOCKETS, echo);
  uint32_t b =
      lab_add_as(lab, "b", "[2001:db8::2],192.0.2.2", KRN_SOCKETS, (struct emu_node_config){0});
  lab_go(lab);
  lab_send(lab, a, group[_i], "a");
  lab_send(lab, b, group[_i], "b");
  lab_await(lab, &lab->nodes[a].count, 2);
  lab_run(lab, 20 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[a].count, 2);
  ck_assert_uint_eq(lab->nodes[b].count, 1);
  lab_free(lab);
}
END_TEST

START_TEST(large_datagrams_come_in_fragments) {
  static const char *const group[] = {GROUP_V6, GROUP_V4};
  struct lab *lab =
      lab_new((struct krn_config){.network = {.seed = 1, .mtu = _i < 2 ? 1280 : 576}});
  const char *to = group[_i % 2];
  uint32_t a = lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[2001:db8::2],192.0.2.2", 0, to);
  uint8_t payload[2000];
  for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)(i * 7);
  lab_go(lab);
  ck_assert_int_eq(lab_try(lab, a, to, payload, sizeof payload), CHORUS_OK);
  lab_await(lab, &lab->nodes[b].count, 1);
  const struct lab_note *note = &lab->nodes[b].notes[0];
  ck_assert_uint_eq(note->datagram.length, sizeof payload);
  ck_assert_uint_eq(note->checksum, lab_checksum(payload, sizeof payload));
  size_t parts = _i == 3 ? 4 : 2; /* 552 octets of body fit into 576 */
  ck_assert_uint_eq(lab->sent_count, parts);
  ck_assert_uint_eq(lab->came_count, parts);
  ck_assert_uint_eq(lab_count_fate(lab, b, EMU_DELIVERED), parts);
  static uint8_t huge[65508];
  ck_assert_int_eq(lab_try(lab, a, to, huge, sizeof huge), CHORUS_TOO_LARGE);
  lab_free(lab);
}
END_TEST

START_TEST(closed_ports_answer_with_icmp) {
  static const char *const to[] = {"[2001:db8::2]:9", "192.0.2.2:9"};
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 0, NULL);
  lab_add(lab, "b", "[2001:db8::2],192.0.2.2", 5683, NULL);
  lab_go(lab);
  for (size_t i = 1; i <= 20; i++) { /* no rate limit */
    lab_send(lab, a, to[_i], "?");
    lab_await(lab, &lab->nodes[a].unreachables, i);
  }
  struct chorus_endpoint expected = at(to[_i]);
  ck_assert(chorus_same_endpoint(&lab->nodes[a].unreachable, &expected));
  ck_assert_uint_eq(lab->sent_count, 40);
  lab_free(lab);
}
END_TEST

START_TEST(a_node_without_icmp_is_silent) {
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  lab_add_as(lab, "b", "[2001:db8::2]", KRN_SOCKETS, (struct emu_node_config){.no_icmp = true});
  lab_go(lab);
  lab_send(lab, a, "[2001:db8::2]:9", "?");
  lab_run(lab, 50 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[a].unreachables, 0);
  ck_assert_uint_eq(lab->sent_count, 1);
  lab_free(lab);
}
END_TEST

START_TEST(nobody_has_the_address) {
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 0, NULL);
  lab_go(lab);
  lab_send(lab, a, "[2001:db8::99]:5683", "?");
  lab_send(lab, a, "198.51.100.1:5683", "?");
  ck_assert_uint_eq(lab_count_fate(lab, EMU_ANY, EMU_DROPPED_NO_ROUTE), 2);
  lab_free(lab);
}
END_TEST

static bool is_report(const struct lab_seen *packet) {
  const uint8_t *o = packet->octets;
  if (o[0] >> 4 == 4) return o[9] == 2;            /* IGMP */
  return o[6] == 0 && o[40] == 58 && o[48] == 143; /* MLDv2 behind hop-by-hop options */
}

START_TEST(idle_kernels_say_nothing) {
  struct lab *lab = lab_default();
  for (int i = 0; i < 4; i++) {
    char name[8], addresses[64];
    snprintf(name, sizeof name, "n%d", i);
    snprintf(addresses, sizeof addresses, "[2001:db8::%d],[fe80::%d],192.0.2.%d", i + 1, i + 1,
             i + 1);
    lab_add(lab, name, addresses, 5683, "[ff35::1]:5683");
  }
  lab_go(lab);
  lab_run(lab, 1500 * CHORUS_MILLISECOND);
  /* A veth device tells of its link up to a second late, and memberships are reported again. */
  bool late = krn_attached(lab->network) == KRN_PACKET;
  for (size_t i = 0; i < lab->sent_count; i++) ck_assert(late && is_report(&lab->sent[i]));
  ck_assert_uint_eq(lab->came_count, 0);
  lab_free(lab);
}
END_TEST

START_TEST(link_local_addresses_have_the_zone_of_their_link) {
  struct lab *lab = lab_default();
  uint32_t link = krn_add_link(lab->network, &(struct emu_link_config){0});
  lab->nodes[0].port = lab->nodes[1].port = 5683;
  struct emu_node_config there = {.link = link};
  uint32_t a = lab_add_as(lab, "a", "[fe80::1],169.254.0.1", KRN_SOCKETS, there);
  uint32_t b = lab_add_as(lab, "b", "[fe80::2],169.254.0.2", KRN_SOCKETS, there);
  lab->nodes[b].answers = 2;
  lab_go(lab);
  lab_send(lab, a, "[fe80::2%2]:5683", "v6");
  lab_send(lab, a, "169.254.0.2:5683", "v4");
  lab_await(lab, &lab->nodes[a].count, 2);
  ck_assert_uint_eq(lab->nodes[b].notes[0].datagram.source.zone, link + 1);
  ck_assert_uint_eq(lab->nodes[b].notes[0].datagram.destination.zone, link + 1);
  ck_assert_uint_eq(lab->nodes[b].notes[1].datagram.source.zone, link + 1);
  lab_free(lab);
}
END_TEST

static void *use_a_network(void *unused) {
  (void)unused;
  for (int i = 0; i < 3; i++) {
    struct lab *lab = lab_default();
    uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
    uint32_t b = lab_add(lab, "b", "[2001:db8::2]", 5683, GROUP_V6);
    lab_go(lab);
    lab_send(lab, a, GROUP_V6, "x");
    lab_await(lab, &lab->nodes[b].count, 1);
    lab_free(lab);
  }
  return NULL;
}

START_TEST(threads_have_networks_of_their_own) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, use_a_network, NULL), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}
END_TEST

static void add_late(struct lab *lab) {
  lab_run(lab, 20 * CHORUS_MILLISECOND);
  lab_add(lab, "late", "[2001:db8::9]", 5683, GROUP_V6);
  lab_go(lab);
}

START_TEST(nodes_may_come_later) {
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  lab_go(lab);
  add_late(lab);
  ck_assert_uint_gt(krn_now(lab->network), 20 * CHORUS_MILLISECOND);
  lab_send(lab, a, GROUP_V6, "x");
  lab_await(lab, &lab->nodes[1].count, 1);
  lab_free(lab);
}
END_TEST

START_TEST(the_past_is_over_at_once) {
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[2001:db8::2]", 5683, NULL);
  lab_go(lab);
  const struct timespec nap = {.tv_nsec = 50000000};
  nanosleep(&nap, NULL); /* as a slow caller would */
  lab_send(lab, a, "[2001:db8::2]:5683", "x");
  ck_assert_uint_eq(lab->sent[0].at, 0); /* the time that the caller was told */
  krn_run_until(lab->network, 10 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(krn_now(lab->network), 10 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[b].count, 1);
  ck_assert_uint_eq(lab->nodes[b].notes[0].at, CHORUS_MILLISECOND);
  lab_free(lab);
}
END_TEST

START_TEST(deadlines_come_on_time) {
  struct lab *lab = lab_default();
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  lab_go(lab);
  const struct chorus_host *host = lab->nodes[a].host;
  host->ops->deadline(host->context, 30 * CHORUS_MILLISECOND);
  lab_run(lab, 29 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[a].wakes, 0);
  lab_run(lab, 2 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[a].wakes, 1);
  ck_assert_uint_eq(lab->nodes[a].last_wake, 30 * CHORUS_MILLISECOND);
  lab_free(lab);
}
END_TEST

START_TEST(deadlines_wait_for_time_to_begin) {
  struct lab *lab = lab_default();
  lab->nodes[0].early = lab->nodes[1].early = "[2001:db8::3]:5683";
  lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  lab_add_as(lab, "t", "[2001:db8::2]", KRN_PORT, (struct emu_node_config){0});
  uint32_t b = lab_add(lab, "b", "[2001:db8::3]", 5683, NULL);
  lab_go(lab);
  ck_assert_uint_eq(lab->sent_count, 0);
  lab_await(lab, &lab->nodes[b].count, 2);
  ck_assert_uint_eq(lab->sent_count, 2);
  ck_assert_uint_eq(lab->sent[0].at, 1);
  lab_free(lab);
}
END_TEST

START_TEST(dilated_time_runs_faster) {
  struct lab *lab = lab_new((struct krn_config){
      .network = {.seed = 1, .latency = 400 * CHORUS_MILLISECOND}, .dilation = 20});
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  uint32_t b = lab_add(lab, "b", "[2001:db8::2]", 5683, NULL);
  lab_go(lab);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  lab_send(lab, a, "[2001:db8::2]:5683", "?");
  krn_run_until(lab->network, 2 * CHORUS_SECOND);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double real = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
  ck_assert_uint_eq(lab->nodes[b].count, 1);
  ck_assert_uint_eq(lab->nodes[b].notes[0].at, lab->sent[0].at + 400 * CHORUS_MILLISECOND);
  ck_assert(real > 0.08 && real < 1.0);
  lab_free(lab);
}
END_TEST

START_TEST(random_numbers_are_those_of_the_emulator) {
  struct lab *lab = lab_new((struct krn_config){.network = {.seed = 42}});
  uint32_t a = lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  lab_go(lab);
  struct emu_network *sim = emu_network_new(&(struct emu_config){.seed = 42});
  struct lab_node twin = {0};
  struct chorus_endpoint address = at("[2001:db8::1]");
  struct emu_node_config config = {.name = "a",
                                   .node = {.ops = &lab_ops, .state = &twin},
                                   .addresses = &address,
                                   .address_count = 1};
  ck_assert_uint_eq(emu_add_node(sim, &config), 0);
  ck_assert_int_eq(emu_start(sim), CHORUS_OK);
  ck_assert_uint_eq(lab->nodes[a].draw, twin.draw);
  emu_network_free(sim);
  lab_free(lab);
}
END_TEST

START_TEST(bad_nodes_are_refused) {
  struct lab *lab = lab_default();
  lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  struct chorus_endpoint address = at("[2001:db8::1]");
  struct emu_node_config config = {.name = "b",
                                   .node = {.ops = &lab_ops, .state = &lab->nodes[1]},
                                   .addresses = &address,
                                   .address_count = 1};
  ck_assert_uint_eq(krn_add_node(lab->network, &config, KRN_SOCKETS), UINT32_MAX);
  ck_assert_ptr_nonnull(strstr(krn_error(lab->network), "node b"));
  address = at("[2001:db8::2]");
  config.icmp_to_group = true;
  ck_assert_uint_eq(krn_add_node(lab->network, &config, KRN_SOCKETS), UINT32_MAX);
  ck_assert_ptr_nonnull(strstr(krn_error(lab->network), "ICMP"));
  lab_free(lab);
}
END_TEST

static bool never(void *context, uint32_t node) {
  (void)context;
  return node != 0;
}

START_TEST(patience_ends) {
  struct lab *lab = lab_default();
  lab_add(lab, "slow", "[2001:db8::1]", 0, NULL);
  int status = krn_start(lab->network, never, NULL, 50 * CHORUS_MILLISECOND);
  ck_assert_int_eq(status, CHORUS_REFUSED);
  ck_assert_str_eq(krn_error(lab->network), "node slow is not ready");
  lab_free(lab);
}
END_TEST

static bool after_three(void *context) {
  return ++*(int *)context > 3;
}

START_TEST(waiting_can_be_interrupted) {
  int asked = 0;
  struct lab *lab =
      lab_new((struct krn_config){.interrupted = after_three, .interrupted_context = &asked});
  lab_add(lab, "a", "[2001:db8::1]", 0, NULL);
  asked = -1000000;
  lab_go(lab);
  asked = 0;
  krn_run_until(lab->network, 100 * CHORUS_SECOND);
  ck_assert_uint_lt(krn_now(lab->network), 5 * CHORUS_SECOND);
  lab_free(lab);
}
END_TEST

LAB_SUITE("network", {unicast_goes_there_and_back, 2}, {multicast_reaches_members_only, 2},
          {a_node_that_left_hears_nothing, 1}, {all_nodes_are_members_of_all_nodes, 3},
          {own_multicasts_come_back_if_wanted, 2}, {large_datagrams_come_in_fragments, 4},
          {closed_ports_answer_with_icmp, 2}, {a_node_without_icmp_is_silent, 1},
          {nobody_has_the_address, 1}, {link_local_addresses_have_the_zone_of_their_link, 1},
          {threads_have_networks_of_their_own, 1}, {nodes_may_come_later, 1},
          {the_past_is_over_at_once, 1}, {idle_kernels_say_nothing, 1}, {deadlines_come_on_time, 1},
          {deadlines_wait_for_time_to_begin, 1}, {dilated_time_runs_faster, 1},
          {random_numbers_are_those_of_the_emulator, 1}, {bad_nodes_are_refused, 1},
          {patience_ends, 1}, {waiting_can_be_interrupted, 1})
