/* SPDX-License-Identifier: BSD-2-Clause */
#include "membership.h"

#include "chorus/endpoint_text.h"
#include "suite.h"

struct house {
  struct emu_pool pool;
  struct emu_membership groups;
};

static struct chorus_endpoint group(uint16_t port) {
  struct chorus_endpoint e;
  ck_assert(chorus_address_parse("ff35::1", port, &e));
  return e;
}

static void open_house(struct house *h) {
  memset(h, 0, sizeof *h);
  emu_membership_init(&h->groups, &h->pool);
}

static void close_house(struct house *h) {
  emu_membership_free(&h->groups);
  emu_pool_free(&h->pool);
}

static enum emu_change join(struct house *h, uint16_t port, uint32_t node) {
  struct chorus_endpoint e = group(port);
  return emu_membership_join(&h->groups, &e, node);
}

static enum emu_change leave(struct house *h, uint16_t port, uint32_t node) {
  struct chorus_endpoint e = group(port);
  return emu_membership_leave(&h->groups, &e, node);
}

static struct emu_buffer *nodes(struct house *h) {
  struct chorus_endpoint e = group(0);
  uint32_t index = emu_membership_find(&h->groups, &e);
  return index == EMU_NO_GROUP ? NULL : emu_membership_nodes(&h->groups, index);
}

START_TEST(members_are_sorted_and_unique) {
  struct house h;
  open_house(&h);
  ck_assert_ptr_null(nodes(&h));
  for (uint32_t i = 0; i < 500; i++) ck_assert_int_eq(join(&h, 1, i * 7919 % 500), EMU_CHANGED);
  ck_assert_int_eq(join(&h, 1, 33), EMU_UNCHANGED);
  ck_assert_uint_eq(emu_node_count(nodes(&h)), 500);
  for (uint32_t i = 0; i < 500; i++) ck_assert_uint_eq(emu_node_list(nodes(&h))[i], i);
  close_house(&h);
}
END_TEST

START_TEST(leaving_ends_membership) {
  struct house h;
  open_house(&h);
  for (uint32_t i = 0; i < 5; i++) join(&h, 1, i);
  ck_assert_int_eq(leave(&h, 1, 2), EMU_CHANGED);
  ck_assert_int_eq(leave(&h, 1, 2), EMU_UNCHANGED);
  ck_assert_int_eq(leave(&h, 9, 1), EMU_UNCHANGED);
  ck_assert_uint_eq(emu_node_count(nodes(&h)), 4);
  ck_assert(!emu_membership_has(&h.groups, 0, 1, 2));
  ck_assert(emu_membership_has(&h.groups, 0, 1, 3));
  for (uint32_t i = 0; i < 5; i++) leave(&h, 1, i);
  ck_assert_ptr_null(nodes(&h));
  ck_assert_int_eq(join(&h, 1, 4), EMU_CHANGED);
  close_house(&h);
}
END_TEST

START_TEST(ports_are_memberships_of_their_own) {
  struct house h;
  open_house(&h);
  join(&h, 1, 10);
  join(&h, 1, 12);
  join(&h, 2, 11);
  join(&h, 2, 12);
  ck_assert_uint_eq(emu_node_count(nodes(&h)), 3);
  for (uint32_t i = 0; i < 3; i++) ck_assert_uint_eq(emu_node_list(nodes(&h))[i], 10 + i);
  ck_assert(emu_membership_has(&h.groups, 0, 1, 12));
  ck_assert(!emu_membership_has(&h.groups, 0, 1, 11));
  leave(&h, 1, 12);
  ck_assert_uint_eq(emu_node_count(nodes(&h)), 3); /* still there with port 2 */
  leave(&h, 2, 12);
  ck_assert_uint_eq(emu_node_count(nodes(&h)), 2);
  close_house(&h);
}
END_TEST

/* A packet under way holds the members of its time. */
START_TEST(changes_do_not_touch_what_is_held) {
  struct house h;
  open_house(&h);
  for (uint32_t i = 0; i < 5; i++) join(&h, 1, i);
  struct emu_buffer *held = emu_buffer_ref(nodes(&h));
  ck_assert(emu_membership_is_current(&h.groups, 0, 1, held));
  leave(&h, 1, 0);
  join(&h, 1, 77);
  ck_assert(!emu_membership_is_current(&h.groups, 0, 1, held));
  ck_assert_uint_eq(emu_node_count(held), 5);
  ck_assert_uint_eq(emu_node_list(held)[0], 0);
  struct emu_buffer *present = nodes(&h);
  join(&h, 1, 78);
  ck_assert_ptr_eq(nodes(&h), present); /* one copy, not one per change */
  close_house(&h);
}
END_TEST

START_TEST(addresses_are_groups_of_their_own) {
  struct house h;
  open_house(&h);
  struct chorus_endpoint other;
  ck_assert(chorus_address_parse("224.0.1.187", 1, &other));
  join(&h, 1, 1);
  ck_assert_uint_eq(emu_membership_find(&h.groups, &other), EMU_NO_GROUP);
  ck_assert_int_eq(emu_membership_join(&h.groups, &other, 2), EMU_CHANGED);
  ck_assert_uint_eq(emu_node_count(nodes(&h)), 1);
  close_house(&h);
}
END_TEST

RUN_SUITE("membership", members_are_sorted_and_unique, leaving_ends_membership,
          ports_are_memberships_of_their_own, changes_do_not_touch_what_is_held,
          addresses_are_groups_of_their_own)
