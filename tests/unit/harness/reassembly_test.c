/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments of IPv4 and IPv6, in any order and number, and what becomes of contradictory ones. */
#include "dissect/reassembly.h"

#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "packets.h"

#define RAW_IP        101
#define MAX_FRAGMENTS 128

static struct dis_reassembly *table;
static struct dis_frame frame;

static void setup(void) {
  table = dis_reassembly_new();
}
static void teardown(void) {
  dis_reassembly_free(table);
}

static enum dis_frame_kind read_at(const struct packet *p, uint32_t interface, chorus_time time) {
  dis_frame_read(table, RAW_IP, interface, time, p->at, p->length, p->length, &frame);
  return frame.kind;
}

/* A generator of the tests' own, so that a failure is found again by its seed. */
static uint64_t dice;

static uint32_t roll(uint32_t below) {
  dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(dice >> 33) % below;
}

/* The UDP datagram that is fragmented in these tests. */
static struct packet udp;

static void make_datagram(int version, size_t length) {
  uint8_t payload[65536];
  for (size_t i = 0; i < length; i++) payload[i] = (uint8_t)roll(256);
  udp.length = 0;
  add_udp(&udp, version, payload, length);
}

static void make_part(struct packet *p, int version, unsigned id, size_t offset, size_t end) {
  make_fragment(p, version, id, 17, udp.at + offset, end - offset, offset, end < udp.length);
}

static void assert_whole(void) {
  ck_assert_msg(frame.kind == DIS_FRAME_UDP, "kind %d: %s", frame.kind, frame.why);
  ck_assert(frame.fragmented);
  ck_assert_uint_eq(frame.length, udp.length - 8);
  ck_assert_mem_eq(frame.payload, udp.at + 8, frame.length);
}

/* ---- the property: fragment, permute, duplicate, reassemble = identity ---- */

/* Cuts at random multiples of 8; returns the number of parts, whose ends are in |ends|. */
static size_t random_cuts(size_t *ends) {
  size_t count = 0, at = 0;
  while (at < udp.length) {
    size_t step = 8u * (1 + roll(40));
    if (count == MAX_FRAGMENTS - 1) step = udp.length;
    at = at + step < udp.length ? at + step : udp.length;
    ends[count++] = at;
  }
  return count;
}

static void shuffle(size_t *order, size_t count) {
  for (size_t i = count; i > 1; i--) {
    size_t j = roll((uint32_t)i), kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
}

START_TEST(test_permuted_and_duplicated) {
  int version = _i % 2 ? 6 : 4;
  dice = (uint64_t)_i;
  for (unsigned id = 1; id <= 40; id++) {
    size_t ends[MAX_FRAGMENTS], order[2 * MAX_FRAGMENTS], sent = 0;
    make_datagram(version, 100 + roll(3000));
    size_t count = random_cuts(ends);
    if (count < 2) continue;
    for (size_t i = 0; i < count; i++)
      for (unsigned copies = 1 + (roll(4) == 0); copies > 0; copies--) order[sent++] = i;
    shuffle(order, sent);
    bool have[MAX_FRAGMENTS] = {false};
    size_t missing = count;
    for (size_t i = 0; i < sent && missing > 0; i++) {
      size_t part = order[i];
      struct packet p;
      make_part(&p, version, id, part ? ends[part - 1] : 0, ends[part]);
      missing -= !have[part];
      have[part] = true;
      read_at(&p, 0, id);
      if (missing > 0) ck_assert_int_eq(frame.kind, DIS_FRAME_OTHER);
    }
    assert_whole();
  }
  ck_assert_uint_eq(dis_reassembly_waiting(table), 0);
  ck_assert_uint_eq(dis_reassembly_expired(table), 0);
}
END_TEST

/* Many datagrams at once, at many interfaces, with one identification. */
START_TEST(test_interfaces_apart) {
  enum { INTERFACES = 3000 };
  struct packet first, last;
  dice = 7;
  make_datagram(6, 2000);
  make_part(&first, 6, 1, 0, 1232);
  make_part(&last, 6, 1, 1232, udp.length);
  for (uint32_t i = 0; i < INTERFACES; i++)
    ck_assert_int_eq(read_at(&first, i, 0), DIS_FRAME_OTHER);
  ck_assert_uint_eq(dis_reassembly_waiting(table), INTERFACES);
  for (uint32_t i = 0; i < INTERFACES; i++) {
    read_at(&last, i, 1);
    assert_whole();
  }
  ck_assert_uint_eq(dis_reassembly_waiting(table), 0);
}
END_TEST

START_TEST(test_largest_datagram) {
  int version = _i ? 6 : 4;
  size_t largest = version == 6 ? 65535 - 8 : 65535 - 20 - 8;
  struct packet p;
  make_datagram(version, largest);
  for (size_t at = 0; at < udp.length; at += 1400)
    read_at((make_part(&p, version, 9, at, at + 1400 < udp.length ? at + 1400 : udp.length), &p), 0,
            0);
  assert_whole();
}
END_TEST

/* Hop limit and next header are those of the first fragment (RFC 8200, section 4.5). */
START_TEST(test_first_fragment_counts) {
  struct packet first, last;
  make_datagram(6, 20);
  make_part(&first, 6, 1, 0, 16);
  make_part(&last, 6, 1, 16, udp.length);
  last.at[7] = 3;
  last.at[40] = 6;
  read_at(&first, 0, 0);
  read_at(&last, 0, 0);
  assert_whole();
  ck_assert_uint_eq(frame.hop_limit, 61);
}
END_TEST

/* The whole datagram is checked: one octet wrong in any fragment is found. */
START_TEST(test_damaged_fragment) {
  struct packet first, last;
  make_datagram(4, 20);
  make_part(&first, 4, 1, 0, 16);
  make_part(&last, 4, 1, 16, udp.length);
  last.at[last.length - 1] ^= 0x10;
  read_at(&first, 0, 0);
  ck_assert_int_eq(read_at(&last, 0, 0), DIS_FRAME_DAMAGED);
  ck_assert_str_eq(frame.why, "UDP checksum is wrong");
}
END_TEST

/* ---- time and room ---- */

START_TEST(test_timeout) {
  struct packet first, last;
  make_datagram(6, 20);
  make_part(&first, 6, 1, 0, 16);
  make_part(&last, 6, 1, 16, udp.length);
  read_at(&first, 0, 5);
  read_at(&last, 0, 5 + 60 * CHORUS_SECOND);
  assert_whole();
  read_at(&first, 0, 5);
  ck_assert_int_eq(read_at(&last, 0, 6 + 60 * CHORUS_SECOND), DIS_FRAME_OTHER);
  ck_assert_uint_eq(dis_reassembly_expired(table), 1);
  ck_assert_uint_eq(dis_reassembly_waiting(table), 1);
}
END_TEST

/* A clock that was set back gives nothing up, and does not end in an error. */
START_TEST(test_time_goes_back) {
  struct packet first, last;
  make_datagram(6, 20);
  make_part(&first, 6, 1, 0, 16);
  make_part(&last, 6, 1, 16, udp.length);
  read_at(&first, 0, 1000 * CHORUS_SECOND);
  read_at(&last, 0, 1);
  assert_whole();
}
END_TEST

/* Without end: memory stays bounded, and the oldest are given up. */
START_TEST(test_bounded) {
  struct packet p;
  make_datagram(6, 60000);
  size_t sent = 2 * REASSEMBLY_MAX_OCTETS / 65536;
  for (unsigned id = 0; id < sent; id++) {
    make_part(&p, 6, id, 59992, udp.length);
    ck_assert_int_eq(read_at(&p, 0, 0), DIS_FRAME_OTHER);
  }
  uint64_t waiting = dis_reassembly_waiting(table);
  ck_assert_uint_le(waiting * 65536, REASSEMBLY_MAX_OCTETS);
  ck_assert_uint_eq(waiting + dis_reassembly_expired(table), sent);
}
END_TEST

START_TEST(test_many_small) {
  struct packet p;
  make_datagram(6, 20);
  make_part(&p, 6, 1, 0, 8);
  const uint32_t sent = REASSEMBLY_MAX_DATAGRAMS + 1000;
  for (uint32_t interface = 0; interface < sent; interface++) read_at(&p, interface, 0);
  ck_assert_uint_eq(dis_reassembly_waiting(table), REASSEMBLY_MAX_DATAGRAMS);
  ck_assert_uint_eq(dis_reassembly_expired(table), 1000);
}
END_TEST

/* ---- contradictions ---- */

START_TEST(test_overlap_of_other_content) {
  int version = _i ? 6 : 4;
  struct packet first, other, last;
  make_datagram(version, 40);
  make_part(&first, version, 1, 0, 24);
  make_part(&last, version, 1, 24, udp.length);
  other = first;
  other.at[other.length - 1] ^= 1;
  read_at(&first, 0, 0);
  ck_assert_int_eq(read_at(&other, 0, 0), DIS_FRAME_DAMAGED);
  ck_assert_str_eq(frame.why, "fragments overlap (RFC 5722)");
  /* All of the datagram is gone: its last fragment completes nothing. */
  ck_assert_int_ne(read_at(&last, 0, 0), DIS_FRAME_UDP);
  if (version == 6) ck_assert_int_eq(frame.kind, DIS_FRAME_DAMAGED);
  if (version == 6) ck_assert_int_eq(read_at(&first, 0, 0), DIS_FRAME_DAMAGED);
}
END_TEST

/* The same octets partly again: IPv6 discards (RFC 5722), IPv4 puts them together (RFC 791). */
START_TEST(test_overlap_of_same_content) {
  int version = _i ? 6 : 4;
  struct packet first, last;
  make_datagram(version, 40);
  make_part(&first, version, 1, 0, 24);
  make_part(&last, version, 1, 16, udp.length);
  read_at(&first, 0, 0);
  read_at(&last, 0, 0);
  if (version == 4)
    assert_whole();
  else
    ck_assert_int_eq(frame.kind, DIS_FRAME_DAMAGED);
}
END_TEST

/* After a minute the identification may be used again. */
START_TEST(test_discarded_is_forgotten) {
  struct packet first, last;
  make_datagram(6, 40);
  make_part(&first, 6, 1, 0, 24);
  make_part(&last, 6, 1, 16, udp.length);
  read_at(&first, 0, 0);
  read_at(&last, 0, 0);
  make_part(&last, 6, 1, 24, udp.length);
  read_at(&first, 0, 61 * CHORUS_SECOND);
  read_at(&last, 0, 61 * CHORUS_SECOND);
  assert_whole();
  ck_assert_uint_eq(dis_reassembly_expired(table), 0);
}
END_TEST

START_TEST(test_wrong_lengths) {
  int version = _i ? 6 : 4;
  struct packet p;
  make_datagram(version, 40);
  make_fragment(&p, version, 1, 17, udp.at, 12, 0, 1);
  ck_assert_int_eq(read_at(&p, 0, 0), DIS_FRAME_DAMAGED);
  ck_assert_uint_eq(dis_reassembly_waiting(table), 0);
  /* Two ends. */
  make_part(&p, version, 2, 24, udp.length);
  read_at(&p, 0, 0);
  make_fragment(&p, version, 2, 17, udp.at, 8, 32, 0);
  ck_assert_int_eq(read_at(&p, 0, 0), DIS_FRAME_DAMAGED);
  /* Something behind the end. */
  make_fragment(&p, version, 2, 17, udp.at, 8, 48, 1);
  ck_assert_int_eq(read_at(&p, 0, 0), DIS_FRAME_DAMAGED);
  /* An end before what is there. */
  make_fragment(&p, version, 3, 17, udp.at, 16, 32, 1);
  read_at(&p, 0, 0);
  make_fragment(&p, version, 3, 17, udp.at, 8, 8, 0);
  ck_assert_int_eq(read_at(&p, 0, 0), DIS_FRAME_DAMAGED);
  /* Beyond 65535 octets. */
  make_fragment(&p, version, 4, 17, udp.at, 16, 65528, 0);
  ck_assert_int_eq(read_at(&p, 0, 0), DIS_FRAME_DAMAGED);
}
END_TEST

START_TEST(test_no_table) {
  struct packet p;
  make_datagram(6, 40);
  make_part(&p, 6, 1, 0, 24);
  dis_frame_read(NULL, RAW_IP, 0, 0, p.at, p.length, p.length, &frame);
  ck_assert_int_eq(frame.kind, DIS_FRAME_OTHER);
  ck_assert(frame.fragmented);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("reassembly");
  TCase *t = tcase_create("reassembly");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, test_permuted_and_duplicated, 0, 20);
  tcase_add_test(t, test_interfaces_apart);
  tcase_add_loop_test(t, test_largest_datagram, 0, 2);
  tcase_add_test(t, test_first_fragment_counts);
  tcase_add_test(t, test_damaged_fragment);
  tcase_add_test(t, test_timeout);
  tcase_add_test(t, test_time_goes_back);
  tcase_add_test(t, test_bounded);
  tcase_add_test(t, test_many_small);
  tcase_add_loop_test(t, test_overlap_of_other_content, 0, 2);
  tcase_add_loop_test(t, test_overlap_of_same_content, 0, 2);
  tcase_add_test(t, test_discarded_is_forgotten);
  tcase_add_loop_test(t, test_wrong_lengths, 0, 2);
  tcase_add_test(t, test_no_table);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
