/* SPDX-License-Identifier: BSD-2-Clause */
#include "snoop.h"

#include "chorus/endpoint_text.h"
#include "suite.h"

struct log {
  struct chorus_endpoint group[8];
  bool member[8];
  size_t count;
};

static void note(void *context, const struct chorus_endpoint *group, bool member) {
  struct log *log = context;
  ck_assert_uint_lt(log->count, 8);
  log->group[log->count] = *group;
  log->member[log->count++] = member;
}

static struct log read_report(bool v4, const uint8_t *body, uint32_t length) {
  struct log log = {.count = 0};
  uint8_t *exact = malloc(length + 1); /* so that reading too far is noticed */
  memcpy(exact, body, length);
  const struct krn_frame frame = {
      .kind = KRN_FRAME_REPORT, .v4 = v4, .body = exact, .body_length = length};
  krn_snoop(&frame, note, &log);
  free(exact);
  return log;
}

static void expect(const struct log *log, size_t i, const char *group, bool member) {
  struct chorus_endpoint e;
  ck_assert(chorus_endpoint_parse(group, 0, &e));
  ck_assert_uint_lt(i, log->count);
  ck_assert(chorus_same_address(&log->group[i], &e));
  ck_assert_int_eq(log->member[i], member);
}

START_TEST(old_igmp) {
  uint8_t body[8] = {0x16, 0, 0, 0, 224, 0, 1, 187};
  struct log log = read_report(true, body, sizeof body);
  expect(&log, 0, "224.0.1.187:0", true);
  body[0] = 0x12;
  log = read_report(true, body, sizeof body);
  expect(&log, 0, "224.0.1.187:0", true);
  body[0] = 0x17;
  log = read_report(true, body, sizeof body);
  expect(&log, 0, "224.0.1.187:0", false);
  body[0] = 0x11; /* a query */
  ck_assert_uint_eq(read_report(true, body, sizeof body).count, 0);
  ck_assert_uint_eq(read_report(true, body, 7).count, 0);
}
END_TEST

START_TEST(igmp_records) {
  const uint8_t body[] = {0x22, 0, 0, 0, 0,   0, 0, 6,             /* six records */
                          4,    0, 0, 0, 224, 0, 1, 1,             /* to exclude nothing: joined */
                          3,    0, 0, 0, 224, 0, 1, 2,             /* to include nothing: left */
                          1,    0, 0, 1, 224, 0, 1, 3, 9, 9, 9, 9, /* includes a source */
                          5,    1, 0, 1, 224, 0, 1, 4, 9, 9, 9, 9, 0, 0, 0, 0, /* with aux data */
                          6,    0, 0, 1, 224, 0, 1, 5, 9, 9, 9, 9, /* blocks one: says nothing */
                          2,    0, 0, 0, 224, 0, 1, 6};
  struct log log = read_report(true, body, sizeof body);
  ck_assert_uint_eq(log.count, 5);
  expect(&log, 0, "224.0.1.1:0", true);
  expect(&log, 1, "224.0.1.2:0", false);
  expect(&log, 2, "224.0.1.3:0", true);
  expect(&log, 3, "224.0.1.4:0", true);
  expect(&log, 4, "224.0.1.6:0", true);
  for (uint32_t cut = 0; cut < sizeof body; cut++) read_report(true, body, cut);
}
END_TEST

START_TEST(old_mld) {
  uint8_t body[24] = {131, [8] = 0xff, 0x35, [23] = 1};
  struct log log = read_report(false, body, sizeof body);
  expect(&log, 0, "[ff35::1]:0", true);
  body[0] = 132;
  log = read_report(false, body, sizeof body);
  expect(&log, 0, "[ff35::1]:0", false);
  ck_assert_uint_eq(read_report(false, body, 23).count, 0);
}
END_TEST

START_TEST(mld_records) {
  uint8_t body[8 + 20 + 36 + 20] = {143, [7] = 3};
  uint8_t *one = body + 8, *two = one + 20, *three = two + 36;
  one[0] = 4, one[4] = 0xff, one[5] = 0x05, one[19] = 1;
  two[0] = 1, two[3] = 1, two[4] = 0xff, two[5] = 0x05, two[19] = 2;
  three[0] = 3, three[4] = 0xff, three[5] = 0x05, three[19] = 3;
  struct log log = read_report(false, body, sizeof body);
  ck_assert_uint_eq(log.count, 3);
  expect(&log, 0, "[ff05::1]:0", true);
  expect(&log, 1, "[ff05::2]:0", true);
  expect(&log, 2, "[ff05::3]:0", false);
  two[2] = 0xff; /* more sources than there are: the report ends before */
  ck_assert_uint_eq(read_report(false, body, sizeof body).count, 1);
}
END_TEST

START_TEST(only_groups_count) {
  const uint8_t body[8] = {0x16, 0, 0, 0, 192, 0, 2, 1};
  ck_assert_uint_eq(read_report(true, body, sizeof body).count, 0);
}
END_TEST

RUN_SUITE("snoop", old_igmp, igmp_records, old_mld, mld_records, only_groups_count)
