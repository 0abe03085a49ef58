/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool.h"

#include "suite.h"

START_TEST(buffers_have_room) {
  struct emu_pool pool = {0};
  const uint32_t lengths[] = {0, 1, 64, 65, 1500, 65507, 400000};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    struct emu_buffer *buffer = emu_buffer_new(&pool, lengths[i]);
    ck_assert_ptr_nonnull(buffer);
    ck_assert_uint_eq(buffer->length, lengths[i]);
    ck_assert_uint_ge(buffer->capacity, lengths[i]);
    ck_assert_uint_eq((uintptr_t)buffer->data % 16, 0);
    memset(buffer->data, 0xff, buffer->capacity);
  }
  emu_pool_free(&pool);
}
END_TEST

START_TEST(the_last_reference_gives_back) {
  struct emu_pool pool = {0};
  struct emu_buffer *buffer = emu_buffer_new(&pool, 100);
  emu_buffer_ref(buffer);
  emu_buffer_unref(&pool, buffer);
  struct emu_buffer *other = emu_buffer_new(&pool, 100);
  ck_assert_ptr_ne(other, buffer);
  emu_buffer_unref(&pool, buffer);
  ck_assert_ptr_eq(emu_buffer_new(&pool, 128), buffer);
  emu_buffer_unref(&pool, NULL);
  emu_pool_free(&pool);
}
END_TEST

/* No memory from the system once the pool has grown. */
START_TEST(steady_state_takes_no_memory) {
  struct emu_pool pool = {0};
  struct emu_buffer *held[40];
  for (int i = 0; i < 40; i++) held[i] = emu_buffer_new(&pool, 1000);
  const void *slabs = pool.slabs;
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < 40; i++) emu_buffer_unref(&pool, held[i]);
    for (int i = 0; i < 40; i++) held[i] = emu_buffer_new(&pool, 513 + (uint32_t)i);
  }
  ck_assert_ptr_eq(pool.slabs, slabs);
  emu_pool_free(&pool);
}
END_TEST

START_TEST(absurd_lengths_are_refused) {
  struct emu_pool pool = {0};
  ck_assert_ptr_null(emu_buffer_new(&pool, UINT32_MAX));
  emu_pool_free(&pool);
}
END_TEST

RUN_SUITE("pool", buffers_have_room, the_last_reference_gives_back, steady_state_takes_no_memory,
          absurd_lengths_are_refused)
