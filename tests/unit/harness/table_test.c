/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge's hash table: what goes in comes out, and addresses that differ little do not collide.
 */
#include "judge/table.h"

#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "chorus/endpoint_text.h"

static bool same_number(const void *object, const void *key) {
  return *(const uint64_t *)object == *(const uint64_t *)key;
}

START_TEST(finds_what_was_added_and_not_what_was_removed) {
  enum { N = 5000 };
  static uint64_t numbers[N];
  struct jdg_table table = {0};
  for (uint64_t i = 0; i < N; i++) {
    numbers[i] = i * 7;
    ck_assert(jdg_table_add(&table, jdg_mix(0, numbers[i]), &numbers[i]));
  }
  for (uint64_t i = 0; i < N; i += 2) jdg_table_remove(&table, jdg_mix(0, numbers[i]), &numbers[i]);
  for (uint64_t i = 0; i < N; i++) {
    const void *found = jdg_table_find(&table, jdg_mix(0, numbers[i]), same_number, &numbers[i]);
    ck_assert_ptr_eq(found, i % 2 ? &numbers[i] : NULL);
  }
  ck_assert_uint_eq(table.used, N / 2);
  jdg_table_free(&table);
}
END_TEST

/* Hosts of one network differ in few bits of their addresses, which once all fell into one slot. */
START_TEST(neighbouring_addresses_spread) {
  enum { HOSTS = 256 };
  unsigned slots[2 * HOSTS] = {0}, worst = 0;
  for (unsigned i = 0; i < HOSTS; i++) {
    struct chorus_endpoint e;
    char text[64];
    snprintf(text, sizeof text, "2001:db8::1:%x", i);
    ck_assert(chorus_address_parse(text, 0, &e));
    unsigned slot = jdg_hash16(1, e.address) & (2 * HOSTS - 1);
    if (++slots[slot] > worst) worst = slots[slot];
  }
  ck_assert_uint_le(worst, 8);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("table");
  TCase *tc = tcase_create("table");
  tcase_add_test(tc, finds_what_was_added_and_not_what_was_removed);
  tcase_add_test(tc, neighbouring_addresses_spread);
  suite_add_tcase(suite, tc);
  return check_run(suite);
}
