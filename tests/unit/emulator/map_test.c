/* SPDX-License-Identifier: BSD-2-Clause */
#include "map.h"

#include "suite.h"

START_TEST(an_empty_map_has_nothing) {
  struct emu_map map = {0};
  ck_assert_uint_eq(emu_map_get(&map, emu_map_pair(0, 0)), EMU_MAP_NONE);
  emu_map_free(&map);
}
END_TEST

START_TEST(keys_are_found_again_after_growth) {
  struct emu_map map = {0};
  for (uint32_t i = 0; i < 5000; i++) ck_assert(emu_map_put(&map, emu_map_pair(i % 50, i), i * 3));
  for (uint32_t i = 0; i < 5000; i++)
    ck_assert_uint_eq(emu_map_get(&map, emu_map_pair(i % 50, i)), i * 3);
  ck_assert_uint_eq(emu_map_get(&map, emu_map_pair(51, 1)), EMU_MAP_NONE);
  emu_map_free(&map);
}
END_TEST

START_TEST(every_part_of_a_key_counts) {
  struct emu_map map = {0};
  uint8_t a[16] = {1}, b[16] = {[15] = 1};
  ck_assert(emu_map_put(&map, emu_map_address(a, 0), 1));
  ck_assert(emu_map_put(&map, emu_map_address(b, 0), 2));
  ck_assert(emu_map_put(&map, emu_map_address(b, 7), 3));
  ck_assert_uint_eq(emu_map_get(&map, emu_map_address(a, 0)), 1);
  ck_assert_uint_eq(emu_map_get(&map, emu_map_address(b, 0)), 2);
  ck_assert_uint_eq(emu_map_get(&map, emu_map_address(b, 7)), 3);
  ck_assert_uint_eq(emu_map_get(&map, emu_map_address(a, 7)), EMU_MAP_NONE);
  emu_map_free(&map);
}
END_TEST

START_TEST(putting_twice_replaces) {
  struct emu_map map = {0};
  ck_assert(emu_map_put(&map, emu_map_pair(1, 2), 5));
  ck_assert(emu_map_put(&map, emu_map_pair(1, 2), 6));
  ck_assert_uint_eq(map.used, 1);
  ck_assert_uint_eq(emu_map_get(&map, emu_map_pair(1, 2)), 6);
  emu_map_free(&map);
}
END_TEST

START_TEST(reserved_room_is_enough) {
  struct emu_map map = {0};
  ck_assert(emu_map_reserve(&map, 100));
  const struct emu_map_slot *slots = map.slots;
  for (uint32_t i = 0; i < 100; i++) ck_assert(emu_map_put(&map, emu_map_pair(i, 0), i));
  ck_assert_ptr_eq(map.slots, slots);
  emu_map_free(&map);
}
END_TEST

RUN_SUITE("map", an_empty_map_has_nothing, keys_are_found_again_after_growth,
          every_part_of_a_key_counts, putting_twice_replaces, reserved_room_is_enough)
