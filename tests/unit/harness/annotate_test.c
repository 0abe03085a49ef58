/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of captures with comments: nothing else changes. */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/capture.h"
#include "captures.h"
#include "check_run.h"

static struct octets file;
static char directory[] = "/tmp/chorus-annotate-XXXXXX";
static char from[PATH_MAX], to[PATH_MAX], message[512];

static void setup(void) {
  memset(&file, 0, sizeof file);
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(from, sizeof from, "%s/from", directory);
  snprintf(to, sizeof to, "%s/to", directory);
}

static void teardown(void) {
  unlink(from);
  unlink(to);
  ck_assert_int_eq(rmdir(directory), 0);
  memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
}

static void write_from(void) {
  FILE *stream = fopen(from, "wb");
  ck_assert_uint_eq(fwrite(file.at, 1, file.length, stream), file.length);
  fclose(stream);
}

static size_t read_to(uint8_t *octets, size_t size) {
  FILE *stream = fopen(to, "rb");
  ck_assert_ptr_nonnull(stream);
  size_t length = fread(octets, 1, size, stream);
  fclose(stream);
  return length;
}

static bool contains(const char *text) {
  uint8_t octets[16384];
  size_t length = read_to(octets, sizeof octets), size = strlen(text);
  for (size_t i = 0; i + size <= length; i++)
    if (memcmp(octets + i, text, size) == 0) return true;
  return false;
}

/* Comments on every second frame. */
static const char *comment(void *context, uint64_t frame) {
  static char text[64];
  if (frame % 2) return NULL;
  snprintf(text, sizeof text, "%s of frame %u", (const char *)context, (unsigned)frame);
  return text;
}

static enum cap_status annotate(void) {
  static char context[] = "finding";
  return cap_annotate(from, to, comment, context, message, sizeof message);
}

/* Whether both files have the same packets, and end alike. Times of simple packets are 0. */
static void assert_same_packets(unsigned count) {
  enum cap_status status;
  struct cap_reader *a = cap_open(from, &status, message, sizeof message);
  struct cap_reader *b = cap_open(to, &status, message, sizeof message);
  ck_assert_ptr_nonnull(a);
  ck_assert_msg(b != NULL, "%s", message);
  struct cap_packet x, y;
  for (unsigned i = 0; i < count; i++) {
    ck_assert_int_eq(cap_next(a, &x), CAP_OK);
    ck_assert_msg(cap_next(b, &y) == CAP_OK, "%s", cap_message(b));
    ck_assert_uint_eq(x.time, y.time);
    ck_assert_uint_eq(x.interface, y.interface);
    ck_assert_uint_eq(x.link_type, y.link_type);
    ck_assert_int_eq(x.direction, y.direction);
    ck_assert_uint_eq(x.packet_id, y.packet_id);
    ck_assert_uint_eq(x.length, y.length);
    ck_assert_uint_eq(x.original_length, y.original_length);
    ck_assert_mem_eq(x.data, y.data, x.length);
  }
  ck_assert_int_eq(cap_next(b, &y), CAP_END);
  cap_close(a);
  cap_close(b);
}

/* A packet with a comment of its own and an unknown option, ended or not. */
static void put_rich(bool ended) {
  size_t start = begin_block(&file, 6);
  put32(&file, 0);
  put32(&file, 1);
  put32(&file, 2);
  put32(&file, 5);
  put32(&file, 1500);
  put(&file, "whole", 5);
  pad(&file);
  put_option(&file, 1, "theirs", 6);
  put_option(&file, 32768, "kept", 4);
  if (ended) put32(&file, 0);
  end_block(&file, start);
}

static void make_pcapng(bool big_endian) {
  put_section(&file, big_endian);
  put_interface(&file, 1, "eth0", 6, 3);
  put_rich(true);
  put_rich(true);
  size_t start = begin_block(&file, 0xbad);
  put(&file, "something unknown", 17);
  pad(&file);
  end_block(&file, start);
  put_rich(false);
  put_rich(false);
  put_enhanced(&file, 0, 77, "no options");
  put_enhanced(&file, 0, 78, "no options");
  for (int i = 0; i < 2; i++) {
    start = begin_block(&file, 2);
    for (int n = 0; n < 3; n++) put32(&file, 0);
    put32(&file, 3);
    put32(&file, 3);
    put(&file, "old", 3);
    pad(&file);
    end_block(&file, start);
  }
}

START_TEST(test_pcapng) {
  make_pcapng(_i != 0);
  write_from();
  ck_assert_msg(annotate() == CAP_OK, "%s", message);
  assert_same_packets(8);
  ck_assert(contains("finding of frame 2"));
  ck_assert(contains("finding of frame 4"));
  ck_assert(contains("finding of frame 6"));
  ck_assert(contains("finding of frame 8"));
  ck_assert(!contains("finding of frame 3"));
  ck_assert(contains("theirs") && contains("kept") && contains("something unknown"));
}
END_TEST

/* Without comments the copy is the file, octet by octet. */
START_TEST(test_copy) {
  uint8_t copy[16384];
  make_pcapng(_i != 0);
  write_from();
  ck_assert_int_eq(cap_annotate(from, to, NULL, NULL, message, sizeof message), CAP_OK);
  ck_assert_uint_eq(read_to(copy, sizeof copy), file.length);
  ck_assert_mem_eq(copy, file.at, file.length);
}
END_TEST

/* A simple packet has no room for options: with a comment it becomes an enhanced one. */
START_TEST(test_simple_packets) {
  put_section(&file, _i != 0);
  put_interface(&file, 101, NULL, -1, 0);
  for (int i = 0; i < 4; i++) {
    size_t start = begin_block(&file, 3);
    put32(&file, 5);
    put(&file, "hello", 5);
    pad(&file);
    end_block(&file, start);
  }
  write_from();
  ck_assert_msg(annotate() == CAP_OK, "%s", message);
  assert_same_packets(4);
  ck_assert(contains("finding of frame 4"));
}
END_TEST

START_TEST(test_pcap) {
  put_pcap_header(&file, _i % 2, _i / 2 ? 0xa1b23c4d : 0xa1b2c3d4, 113);
  for (unsigned i = 0; i < 5; i++) put_record(&file, 1700000000 + i, 999, "hello", false);
  write_from();
  ck_assert_msg(annotate() == CAP_OK, "%s", message);
  assert_same_packets(5);
  ck_assert(contains("finding of frame 4"));
}
END_TEST

/* W8: of a cut file, the copy has all that is whole; that it was cut is told. */
START_TEST(test_w8_cut_file) {
  make_pcapng(false);
  file.length -= 3;
  write_from();
  ck_assert_int_eq(annotate(), CAP_TRUNCATED);
  ck_assert_ptr_nonnull(strstr(message, "the file ends in a block"));
  assert_same_packets(7);
}
END_TEST

START_TEST(test_in_place) {
  make_pcapng(false);
  write_from();
  snprintf(to, sizeof to, "%s", from);
  ck_assert_int_eq(annotate(), CAP_OK);
  ck_assert(contains("finding of frame 8"));
}
END_TEST

START_TEST(test_failures) {
  ck_assert_int_eq(annotate(), CAP_IO);
  ck_assert_ptr_nonnull(strstr(message, "No such file"));
  put(&file, "junk", 4);
  write_from();
  ck_assert_int_eq(annotate(), CAP_NOT_CAPTURE);
  ck_assert_int_ne(access(to, F_OK), 0);
  file.length = 0;
  make_pcapng(false);
  write_from();
  ck_assert_int_eq(cap_annotate(from, "/dev/full", NULL, NULL, message, sizeof message), CAP_IO);
  ck_assert_ptr_nonnull(strstr(message, "No space left"));
  ck_assert_int_eq(cap_annotate(from, "/nonexistent/x", NULL, NULL, message, sizeof message),
                   CAP_IO);
  ck_assert_ptr_nonnull(strstr(message, "/nonexistent/x"));
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("annotate");
  TCase *t = tcase_create("annotate");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, test_pcapng, 0, 2);
  tcase_add_loop_test(t, test_copy, 0, 2);
  tcase_add_loop_test(t, test_simple_packets, 0, 2);
  tcase_add_loop_test(t, test_pcap, 0, 4);
  tcase_add_test(t, test_w8_cut_file);
  tcase_add_test(t, test_in_place);
  tcase_add_test(t, test_failures);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
