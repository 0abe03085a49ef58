/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"
#include "toy.h"

/* One running node; its host in |*host|. */
static struct toy *one_node(struct toy_network *t, const struct chorus_host **host) {
  struct emu_config config = {.seed = 4};
  toy_new(t, &config);
  toy_add(t, "a", "2001:db8::a", NULL, 0, NULL);
  ck_assert_int_eq(emu_start(t->network), CHORUS_OK);
  *host = t->nodes[0].host;
  return &t->nodes[0];
}

START_TEST(a_deadline_wakes_once) {
  struct toy_network t;
  const struct chorus_host *host;
  struct toy *node = one_node(&t, &host);
  host->ops->deadline(host->context, 500);
  ck_assert_uint_eq(emu_next(t.network), 500);
  emu_run_until(t.network, 499);
  ck_assert_uint_eq(node->wakes, 0);
  emu_run_until(t.network, 10000);
  ck_assert_uint_eq(node->wakes, 1);
  ck_assert_uint_eq(node->last_wake, 500);
  ck_assert_uint_eq(emu_next(t.network), CHORUS_NEVER);
  toy_finish(&t);
}
END_TEST

START_TEST(the_last_deadline_counts) {
  struct toy_network t;
  const struct chorus_host *host;
  struct toy *node = one_node(&t, &host);
  const chorus_time moves[] = {500, 900, 200, 700, CHORUS_NEVER, 300, 800};
  for (size_t i = 0; i < 7; i++) {
    host->ops->deadline(host->context, moves[i]);
    ck_assert_uint_eq(emu_next(t.network), moves[i]);
  }
  emu_run_until(t.network, 799);
  ck_assert_uint_eq(node->wakes, 0);
  ck_assert_uint_eq(emu_next(t.network), 800);
  emu_run_until(t.network, 5000);
  ck_assert_uint_eq(node->wakes, 1);
  ck_assert_uint_eq(node->last_wake, 800);
  toy_finish(&t);
}
END_TEST

START_TEST(no_deadline_no_wake) {
  struct toy_network t;
  const struct chorus_host *host;
  struct toy *node = one_node(&t, &host);
  host->ops->deadline(host->context, 100);
  host->ops->deadline(host->context, CHORUS_NEVER);
  emu_run_until(t.network, 1000);
  ck_assert_uint_eq(node->wakes, 0);
  toy_finish(&t);
}
END_TEST

/* A deadline in the past is due now, in a later call. */
START_TEST(past_deadlines_are_due) {
  struct toy_network t;
  const struct chorus_host *host;
  struct toy *node = one_node(&t, &host);
  emu_run_until(t.network, 1000);
  host->ops->deadline(host->context, 5);
  ck_assert_uint_eq(node->wakes, 0);
  emu_run_until(t.network, 1000);
  ck_assert_uint_eq(node->wakes, 1);
  ck_assert_uint_eq(node->last_wake, 1000);
  toy_finish(&t);
}
END_TEST

/* Replacing a deadline for the later must not pile up events. */
START_TEST(replaced_deadlines_are_cheap) {
  struct toy_network t;
  const struct chorus_host *host;
  struct toy *node = one_node(&t, &host);
  for (chorus_time i = 0; i < 100000; i++) {
    host->ops->deadline(host->context, 1000000 + i);
    host->ops->deadline(host->context, 2000000 + i);
  }
  ck_assert_uint_le(t.network->queue.count, 3);
  emu_run_until(t.network, 3000000);
  ck_assert_uint_eq(node->wakes, 1);
  ck_assert_uint_eq(node->last_wake, 2099999);
  toy_finish(&t);
}
END_TEST

/* Random moves against the plain rule: the node wakes exactly at its last deadline. */
START_TEST(deadlines_behave_like_a_variable) {
  struct toy_network t;
  const struct chorus_host *host;
  struct toy *node = one_node(&t, &host);
  chorus_time deadline = CHORUS_NEVER, now = 0;
  size_t wakes = 0;
  for (int i = 0; i < 20000; i++) {
    uint64_t r = host->ops->random(host->context, 2);
    if (r % 3) {
      deadline = r % 7 == 0 ? CHORUS_NEVER : now + (r >> 8) % 50;
      host->ops->deadline(host->context, deadline);
    } else {
      now += (r >> 8) % 20;
      emu_run_until(t.network, now);
      if (deadline <= now) {
        wakes++;
        ck_assert_uint_eq(node->last_wake, deadline);
        deadline = CHORUS_NEVER;
      }
    }
    ck_assert_uint_eq(node->wakes, wakes);
    ck_assert_uint_eq(emu_next(t.network), deadline);
  }
  toy_finish(&t);
}
END_TEST

START_TEST(ports_open_and_close) {
  struct toy_network t;
  const struct chorus_host *host;
  one_node(&t, &host);
  const struct emu_node *node = emu_node_at(t.network, 0);
  for (uint16_t port = 1; port <= 40; port++)
    ck_assert_int_eq(host->ops->open(host->context, port), CHORUS_OK);
  ck_assert_int_eq(host->ops->open(host->context, 7), CHORUS_OK);
  ck_assert_int_eq(host->ops->open(host->context, 0), CHORUS_BAD_ARGUMENT);
  for (uint16_t port = 1; port <= 40; port += 2) host->ops->close(host->context, port);
  host->ops->close(host->context, 999);
  for (uint16_t port = 1; port <= 40; port++)
    ck_assert_int_eq(emu_port_is_open(node, port), port % 2 == 0);
  ck_assert(emu_port_is_open(node, 5683));
  toy_finish(&t);
}
END_TEST

START_TEST(membership_is_shown_once) {
  struct toy_network t;
  const struct chorus_host *host;
  one_node(&t, &host);
  toy_observe(&t);
  host = t.nodes[0].host;
  struct chorus_endpoint group = at("[ff35::1]:5683"), unicast = at("2001:db8::1");
  struct chorus_endpoint no_port = group;
  no_port.port = 0;
  ck_assert_int_eq(host->ops->join(host->context, &group), CHORUS_OK);
  ck_assert_int_eq(host->ops->join(host->context, &group), CHORUS_OK);
  ck_assert_uint_eq(t.memberships, 1);
  host->ops->leave(host->context, &group);
  host->ops->leave(host->context, &group);
  ck_assert_uint_eq(t.memberships, 2);
  ck_assert_int_eq(host->ops->join(host->context, &unicast), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(host->ops->join(host->context, &no_port), CHORUS_BAD_ARGUMENT);
  toy_finish(&t);
}
END_TEST

START_TEST(events_go_to_whoever_listens) {
  struct toy_network t;
  const struct chorus_host *host;
  one_node(&t, &host);
  ck_assert(host->ops->event == NULL);
  toy_observe(&t);
  ck_assert(host->ops->event != NULL);
  host->ops->event(host->context, &(struct chorus_event){.type = CHORUS_EVENT_NOTE});
  ck_assert_uint_eq(t.events, 1);
  emu_observe(t.network, &(struct emu_observer){0});
  ck_assert(host->ops->event == NULL);
  toy_finish(&t);
}
END_TEST

/* The numbers of one purpose do not depend on draws for another, nor on other nodes. */
START_TEST(purposes_do_not_disturb_each_other) {
  uint64_t plain[20], mixed[20];
  for (int pass = 0; pass < 2; pass++) {
    struct toy_network t;
    struct emu_config config = {.seed = 4};
    toy_new(&t, &config);
    if (pass == 1) toy_add(&t, "before", "2001:db8::b", NULL, 0, NULL);
    uint32_t a = toy_add(&t, "a", "2001:db8::a", NULL, 0, NULL);
    emu_start(t.network);
    const struct chorus_host *host = t.nodes[a].host;
    for (uint32_t i = 0; i < 20; i++) {
      if (pass == 1) host->ops->random(host->context, i + 50);
      (pass ? mixed : plain)[i] = host->ops->random(host->context, i % 2 ? 1 : 1000);
    }
    toy_finish(&t);
  }
  ck_assert_mem_eq(plain, mixed, sizeof plain);
  for (int i = 0; i < 20; i++)
    for (int j = 0; j < i; j++) ck_assert_uint_ne(plain[i], plain[j]);
}
END_TEST

RUN_SUITE("host", a_deadline_wakes_once, the_last_deadline_counts, no_deadline_no_wake,
          past_deadlines_are_due, replaced_deadlines_are_cheap, deadlines_behave_like_a_variable,
          ports_open_and_close, membership_is_shown_once, events_go_to_whoever_listens,
          purposes_do_not_disturb_each_other)
