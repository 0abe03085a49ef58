/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables: de-duplication, Message IDs, Tokens, responders. */
#include "bench_host.h"
#include "dedup.h"
#include "mid.h"
#include "responders.h"
#include "token.h"

START_TEST(dedup_key_and_age) {
  struct ref_dedup d;
  chorus_time age;
  struct chorus_endpoint a = endpoint("[2001:db8::1]:5000"), b = endpoint("[2001:db8::1]:5001"),
                         z = endpoint("[2001:db8::1%3]:5000");
  ref_dedup_init(&d);
  ck_assert(!ref_dedup_find(&d, &a, 0, 5, &age)); /* 0 is no special Message ID */
  ref_dedup_add(&d, &a, 0, 5, REF_NON_LIFETIME);
  ck_assert(ref_dedup_find(&d, &a, 0, 9, &age));
  ck_assert_uint_eq(age, 4);
  ck_assert(!ref_dedup_find(&d, &a, 1, 9, &age));
  ck_assert(!ref_dedup_find(&d, &b, 0, 9, &age));
  ck_assert(!ref_dedup_find(&d, &z, 0, 9, &age));
  ref_dedup_add(&d, &a, 0, 20, REF_NON_LIFETIME);
  ck_assert(ref_dedup_find(&d, &a, 0, 25, &age));
  ck_assert_uint_eq(age, 5); /* of the latest */
  ref_dedup_free(&d);
}
END_TEST

START_TEST(dedup_grows_and_is_bounded) {
  struct ref_dedup d;
  chorus_time age;
  struct chorus_endpoint a = endpoint("[2001:db8::1]:5000");
  ref_dedup_init(&d);
  for (uint16_t i = 0; i < 300; i++) {
    ref_dedup_add(&d, &a, i, i, REF_NON_LIFETIME);
    for (uint16_t k = 0; k <= i; k++) ck_assert(ref_dedup_find(&d, &a, k, i, &age));
    ck_assert(!ref_dedup_find(&d, &a, (uint16_t)(i + 1), i, &age));
  }
  ck_assert_uint_eq(d.capacity, 512);
  for (uint32_t i = 300; i < 10000; i++) ref_dedup_add(&d, &a, (uint16_t)i, i, REF_NON_LIFETIME);
  ck_assert_uint_eq(d.capacity, REF_DEDUP_MAX);
  ck_assert(ref_dedup_find(&d, &a, 9999, 10000, &age));
  ck_assert(ref_dedup_find(&d, &a, 10000 - REF_DEDUP_MAX, 10000, &age));
  ck_assert(!ref_dedup_find(&d, &a, 9999 - REF_DEDUP_MAX, 10000, &age));
  ref_dedup_free(&d);
}
END_TEST

START_TEST(dedup_steady_state_stays_inside) {
  struct ref_dedup d;
  struct chorus_endpoint a = endpoint("[2001:db8::1]:5000");
  ref_dedup_init(&d);
  for (uint32_t i = 0; i < 1000; i++)
    ref_dedup_add(&d, &a, (uint16_t)i, i * 10 * CHORUS_SECOND, REF_NON_LIFETIME);
  ck_assert_uint_eq(d.capacity, REF_DEDUP_INLINE);
  ck_assert_ptr_null(d.seen);
  ref_dedup_free(&d);
}
END_TEST

/* Seconds modulo 256 are but a hint: no entry goes before its time, however long nothing came. */
START_TEST(dedup_forgets_by_age_alone) {
  struct chorus_endpoint a = endpoint("[2001:db8::1]:5000");
  const chorus_time lifetime = 145 * CHORUS_SECOND, start = 77 * CHORUS_SECOND + 5;
  for (chorus_time later = 0; later < 1000 * CHORUS_SECOND; later += CHORUS_SECOND / 2) {
    struct ref_dedup d;
    chorus_time age;
    ref_dedup_init(&d);
    for (uint16_t i = 0; i < REF_DEDUP_INLINE; i++) ref_dedup_add(&d, &a, i, start, lifetime);
    ref_dedup_add(&d, &a, 99, start + later, lifetime);
    ck_assert_int_eq(ref_dedup_find(&d, &a, 0, start + later, &age), later < lifetime);
    ck_assert_uint_eq(d.capacity == REF_DEDUP_INLINE, later >= lifetime);
    ref_dedup_free(&d);
  }
}
END_TEST

START_TEST(exchanges_remember_their_reply) {
  struct ref_exchanges e = {NULL};
  struct chorus_endpoint a = endpoint("[2001:db8::1]:5000"), b = endpoint("[2001:db8::2]:5000");
  ref_exchanges_add(&e, &a, 7, 100, (const uint8_t *)"reply", 5);
  const struct ref_received *r = ref_exchanges_find(&e, &a, 7);
  ck_assert_ptr_nonnull(r);
  ck_assert_mem_eq(r->reply, "reply", 5);
  ck_assert_ptr_null(ref_exchanges_find(&e, &b, 7));
  ref_exchanges_add(&e, &b, 8, 100 + REF_EXCHANGE_LIFETIME - 1, NULL, 0);
  ck_assert_ptr_nonnull(ref_exchanges_find(&e, &a, 7));
  ref_exchanges_add(&e, &b, 9, 100 + REF_EXCHANGE_LIFETIME, NULL, 0);
  ck_assert_ptr_null(ref_exchanges_find(&e, &a, 7));
  ref_exchanges_free(&e);
}
END_TEST

/* 65536 values in 100 s cannot all be had twice within EXCHANGE_LIFETIME. */
START_TEST(mids_do_not_repeat) {
  static chorus_time last[65536];
  struct ref_mids m = {.inside = false};
  unsigned taken = 0, refused = 0;
  memset(last, 0xff, sizeof last);
  ref_mids_start(&m, 0, 0x123456789abcdef0u);
  for (chorus_time now = 0; now < 1000 * CHORUS_SECOND; now += CHORUS_SECOND / 500) {
    uint16_t mid;
    if (!ref_mids_take(&m, now, &mid)) {
      refused++;
      continue;
    }
    taken++;
    if (last[mid] != CHORUS_NEVER) ck_assert_uint_gt(now - last[mid], REF_EXCHANGE_LIFETIME);
    last[mid] = now;
  }
  ck_assert_uint_gt(refused, 0);
  ck_assert_uint_gt(taken, 180000);
}
END_TEST

START_TEST(mids_start_at_random_after_restarts) {
  static chorus_time last[65536];
  struct ref_mids m = {.inside = false};
  uint16_t first[20];
  uint64_t x = 99;
  memset(last, 0xff, sizeof last);
  for (unsigned i = 0; i < 20; i++) {
    chorus_time now = i * CHORUS_SECOND;
    ref_mids_start(&m, now, x = x * UINT64_C(6364136223846793005) + 1442695040888963407u);
    for (unsigned k = 0; k < 100; k++) {
      uint16_t mid;
      ck_assert(ref_mids_take(&m, now, &mid));
      if (k == 0) first[i] = mid;
      ck_assert(last[mid] == CHORUS_NEVER);
      last[mid] = now;
    }
  }
  for (unsigned i = 0; i < 20; i++)
    for (unsigned k = 0; k < i; k++) ck_assert_uint_ne(first[i], first[k]);
  ck_assert_uint_ne((uint16_t)(first[2] - first[1]), (uint16_t)(first[1] - first[0]));
}
END_TEST

/* A copy that is sent 40 s later keeps its Message ID reserved 40 s longer. */
START_TEST(mids_are_touched_by_copies) {
  struct ref_mids m = {.inside = false};
  uint16_t mid, other;
  ref_mids_start(&m, 0, 0);
  ck_assert(ref_mids_take(&m, 0, &mid));
  ref_mids_touch(&m, 40 * CHORUS_SECOND, mid);
  for (chorus_time now = 250 * CHORUS_SECOND; now < 287 * CHORUS_SECOND; now += CHORUS_SECOND)
    for (unsigned i = 0; i < 3000; i++)
      if (ref_mids_take(&m, now, &other)) ck_assert_uint_ne(other, mid);
}
END_TEST

START_TEST(tokens_short_and_long) {
  struct ref_tokens t;
  uint8_t token[8] = {5, 6, 7};
  ref_tokens_init(&t);
  for (uint8_t length = 0; length <= 8; length++) {
    ck_assert(ref_tokens_is_free(&t, token, length));
    ck_assert(ref_tokens_take(&t, token, length));
    ck_assert(!ref_tokens_is_free(&t, token, length));
    ref_tokens_retire(&t, token, length, 100 + length);
  }
  struct ref_token_view v = ref_tokens_view(&t);
  ck_assert_uint_eq(v.serial, 9);
  ck_assert(v.was_used(v.book, token, 1));
  ck_assert(!v.was_used(v.book, (const uint8_t *)"x", 1));
  ck_assert_uint_eq(ref_tokens_next(&t), 100);
  ck_assert_ptr_null(ref_tokens_expire(&t, 99));
  for (uint8_t length = 0; length <= 8; length++) {
    struct ref_token_entry *e = ref_tokens_expire(&t, 100u + length);
    ck_assert_ptr_nonnull(e);
    ck_assert_uint_eq(e->length, length);
    free(e);
    ck_assert_ptr_null(ref_tokens_expire(&t, 100u + length));
    ck_assert(ref_tokens_is_free(&t, token, length));
  }
  ck_assert_uint_eq(ref_tokens_next(&t), CHORUS_NEVER);
  ref_tokens_free(&t);
}
END_TEST

static struct chorus_endpoint numbered(uint32_t number) {
  struct chorus_endpoint e = endpoint("[2001:db8::1]:5683");
  memcpy(e.address + 12, &number, 4);
  return e;
}

static bool knows(const struct ref_responders *r, const struct chorus_endpoint *e) {
  return ref_responders_find(r, e).known;
}

static void add_numbered(struct ref_responders *r, uint32_t number) {
  struct chorus_endpoint e = numbered(number);
  struct ref_responder_look look = ref_responders_find(r, &e);
  ck_assert(!look.known);
  ck_assert(ref_responders_add(r, &e, &look));
  ck_assert(knows(r, &e));
}

START_TEST(responders_hundred_thousand) {
  struct ref_responders *r = ref_responders_new();
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 100000; i++) add_numbered(r, i);
    ck_assert_uint_eq(r->count, 100000);
    struct chorus_endpoint e = numbered(99999);
    e.zone = 2;
    ck_assert(!knows(r, &e));
    e.zone = 0;
    ck_assert(knows(r, &e));
    ref_responders_clear(r);
    ck_assert(!knows(r, &e));
  }
  ref_responders_free(r);
}
END_TEST

/* A set that has grown large is emptied one by one when few are in it, in whatever places. */
START_TEST(responders_emptied_one_by_one) {
  struct ref_responders *r = ref_responders_new();
  for (uint32_t i = 0; i < 1000; i++) add_numbered(r, i);
  ref_responders_clear(r);
  for (uint32_t round = 0; round < 200; round++) {
    for (uint32_t i = 0; i < 60; i++) add_numbered(r, round * 7 + i);
    ref_responders_clear(r);
    ck_assert_uint_eq(r->count, 0);
    for (uint32_t place = 0; place < r->capacity; place++) ck_assert_uint_eq(r->tag[place], 0);
  }
  ref_responders_free(r);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {dedup_key_and_age,
                                dedup_grows_and_is_bounded,
                                dedup_steady_state_stays_inside,
                                dedup_forgets_by_age_alone,
                                exchanges_remember_their_reply,
                                mids_do_not_repeat,
                                mids_start_at_random_after_restarts,
                                mids_are_touched_by_copies,
                                tokens_short_and_long,
                                responders_hundred_thousand,
                                responders_emptied_one_by_one};
  return RUN_TESTS("tables", tests);
}
