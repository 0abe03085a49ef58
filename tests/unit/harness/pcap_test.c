/* SPDX-License-Identifier: BSD-2-Clause */
/* The pcap reader, with libpcap as the second opinion. */
#include <check.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "captures.h"
#include "check_run.h"

#define MICROSECONDS UINT32_C(0xa1b2c3d4)
#define NANOSECONDS  UINT32_C(0xa1b23c4d)
#define MODIFIED     UINT32_C(0xa1b2cd34)

static struct octets file;
static struct cap_reader *reader;
static struct cap_packet packet;
static enum cap_status status;
static char message[512];
static uint8_t *exact;

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
  free(exact);
}

/* ---- the formats, packet by packet as libpcap reads them ---- */

struct format_case {
  uint32_t magic;
  bool big_endian;
};

static const struct format_case formats[] = {
    {MICROSECONDS, false}, {MICROSECONDS, true}, {NANOSECONDS, false},
    {NANOSECONDS, true},   {MODIFIED, false},    {MODIFIED, true},
};

static void make_format(const struct format_case *c) {
  bool modified = c->magic == MODIFIED;
  put_pcap_header(&file, c->big_endian, c->magic, 1);
  put_record(&file, 1700000000, 123456, "the first packet", modified);
  put_record(&file, 1700000000, 999999, "", modified);
  put_record(&file, UINT32_MAX, 0, "the last packet", modified);
}

static pcap_t *open_with_libpcap(void) {
  char error[PCAP_ERRBUF_SIZE];
  FILE *stream = tmpfile();
  ck_assert_uint_eq(fwrite(file.at, 1, file.length, stream), file.length);
  rewind(stream);
  pcap_t *peer =
      pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, error);
  ck_assert_msg(peer != NULL, "%s", error);
  return peer;
}

START_TEST(test_as_libpcap_reads_it) {
  make_format(&formats[_i]);
  open_file();
  ck_assert_msg(reader != NULL, "%s", message);
  pcap_t *peer = open_with_libpcap();
  struct pcap_pkthdr *header;
  const u_char *data;
  uint64_t frames = 0;
  while (pcap_next_ex(peer, &header, &data) == 1) {
    ck_assert_int_eq(cap_next(reader, &packet), CAP_OK);
    ck_assert_uint_eq(packet.frame, ++frames);
    ck_assert_uint_eq(packet.length, header->caplen);
    ck_assert_uint_eq(packet.original_length, header->len);
    ck_assert_uint_eq(packet.time, (uint64_t)(uint32_t)header->ts.tv_sec * CHORUS_SECOND +
                                       (uint64_t)header->ts.tv_usec);
    if (packet.length > 0) ck_assert_mem_eq(packet.data, data, packet.length);
    ck_assert_uint_eq(packet.link_type, 1);
    ck_assert_uint_eq(packet.interface, 0);
  }
  ck_assert_uint_eq(frames, 3);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_END);
  ck_assert_uint_eq(cap_interface_count(reader), 1);
  ck_assert_str_eq(cap_interface_get(reader, 0)->name, "");
  pcap_close(peer);
  close_file();
}
END_TEST

/* LINKTYPE_ values as in the file: libpcap would make 12 of raw IP. Upper bits tell of the FCS. */
START_TEST(test_link_types) {
  static const uint32_t links[] = {0, 1, 101, 113, 228, 276};
  for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
    file.length = 0;
    put_pcap_header(&file, false, MICROSECONDS, links[i] | 0x24000000);
    put_record(&file, 0, 0, "x", false);
    open_file();
    ck_assert_int_eq(cap_next(reader, &packet), CAP_OK);
    ck_assert_uint_eq(packet.link_type, links[i]);
    close_file();
  }
}
END_TEST

/* Before version 2.3 the two lengths were the other way round. */
START_TEST(test_old_version) {
  put_pcap_header(&file, false, MICROSECONDS, 1);
  file.at[6] = 2;
  put32(&file, 1);
  put32(&file, 0);
  put32(&file, 1500);
  put32(&file, 1);
  put(&file, "x", 1);
  open_file();
  ck_assert_int_eq(cap_next(reader, &packet), CAP_OK);
  ck_assert_uint_eq(packet.length, 1);
  ck_assert_uint_eq(packet.original_length, 1500);
  close_file();
}
END_TEST

/* W8: cut anywhere; the whole packets come first. */
START_TEST(test_w8_cut_pcap) {
  make_format(&formats[_i]);
  size_t header = formats[_i].magic == MODIFIED ? 24 : 16;
  size_t ends[] = {24, 24 + header + 16, 24 + header + 16 + header, file.length};
  for (size_t length = 4; length < file.length; length++) {
    file.length = length;
    open_file();
    if (length < 24) {
      ck_assert_ptr_null(reader);
      ck_assert_int_eq(status, CAP_TRUNCATED);
      close_file();
      continue;
    }
    size_t whole = 0;
    while (whole < 3 && ends[whole + 1] <= length) whole++;
    for (size_t i = 0; i < whole; i++) ck_assert_int_eq(cap_next(reader, &packet), CAP_OK);
    status = cap_next(reader, &packet);
    ck_assert_int_eq(status, length == ends[whole] ? CAP_END : CAP_TRUNCATED);
    if (status == CAP_TRUNCATED) ck_assert_ptr_nonnull(strstr(cap_message(reader), "octet "));
    ck_assert_int_eq(cap_next(reader, &packet), status);
    close_file();
    file.length = ends[3];
  }
}
END_TEST

START_TEST(test_corrupt) {
  put_pcap_header(&file, false, MICROSECONDS, 1);
  put_record(&file, 1, 0, "x", false);
  size_t end = file.length;
  put_record(&file, 2, 0, "y", false);
  file.at[end + 10] = 0x10; /* a length of more than a million */
  open_file();
  ck_assert_int_eq(cap_next(reader, &packet), CAP_OK);
  ck_assert_int_eq(cap_next(reader, &packet), CAP_CORRUPT);
  ck_assert_msg(
      strstr(cap_message(reader), "octet 41, after frame 1: record claims 1048577 octets"), "%s",
      cap_message(reader));
  close_file();
  file.at[4] = 3;
  open_file();
  ck_assert_ptr_null(reader);
  ck_assert_int_eq(status, CAP_CORRUPT);
  ck_assert_ptr_nonnull(strstr(message, "pcap version 3.4"));
  close_file();
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("pcap");
  TCase *t = tcase_create("pcap");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_loop_test(t, test_as_libpcap_reads_it, 0, sizeof formats / sizeof formats[0]);
  tcase_add_test(t, test_link_types);
  tcase_add_test(t, test_old_version);
  tcase_add_loop_test(t, test_w8_cut_pcap, 0, sizeof formats / sizeof formats[0]);
  tcase_add_test(t, test_corrupt);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
