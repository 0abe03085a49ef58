/* SPDX-License-Identifier: BSD-2-Clause */
/* The pcapng reader: byte orders, sections, times, options, and files that are not what they say.
 */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/capture.h"
#include "captures.h"
#include "check_run.h"

static struct octets file;
static struct cap_reader *reader;
static struct cap_packet packet;
static enum cap_status status;
static char message[512];
static uint8_t *exact; /* the file alone, so that ASan sees reads beyond its end */

static void setup(void) {
  memset(&file, 0, sizeof file);
}

static void open_file(void) {
  exact = malloc(file.length ? file.length : 1);
  memcpy(exact, file.at, file.length);
  reader = cap_open_memory(exact, file.length, &status, message, sizeof message);
}

static void close_file(void) {
  cap_close(reader);
  reader = NULL;
  free(exact);
  exact = NULL;
}

static void next_packet(const char *data) {
  status = cap_next(reader, &packet);
  ck_assert_msg(status == CAP_OK, "%d: %s", status, cap_message(reader));
  ck_assert_uint_eq(packet.length, strlen(data));
  ck_assert_mem_eq(packet.data, data, packet.length);
}

static void next_is(enum cap_status expected, const char *words) {
  status = cap_next(reader, &packet);
  ck_assert_int_eq(status, expected);
  if (words) ck_assert_msg(strstr(cap_message(reader), words), "%s", cap_message(reader));
  /* It stays so. */
  ck_assert_int_eq(cap_next(reader, &packet), expected);
}

/* ---- what is there ---- */

START_TEST(test_packet_of_all_parts) {
  const uint8_t flags[2][4] = {{2, 0, 0, 0}, {0, 0, 0, 2}};
  const uint8_t ids[2][8] = {{1, 2, 0, 0, 0, 0, 0, 0x80}, {0x80, 0, 0, 0, 0, 0, 2, 1}};
  bool big = _i != 0;
  put_section(&file, big);
  put_interface(&file, 1, "eth0", 9, 0);
  size_t start = begin_block(&file, 6);
  put32(&file, 0);
  put32(&file, 0x12345678);
  put32(&file, 0x9abcdef0);
  put32(&file, 5);
  put32(&file, 1500);
  put(&file, "hello", 5);
  pad(&file);
  put_option(&file, 1, "a comment", 9);
  put_option(&file, 2, flags[big], 4);
  put_option(&file, 5, ids[big], 8);
  put_option(&file, 32768, "unknown", 7);
  put32(&file, 0);
  end_block(&file, start);
  open_file();
  ck_assert_uint_eq(cap_interface_count(reader), 1);
  ck_assert_str_eq(cap_interface_get(reader, 0)->name, "eth0");
  ck_assert_ptr_null(cap_interface_get(reader, 1));
  next_packet("hello");
  ck_assert_uint_eq(packet.frame, 1);
  ck_assert_uint_eq(packet.link_type, 1);
  ck_assert_uint_eq(packet.time, UINT64_C(0x123456789abcdef0));
  ck_assert_uint_eq(packet.original_length, 1500);
  ck_assert_int_eq(packet.direction, DIS_OUTBOUND);
  ck_assert_uint_eq(packet.packet_id, UINT64_C(0x8000000000000201));
  next_is(CAP_END, NULL);
  close_file();
}
END_TEST

START_TEST(test_interface_addresses) {
  put_section(&file, true);
  size_t start = begin_block(&file, 1);
  put16(&file, 101);
  put16(&file, 0);
  put32(&file, 0);
  put_option(&file, 2, "a-name-of-more-than-63-octets-0123456789-0123456789-0123456789-0123456789",
             72);
  put_option(&file, 4, "\xc0\0\2\1\xff\xff\xff\0", 8);
  for (int i = 0; i < 20; i++) put_option(&file, 5, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\7\x40", 17);
  end_block(&file, start);
  open_file();
  const struct cap_interface *interface = cap_interface_get(reader, 0);
  ck_assert_uint_eq(strlen(interface->name), 63);
  ck_assert_uint_eq(interface->address_count, 16);
  ck_assert(chorus_is_ipv4(&interface->addresses[0]));
  ck_assert_mem_eq(interface->addresses[0].address + 12, "\xc0\0\2\1", 4);
  ck_assert(chorus_is_link_local(&interface->addresses[1]));
  ck_assert_uint_eq(interface->addresses[1].port, 0);
  close_file();
}
END_TEST

/* Interfaces are numbered through the file, frames as well; each section has its byte order. */
START_TEST(test_sections) {
  put_section(&file, false);
  put_interface(&file, 1, "one", -1, 0);
  put_enhanced(&file, 0, 1, "first");
  put_section(&file, true);
  put_interface(&file, 101, "two", 9, 0);
  put_interface(&file, 113, "three", 9, 0);
  put_enhanced(&file, 1, 2, "second");
  put_enhanced(&file, 0, 3, "third");
  open_file();
  next_packet("first");
  ck_assert_uint_eq(packet.time, 1000);
  ck_assert_uint_eq(cap_interface_count(reader), 1);
  next_packet("second");
  ck_assert_uint_eq(packet.interface, 2);
  ck_assert_uint_eq(packet.link_type, 113);
  ck_assert_uint_eq(packet.frame, 2);
  next_packet("third");
  ck_assert_uint_eq(packet.interface, 1);
  ck_assert_str_eq(cap_interface_get(reader, 1)->name, "two");
  next_is(CAP_END, NULL);
  close_file();
}
END_TEST

/* Interfaces may come late; blocks of other kinds (names, statistics, secrets, custom) are skipped.
 */
START_TEST(test_blocks_in_between) {
  static const uint32_t kinds[] = {4, 5, 10, 0xbad, 0x40000bad, 0x80000001};
  put_section(&file, false);
  put_interface(&file, 1, "one", 9, 0);
  put_enhanced(&file, 0, 1, "first");
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    size_t start = begin_block(&file, kinds[i]);
    put(&file, "anything", 8);
    end_block(&file, start);
  }
  put_interface(&file, 101, "two", 9, 0);
  put_enhanced(&file, 1, 2, "second");
  open_file();
  next_packet("first");
  const struct cap_interface *kept = cap_interface_get(reader, 0);
  next_packet("second");
  ck_assert_str_eq(kept->name, "one");
  ck_assert_uint_eq(cap_interface_count(reader), 2);
  ck_assert_uint_eq(packet.frame, 2);
  next_is(CAP_END, NULL);
  close_file();
}
END_TEST

START_TEST(test_simple_and_obsolete) {
  put_section(&file, _i != 0);
  put_interface(&file, 101, NULL, 9, 0);
  size_t start = begin_block(&file, 3);
  put32(&file, 5);
  put(&file, "hello", 5);
  pad(&file);
  end_block(&file, start);
  start = begin_block(&file, 2);
  put16(&file, 0);
  put16(&file, 77);
  put32(&file, 0);
  put32(&file, 42);
  put32(&file, 3);
  put32(&file, 9);
  put(&file, "old", 3);
  pad(&file);
  end_block(&file, start);
  open_file();
  next_packet("hello");
  ck_assert_uint_eq(packet.link_type, 101);
  ck_assert_uint_eq(packet.time, 0);
  next_packet("old");
  ck_assert_uint_eq(packet.frame, 2);
  ck_assert_uint_eq(packet.time, 42);
  ck_assert_uint_eq(packet.original_length, 9);
  next_is(CAP_END, NULL);
  close_file();
}
END_TEST

/* A simple packet may be longer on the wire than its block or the snap length. */
START_TEST(test_simple_cut) {
  put_section(&file, false);
  size_t start = begin_block(&file, 1);
  put16(&file, 101);
  put16(&file, 0);
  put32(&file, 6);
  end_block(&file, start);
  start = begin_block(&file, 3);
  put32(&file, 1500);
  put(&file, "12345678", 8);
  end_block(&file, start);
  open_file();
  next_packet("123456");
  ck_assert_uint_eq(packet.original_length, 1500);
  close_file();
}
END_TEST

/* ---- time ---- */

struct time_case {
  int resolution; /* -1: none */
  int64_t offset;
  uint64_t ticks;
  chorus_time time;
};

static const struct time_case times[] = {
    {-1, 0, 1, 1000},
    {6, 0, UINT64_C(1700000000123456), UINT64_C(1700000000123456000)},
    {9, 0, UINT64_C(1700000000123456789), UINT64_C(1700000000123456789)},
    {0, 0, 1700000000, UINT64_C(1700000000000000000)},
    {3, 0, 12, 12000000},
    {12, 0, 1999, 1},
    {28, 0, UINT64_MAX, 1},
    {29, 0, UINT64_MAX, 0},
    {127, 0, UINT64_MAX, 0},
    {0x80, 0, 3, 3 * CHORUS_SECOND},
    {0x81, 0, 3, 1500000000},
    {0x80 | 20, 0, (7 << 20) | 0x80000, 7500000000},
    {0x80 | 20, 0, 1, 953},
    {0x80 | 32, 0, (UINT64_C(9) << 32) | 0xffffffff, 9999999999},
    {0x80 | 33, 0, UINT64_C(3) << 32, 1500000000},
    {0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
    {0x80 | 63, 0, (UINT64_C(1) << 63) - 1, 999999999},
    {0x80 | 64, 0, UINT64_C(1) << 63, 500000000},
    {0x80 | 70, 0, UINT64_C(1) << 63, 7812500},
    {0x80 | 127, 0, UINT64_MAX, 0},
    {9, 100, 5, 100 * CHORUS_SECOND + 5},
    {6, -100, 150000000, 50 * CHORUS_SECOND},
    {6, -100, 50000000, 0},
    {9, INT64_MIN, 5, 0},
    {9, INT64_MAX, 5, UINT64_MAX},
    {0, 0, UINT64_MAX, UINT64_MAX},
    {0x80, 0, UINT64_MAX, UINT64_MAX},
};

START_TEST(test_times) {
  const struct time_case *c = &times[_i];
  put_section(&file, _i % 2);
  put_interface(&file, 101, NULL, c->resolution, c->offset);
  put_enhanced(&file, 0, c->ticks, "x");
  open_file();
  next_packet("x");
  ck_assert_msg(packet.time == c->time, "case %d: %llu, not %llu", _i,
                (unsigned long long)packet.time, (unsigned long long)c->time);
  close_file();
}
END_TEST

/* ---- what is wrong ---- */

static void make_small(void) {
  put_section(&file, false);
  put_interface(&file, 101, "one", 9, 0);
  put_enhanced(&file, 0, 1, "first");
  put_enhanced(&file, 0, 2, "second");
}

/* W8: cut anywhere. All whole packets come, then the cut is told, with its place. */
START_TEST(test_w8_cut_pcapng) {
  make_small();
  size_t whole = file.length, section = 28;
  size_t second = whole - 40, first = second - 40;
  for (size_t length = 1; length < whole; length++) {
    file.length = length;
    open_file();
    if (length < section) {
      ck_assert_ptr_null(reader);
      ck_assert_int_eq(status, length < 4 ? CAP_NOT_CAPTURE : CAP_TRUNCATED);
      ck_assert_ptr_nonnull(strstr(message, "capture in memory"));
      close_file();
      continue;
    }
    ck_assert_ptr_nonnull(reader);
    if (length >= second) next_packet("first");
    bool at_boundary = length == section || length == first || length == second;
    next_is(at_boundary ? CAP_END : CAP_TRUNCATED, at_boundary ? NULL : "octet ");
    close_file();
  }
}
END_TEST

START_TEST(test_not_captures) {
  static const struct {
    const char *octets;
    size_t length;
    const char *words;
  } cases[] = {
      {"", 0, "the file is empty"},
      {"\x1f\x8b\x08\0\0\0\0\0", 8, "gzip"},
      {"\x28\xb5\x2f\xfd\0\0", 6, "zstd"},
      {"\x04\x22\x4d\x18\0\0", 6, "lz4"},
      {"<html>", 6, "neither pcap nor pcapng"},
      {"\n", 1, "neither pcap nor pcapng"},
      {"\x0a\x0d\x0d", 3, "neither pcap nor pcapng"},
      {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28, "neither pcap nor pcapng"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    file.length = 0;
    put(&file, cases[i].octets, cases[i].length);
    open_file();
    ck_assert_ptr_null(reader);
    ck_assert_int_eq(status, CAP_NOT_CAPTURE);
    ck_assert_msg(strstr(message, cases[i].words), "%s", message);
    close_file();
  }
}
END_TEST

/* One number of the second packet's block (at octet 40 before the end) is replaced. */
struct corrupt_case {
  size_t at; /* in the block */
  uint32_t value;
  enum cap_status status;
  const char *words;
};

static const struct corrupt_case corruptions[] = {
    {4, 41, CAP_CORRUPT, "block claims 41 octets"},
    {4, 8, CAP_CORRUPT, "block claims 8 octets"},
    {4, 0, CAP_CORRUPT, "block claims 0 octets"},
    {4, 0xfffffffc, CAP_CORRUPT, "block claims 4294967292 octets"},
    {4, 36, CAP_CORRUPT, "differ"},
    {4, 44, CAP_TRUNCATED, "block of 44 octets"},
    {36, 44, CAP_CORRUPT, "differ"},
    {8, 1, CAP_CORRUPT, "interface 1"},
    {8, 0xffffffff, CAP_CORRUPT, "interface 4294967295"},
    {20, 9, CAP_CORRUPT, "packet of 9 octets"},
    {20, 0xffffffff, CAP_CORRUPT, "packet of 4294967295 octets"},
};

START_TEST(test_corrupt) {
  const struct corrupt_case *c = &corruptions[_i];
  make_small();
  size_t end = file.length;
  file.length = end - 40 + c->at;
  put32(&file, c->value);
  file.length = end;
  open_file();
  next_packet("first");
  next_is(c->status, c->words);
  char place[32];
  snprintf(place, sizeof place, "octet %zu, after frame 1", end - 40);
  ck_assert_msg(strstr(cap_message(reader), place), "%s", cap_message(reader));
  close_file();
}
END_TEST

START_TEST(test_corrupt_options) {
  put_section(&file, false);
  put_interface(&file, 101, "one", 9, 0);
  size_t start = begin_block(&file, 6);
  for (int i = 0; i < 5; i++) put32(&file, 0);
  put16(&file, 1);
  put16(&file, 60000);
  end_block(&file, start);
  open_file();
  next_is(CAP_CORRUPT, "option 1 runs out of its block");
  close_file();
  file.length = 28;
  start = begin_block(&file, 1);
  put32(&file, 101);
  put32(&file, 0);
  put16(&file, 2);
  put16(&file, 5);
  put32(&file, 0);
  end_block(&file, start);
  open_file();
  next_is(CAP_CORRUPT, "option 2 runs out of its block");
  close_file();
}
END_TEST

START_TEST(test_corrupt_sections) {
  make_small();
  file.at[12] = 2;
  open_file();
  ck_assert_ptr_null(reader);
  ck_assert_int_eq(status, CAP_CORRUPT);
  ck_assert_ptr_nonnull(strstr(message, "pcapng version 2"));
  close_file();
  file.at[12] = 1;
  file.at[8] = 0;
  open_file();
  ck_assert_ptr_null(reader);
  ck_assert_ptr_nonnull(strstr(message, "byte-order magic"));
  close_file();
}
END_TEST

START_TEST(test_small_blocks) {
  static const uint32_t kinds[] = {0x0a0d0d0a, 1, 2, 3, 6};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    file.length = 0;
    put_section(&file, false);
    put_interface(&file, 101, "one", 9, 0);
    size_t start = begin_block(&file, kinds[i]);
    if (i == 0) put32(&file, 0x1a2b3c4d);
    end_block(&file, start);
    open_file();
    next_is(CAP_CORRUPT, "too small");
    close_file();
  }
}
END_TEST

/* ---- files ---- */

START_TEST(test_files) {
  reader = cap_open("/nonexistent/capture.pcapng", &status, message, sizeof message);
  ck_assert_ptr_null(reader);
  ck_assert_int_eq(status, CAP_IO);
  ck_assert_ptr_nonnull(strstr(message, "/nonexistent/capture.pcapng: No such file"));
  reader = cap_open("/", &status, message, sizeof message);
  ck_assert_ptr_null(reader);
  ck_assert_int_eq(status, CAP_IO);
  reader = cap_open("/dev/null", &status, message, sizeof message);
  ck_assert_ptr_null(reader);
  ck_assert_int_eq(status, CAP_NOT_CAPTURE);
}
END_TEST

static void read_small(const char *path) {
  reader = cap_open(path, &status, message, sizeof message);
  ck_assert_msg(reader != NULL, "%s", message);
  next_packet("first");
  next_packet("second");
  next_is(CAP_END, NULL);
  cap_close(reader);
}

START_TEST(test_mapped_and_piped) {
  make_small();
  FILE *stream = tmpfile();
  int pipes[2];
  char path[64];
  ck_assert_uint_eq(fwrite(file.at, 1, file.length, stream), file.length);
  fflush(stream);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(stream));
  read_small(path);
  fclose(stream);
  ck_assert_int_eq(pipe(pipes), 0);
  ck_assert_int_eq(write(pipes[1], file.at, file.length), (ssize_t)file.length);
  close(pipes[1]);
  ck_assert_int_ge(dup2(pipes[0], STDIN_FILENO), 0);
  read_small("-");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("pcapng");
  TCase *t = tcase_create("pcapng");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_loop_test(t, test_packet_of_all_parts, 0, 2);
  tcase_add_test(t, test_interface_addresses);
  tcase_add_test(t, test_sections);
  tcase_add_test(t, test_blocks_in_between);
  tcase_add_loop_test(t, test_simple_and_obsolete, 0, 2);
  tcase_add_test(t, test_simple_cut);
  tcase_add_loop_test(t, test_times, 0, sizeof times / sizeof times[0]);
  tcase_add_test(t, test_w8_cut_pcapng);
  tcase_add_test(t, test_not_captures);
  tcase_add_loop_test(t, test_corrupt, 0, sizeof corruptions / sizeof corruptions[0]);
  tcase_add_test(t, test_corrupt_options);
  tcase_add_test(t, test_corrupt_sections);
  tcase_add_test(t, test_small_blocks);
  tcase_add_test(t, test_files);
  tcase_add_test(t, test_mapped_and_piped);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
