/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets in the order of their times, from files that are not. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "captures.h"
#include "check_run.h"

enum { MOST = 8192 }; /* packets that may be held */

static uint8_t *file;
static size_t length;
static struct cap_reader *reader;

static void setup(void) {
  struct octets head = {.length = 0};
  put_section(&head, false);
  put_interface(&head, 101, "one", 9, 0);
  put_interface(&head, 101, "two", 9, 0);
  file = malloc(head.length);
  memcpy(file, head.at, head.length);
  length = head.length;
}

static void teardown(void) {
  cap_close(reader);
  reader = NULL;
  free(file);
}

static void packet(uint32_t interface, uint64_t milliseconds) {
  struct octets block = {.length = 0};
  put_enhanced(&block, interface, milliseconds * CHORUS_MILLISECOND, "x");
  file = realloc(file, length + block.length);
  memcpy(file + length, block.at, block.length);
  length += block.length;
}

static void open_file(void) {
  enum cap_status status;
  char message[256];
  reader = cap_open_memory(file, length, &status, message, sizeof message);
  ck_assert_msg(reader != NULL, "%s", message);
}

static void next_frame(uint64_t frame) {
  const struct cap_packet *next;
  ck_assert_int_eq(cap_next_in_order(reader, &next), CAP_OK);
  ck_assert_uint_eq(next->frame, frame);
}

static void frames(const uint64_t *expected, size_t count) {
  const struct cap_packet *next;
  open_file();
  for (size_t i = 0; i < count; i++) next_frame(expected[i]);
  ck_assert_int_eq(cap_next_in_order(reader, &next), CAP_END);
  ck_assert_int_eq(cap_next_in_order(reader, &next), CAP_END);
}

#define FRAMES(...)                       \
  frames((const uint64_t[]){__VA_ARGS__}, \
         sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

START_TEST(test_in_order_as_it_is) {
  packet(0, 1000);
  packet(1, 1000);
  packet(0, 5000);
  FRAMES(1, 2, 3);
}
END_TEST

/* Two interfaces, each written in batches. */
START_TEST(test_batches_are_merged) {
  packet(0, 1000);
  packet(0, 1200);
  packet(0, 1400);
  packet(1, 1100);
  packet(1, 1200);
  packet(1, 1300);
  packet(0, 1350);
  FRAMES(1, 4, 2, 5, 6, 3, 7);
}
END_TEST

/* One interface on several processors. */
START_TEST(test_a_few_milliseconds) {
  packet(0, 1010);
  packet(0, 1000);
  packet(0, 1005);
  FRAMES(2, 3, 1);
}
END_TEST

START_TEST(test_no_farther_than_a_second) {
  packet(0, 1000);
  packet(0, 2001);
  packet(1, 999);
  packet(1, 1500);
  FRAMES(1, 3, 4, 2);
}
END_TEST

/* A clock that was set back: no time before compares with one behind. */
START_TEST(test_clock_set_back) {
  packet(0, 5000);
  packet(1, 5100);
  packet(0, 4900);
  packet(1, 5050);
  packet(1, 5040);
  packet(0, 4950);
  FRAMES(1, 2, 3, 6, 5, 4);
}
END_TEST

START_TEST(test_no_more_than_can_be_held) {
  packet(0, 1000);
  for (int i = 0; i < MOST; i++) packet(0, 1001);
  packet(1, 500);
  packet(1, 1001);
  open_file();
  for (uint64_t i = 1; i <= 2; i++) next_frame(i);
  next_frame(MOST + 2);
  for (uint64_t i = 3; i <= MOST + 1; i++) next_frame(i);
  next_frame(MOST + 3);
}
END_TEST

START_TEST(test_what_was_held_before_a_cut) {
  const struct cap_packet *next;
  packet(0, 1005);
  packet(0, 1000);
  packet(0, 1010);
  length -= 4;
  open_file();
  next_frame(2);
  next_frame(1);
  ck_assert_int_eq(cap_next_in_order(reader, &next), CAP_TRUNCATED);
  ck_assert_ptr_nonnull(strstr(cap_message(reader), "after frame 2"));
}
END_TEST

/* Any interleaving of interfaces that are in order each comes out as the times say. */
START_TEST(test_any_interleaving) {
  const struct cap_packet *next;
  uint64_t clock[2] = {1000, 1000}, last = 0;
  srand((unsigned)_i);
  for (int i = 0; i < 3000; i++) {
    int slow = clock[0] <= clock[1] ? 0 : 1;
    /* Neither gets ahead by more than a second. */
    int which = clock[!slow] - clock[slow] > 900 ? slow : rand() % 2;
    packet((uint32_t)which, clock[which] += (uint64_t)(rand() % 50));
  }
  open_file();
  for (int i = 0; i < 3000; i++) {
    ck_assert_int_eq(cap_next_in_order(reader, &next), CAP_OK);
    ck_assert_uint_ge(next->time, last);
    last = next->time;
  }
  ck_assert_int_eq(cap_next_in_order(reader, &next), CAP_END);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("order");
  TCase *tests = tcase_create("order");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_in_order_as_it_is);
  tcase_add_test(tests, test_batches_are_merged);
  tcase_add_test(tests, test_a_few_milliseconds);
  tcase_add_test(tests, test_no_farther_than_a_second);
  tcase_add_test(tests, test_clock_set_back);
  tcase_add_test(tests, test_no_more_than_can_be_held);
  tcase_add_test(tests, test_what_was_held_before_a_cut);
  tcase_add_loop_test(tests, test_any_interleaving, 0, 10);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
