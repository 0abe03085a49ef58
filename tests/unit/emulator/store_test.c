/* SPDX-License-Identifier: BSD-2-Clause */
#include "store.h"

#include "suite.h"

struct thing {
  uint32_t next_free;
  uint64_t value[12];
};

START_TEST(objects_keep_their_place) {
  struct emu_store store;
  emu_store_init(&store, sizeof(struct thing));
  ck_assert_uint_eq(store.size % 64, 0);
  struct thing *first = NULL;
  for (uint32_t i = 0; i < 1000; i++) {
    ck_assert_uint_eq(emu_store_new(&store), i);
    struct thing *thing = emu_store_at(&store, i);
    ck_assert_uint_eq((uintptr_t)thing % 64, 0);
    thing->value[11] = i;
    if (i == 0) first = thing;
  }
  ck_assert_ptr_eq(emu_store_at(&store, 0), first);
  for (uint32_t i = 0; i < 1000; i++)
    ck_assert_uint_eq(((struct thing *)emu_store_at(&store, i))->value[11], i);
  emu_store_free(&store);
}
END_TEST

START_TEST(the_last_one_freed_is_used_first) {
  struct emu_store store;
  emu_store_init(&store, sizeof(struct thing));
  for (int i = 0; i < 5; i++) emu_store_new(&store);
  emu_store_delete(&store, 1);
  emu_store_delete(&store, 3);
  ck_assert_uint_eq(emu_store_new(&store), 3);
  ck_assert_uint_eq(emu_store_new(&store), 1);
  ck_assert_uint_eq(emu_store_new(&store), 5);
  emu_store_free(&store);
}
END_TEST

RUN_SUITE("store", objects_keep_their_place, the_last_one_freed_is_used_first)
