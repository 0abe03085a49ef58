/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written is read again as it was; comments are merged; a full disk leaves a readable file.
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "check_run.h"
#include "packets.h"

static struct cap_writer *writer;
static char directory[] = "/tmp/chorus-writer-XXXXXX";
static char path[PATH_MAX];

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/run.pcapng", directory);
  writer = cap_writer_new("seed 1");
  ck_assert_ptr_nonnull(writer);
}

static void teardown(void) {
  cap_writer_free(writer);
  unlink(path);
  /* Fails when a temporary file was left behind. */
  ck_assert_int_eq(rmdir(directory), 0);
  memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
}

static void add_interfaces(void) {
  struct chorus_endpoint addresses[2] = {{.port = 5683}};
  memcpy(addresses[0].address, ip6_a, 16);
  memcpy(addresses[1].address, chorus_v4_prefix, 12);
  memcpy(addresses[1].address + 12, ip4_a, 4);
  struct cap_interface_info client = {"client", "the client", addresses, 2, "says:\nthis"};
  struct cap_interface_info server = {"s1", NULL, addresses, 1, NULL};
  ck_assert_uint_eq(cap_writer_interface(writer, &client), 0);
  ck_assert_uint_eq(cap_writer_interface(writer, &server), 1);
}

static void add_packets(unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct packet p;
    make_udp(&p, i % 2 ? 6 : 4, "0123456789", i % 10);
    uint64_t frame = cap_writer_packet(writer, i % 2, i * CHORUS_MILLISECOND + i,
                                       i % 2 ? DIS_INBOUND : DIS_OUTBOUND, i / 2, p.at, p.length);
    ck_assert_uint_eq(frame, i + 1);
  }
}

static void assert_packets(struct cap_reader *reader, unsigned count) {
  struct cap_packet packet;
  for (unsigned i = 0; i < count; i++) {
    struct packet p;
    make_udp(&p, i % 2 ? 6 : 4, "0123456789", i % 10);
    ck_assert_int_eq(cap_next(reader, &packet), CAP_OK);
    ck_assert_uint_eq(packet.frame, i + 1);
    ck_assert_uint_eq(packet.interface, i % 2);
    ck_assert_uint_eq(packet.link_type, 101);
    ck_assert_uint_eq(packet.time, i * CHORUS_MILLISECOND + i);
    ck_assert_int_eq(packet.direction, i % 2 ? DIS_INBOUND : DIS_OUTBOUND);
    ck_assert_uint_eq(packet.packet_id, i / 2);
    ck_assert_uint_eq(packet.length, p.length);
    ck_assert_uint_eq(packet.original_length, p.length);
    ck_assert_mem_eq(packet.data, p.at, p.length);
  }
}

static struct cap_reader *open_path(void) {
  enum cap_status status;
  char message[512];
  struct cap_reader *reader = cap_open(path, &status, message, sizeof message);
  ck_assert_msg(reader != NULL, "%s", message);
  return reader;
}

/* The whole file, for the caller to free. */
static char *slurp(size_t *length) {
  FILE *stream = fopen(path, "rb");
  ck_assert_ptr_nonnull(stream);
  char *octets = malloc(1 << 22);
  *length = fread(octets, 1, 1 << 22, stream);
  fclose(stream);
  return octets;
}

/* How often |text| is in the file. */
static unsigned occurrences(const char *text) {
  size_t length, size = strlen(text);
  unsigned count = 0;
  char *octets = slurp(&length);
  for (size_t i = 0; i + size <= length; i++) count += memcmp(octets + i, text, size) == 0;
  free(octets);
  return count;
}

START_TEST(test_round_trip) {
  struct cap_packet packet;
  add_interfaces();
  add_packets(50);
  ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
  struct cap_reader *reader = open_path();
  ck_assert_uint_eq(cap_interface_count(reader), 2);
  const struct cap_interface *client = cap_interface_get(reader, 0);
  ck_assert_str_eq(client->name, "client");
  ck_assert_uint_eq(client->address_count, 2);
  ck_assert_mem_eq(client->addresses[0].address, ip6_a, 16);
  ck_assert(chorus_is_ipv4(&client->addresses[1]));
  ck_assert_uint_eq(client->comment_length, 10);
  ck_assert_mem_eq(client->comment, "says:\nthis", 10);
  ck_assert_str_eq(cap_interface_get(reader, 1)->name, "s1");
  ck_assert_ptr_null(cap_interface_get(reader, 1)->comment);
  assert_packets(reader, 50);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  cap_close(reader);
  ck_assert_uint_eq(occurrences("seed 1"), 1);
  ck_assert_uint_eq(occurrences("chorus"), 1);
}
END_TEST

START_TEST(test_end_is_kept) {
  struct cap_packet packet;
  add_interfaces();
  add_packets(3);
  cap_writer_end(writer, 5 * CHORUS_SECOND + 7);
  cap_writer_end(writer, 77777 * CHORUS_SECOND + 123456789);
  ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
  struct cap_reader *reader = open_path();
  ck_assert_uint_eq(cap_end(reader), 0);
  assert_packets(reader, 3);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  ck_assert_uint_eq(cap_end(reader), 77777 * CHORUS_SECOND + 123456789);
  cap_close(reader);
  cap_writer_reset(writer, NULL);
  add_interfaces();
  ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
  reader = open_path();
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  ck_assert_uint_eq(cap_end(reader), 0);
  cap_close(reader);
}
END_TEST

START_TEST(test_read_without_file) {
  enum cap_status status;
  char message[200];
  struct cap_packet packet;
  add_interfaces();
  struct cap_reader *reader = cap_open_writer(writer, &status, message, sizeof message);
  ck_assert_uint_eq(cap_interface_count(reader), 2);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  cap_close(reader);
  add_packets(20);
  reader = cap_open_writer(writer, &status, message, sizeof message);
  assert_packets(reader, 20);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  cap_close(reader);
  unlink(path);
}
END_TEST

/* The same calls give the same octets: saved twice, after a reset, and to a stream. */
START_TEST(test_same_octets) {
  size_t lengths[2];
  char *octets[2];
  for (int i = 0; i < 2; i++) {
    add_interfaces();
    add_packets(30);
    cap_writer_comment(writer, 7, "later");
    cap_writer_comment(writer, 3, "dropped towards s3");
    ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
    octets[i] = slurp(&lengths[i]);
    cap_writer_reset(writer, "seed 1");
  }
  ck_assert_uint_eq(lengths[0], lengths[1]);
  ck_assert_mem_eq(octets[0], octets[1], lengths[0]);
  free(octets[0]);
  free(octets[1]);
}
END_TEST

START_TEST(test_comments) {
  static const char judge[] = "fail GC-2.3.1-02";
  add_interfaces();
  add_packets(9);
  ck_assert_int_eq(cap_writer_comment(writer, 9, "the last"), CAP_OK);
  ck_assert_int_eq(cap_writer_comment(writer, 4, "dropped towards s3"), CAP_OK);
  ck_assert_int_eq(cap_writer_comment(writer, 1, "the first"), CAP_OK);
  ck_assert_int_eq(cap_writer_comment(writer, 4, judge), CAP_OK);
  ck_assert_int_ne(cap_writer_comment(writer, 0, "no frame"), CAP_OK);
  ck_assert_int_ne(cap_writer_comment(writer, 10, "no frame"), CAP_OK);
  ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
  ck_assert_uint_eq(occurrences("dropped towards s3\nfail GC-2.3.1-02"), 1);
  ck_assert_uint_eq(occurrences("the first"), 1);
  ck_assert_uint_eq(occurrences("the last"), 1);
  ck_assert_uint_eq(occurrences("no frame"), 0);
  struct cap_reader *reader = open_path();
  assert_packets(reader, 9);
  cap_close(reader);
}
END_TEST

/* Text of more than an option holds goes on in the next; without bound it does not go on. */
START_TEST(test_long_comments) {
  char line[64];
  add_interfaces();
  add_packets(2);
  for (unsigned i = 0; i < 40000; i++) {
    snprintf(line, sizeof line, "dropped towards s%05u: random loss of 10 %%", i);
    ck_assert_int_eq(cap_writer_comment(writer, 1, line), CAP_OK);
  }
  ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
  ck_assert_uint_gt(occurrences("random loss"), 20000);
  ck_assert_uint_eq(occurrences("(comments beyond 1 MiB left out)"), 1);
  struct cap_reader *reader = open_path();
  assert_packets(reader, 2);
  cap_close(reader);
}
END_TEST

START_TEST(test_empty_run) {
  struct cap_packet packet;
  ck_assert_int_eq(cap_writer_save(writer, path), CAP_OK);
  struct cap_reader *reader = open_path();
  ck_assert_uint_eq(cap_interface_count(reader), 0);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  cap_close(reader);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(test_no_such_directory) {
  errno = 0;
  ck_assert_int_eq(cap_writer_save(writer, "/nonexistent/run.pcapng"), CAP_IO);
  ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_device_is_full) {
  add_interfaces();
  add_packets(50);
  ck_assert_int_eq(cap_writer_save(writer, "/dev/full"), CAP_IO);
  ck_assert_int_eq(errno, ENOSPC);
  struct stat status;
  ck_assert_int_eq(stat("/dev/full", &status), 0);
  ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

/* The disk fills up in the middle: the error is told, and what was written can be read. */
START_TEST(test_disk_fills_up) {
  const rlim_t room = 20011;
  struct rlimit limit;
  add_interfaces();
  add_packets(1000);
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
  struct rlimit low = {room, limit.rlim_max};
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
  enum cap_status saved = cap_writer_save(writer, path);
  int error = errno;
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  ck_assert_int_eq(saved, CAP_IO);
  ck_assert_int_eq(error, EFBIG);
  struct cap_reader *reader = open_path();
  struct cap_packet packet;
  unsigned count = 0;
  enum cap_status status;
  while ((status = cap_next(reader, &packet)) == CAP_OK) count++;
  ck_assert_int_eq(status, CAP_TRUNCATED);
  ck_assert_uint_gt(count, 100);
  cap_close(reader);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("writer");
  TCase *t = tcase_create("writer");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, test_round_trip);
  tcase_add_test(t, test_end_is_kept);
  tcase_add_test(t, test_read_without_file);
  tcase_add_test(t, test_same_octets);
  tcase_add_test(t, test_comments);
  tcase_add_test(t, test_long_comments);
  tcase_add_test(t, test_empty_run);
  tcase_add_test(t, test_no_such_directory);
  tcase_add_test(t, test_device_is_full);
  tcase_add_test(t, test_disk_fills_up);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
