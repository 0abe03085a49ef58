/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench_host.h"

START_TEST(round_trip) {
  uint8_t octets[256], token[8] = {0, 0xff, 0, 1, 2, 3, 4, 5};
  for (uint8_t tkl = 0; tkl <= 8; tkl++) {
    struct ref_writer w;
    struct ref_message m;
    ref_writer_begin(&w, octets, sizeof octets, REF_NON, 1, 0xabcd, token, tkl);
    ref_writer_option(&w, REF_OPTION_URI_PATH, "a", 1);
    ref_writer_option(&w, REF_OPTION_URI_PATH, "", 0);
    ref_writer_uint(&w, REF_OPTION_NO_RESPONSE, 26);
    ref_writer_option(&w, 65001, "x", 1);
    ref_writer_payload(&w, (const uint8_t *)"hi", 2);
    ck_assert_int_eq(ref_decode(octets, ref_writer_end(&w), &m), REF_FAULT_NONE);
    ck_assert_uint_eq(m.token_length, tkl);
    ck_assert_mem_eq(m.token, token, tkl);
    ck_assert_uint_eq(m.mid, 0xabcd);
    ck_assert_uint_eq(m.payload_length, 2);
    static const uint32_t numbers[] = {11, 11, 258, 65001};
    struct ref_option_walk o;
    ref_option_first(&o, &m);
    for (size_t i = 0; i < 4; i++) {
      ck_assert(ref_option_next(&o));
      ck_assert_uint_eq(o.number, numbers[i]);
    }
    ck_assert(!ref_option_next(&o));
  }
}
END_TEST

START_TEST(large_option) {
  uint8_t octets[1280], value[1034];
  memset(value, 7, sizeof value);
  static const size_t lengths[] = {0, 1, 12, 13, 268, 269, 1034};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    struct ref_writer w;
    struct ref_message m;
    struct ref_option_walk o;
    ref_writer_begin(&w, octets, sizeof octets, REF_CON, 2, 1, NULL, 0);
    ref_writer_option(&w, 35, value, lengths[i]);
    ck_assert_int_eq(ref_decode(octets, ref_writer_end(&w), &m), REF_FAULT_NONE);
    ref_option_first(&o, &m);
    ck_assert(ref_option_next(&o));
    ck_assert_uint_eq(o.length, lengths[i]);
    ck_assert_mem_eq(o.value, value, lengths[i]);
  }
}
END_TEST

START_TEST(malformed) {
  static const struct {
    const char *what;
    uint8_t octets[16];
    size_t length;
    enum ref_fault fault;
  } table[] = {
      {"nothing", {0}, 0, REF_FAULT_SHORT},
      {"three octets", {0x50, 1, 0}, 3, REF_FAULT_SHORT},
      {"Token cut off", {0x54, 1, 0, 1, 9, 9}, 6, REF_FAULT_SHORT},
      {"TKL 9", {0x59, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 13, REF_FAULT_TOKEN_LENGTH},
      {"TKL 15", {0x5f, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 13, REF_FAULT_TOKEN_LENGTH},
      {"marker without payload", {0x50, 1, 0, 1, 0xff}, 5, REF_FAULT_MARKER},
      {"delta 15", {0x50, 1, 0, 1, 0xf1, 1}, 6, REF_FAULT_OPTION},
      {"length 15", {0x50, 1, 0, 1, 0x1f, 1}, 6, REF_FAULT_OPTION},
      {"value cut off", {0x50, 1, 0, 1, 0xb5, 'a'}, 6, REF_FAULT_OPTION},
      {"extended delta cut off", {0x50, 1, 0, 1, 0xd0}, 5, REF_FAULT_OPTION},
      {"extended length cut off", {0x50, 1, 0, 1, 0x1d}, 5, REF_FAULT_OPTION},
      {"number above 65535", {0x50, 1, 0, 1, 0xe0, 0xff, 0xff}, 7, REF_FAULT_OPTION},
      {"numbers that add up to more than 65535",
       {0x50, 1, 0, 1, 0xe0, 0xfe, 0xf2, 0xb0},
       8,
       REF_FAULT_OPTION},
      {"Empty with a trailing octet", {0x40, 0, 0, 1, 0}, 5, REF_FAULT_EMPTY},
      {"Empty with a Token", {0x41, 0, 0, 1, 5}, 5, REF_FAULT_EMPTY},
      {"Empty with TKL 1 and no Token", {0x41, 0, 0, 1}, 4, REF_FAULT_EMPTY},
      {"class 1", {0x50, 0x20, 0, 1}, 4, REF_FAULT_RESERVED_CLASS},
      {"class 6", {0x50, 0xc0, 0, 1}, 4, REF_FAULT_RESERVED_CLASS},
      {"class 7", {0x50, 0xe1, 0, 1}, 4, REF_FAULT_RESERVED_CLASS},
      {"a ping", {0x40, 0, 0, 1}, 4, REF_FAULT_NONE},
      {"a GET", {0x50, 1, 0, 1}, 4, REF_FAULT_NONE},
      {"a GET with payload", {0x50, 1, 0, 1, 0xff, 0xff}, 6, REF_FAULT_NONE},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct ref_message m;
    uint8_t *exact = malloc(table[i].length ? table[i].length : 1);
    memcpy(exact, table[i].octets, table[i].length);
    ck_assert_msg(ref_decode(exact, table[i].length, &m) == table[i].fault, "%s", table[i].what);
    ck_assert_msg(m.has_header == (table[i].length >= 4), "%s", table[i].what);
    free(exact);
  }
}
END_TEST

/* Any octets at all: no crash, and what is accepted stays inside. */
START_TEST(random_octets) {
  uint64_t x = 88172645463325252u;
  for (int i = 0; i < 200000; i++) {
    uint8_t octets[40];
    for (size_t k = 0; k < sizeof octets; k += 8) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      memcpy(octets + k, &x, 8);
    }
    octets[0] = (uint8_t)(0x40u | (octets[0] & 0x3fu));
    size_t length = octets[39] % 40;
    struct ref_message m;
    if (ref_decode(octets, length, &m) != REF_FAULT_NONE) continue;
    struct ref_option_walk o;
    ref_option_first(&o, &m);
    while (ref_option_next(&o)) ck_assert(o.value + o.length <= octets + length);
    if (m.payload_length) ck_assert(m.payload + m.payload_length == octets + length);
  }
}
END_TEST

START_TEST(overflow_sticks) {
  uint8_t octets[8];
  struct ref_writer w;
  ref_writer_begin(&w, octets, sizeof octets, REF_NON, 1, 1, NULL, 0);
  ref_writer_option(&w, 11, "abcdefgh", 8);
  ref_writer_option(&w, 11, "a", 1);
  ck_assert_uint_eq(ref_writer_end(&w), 0);
  ref_writer_begin(&w, octets, sizeof octets, REF_NON, 1, 1, NULL, 0);
  ref_writer_option(&w, 11, "abc", 3);
  ck_assert_uint_eq(ref_writer_end(&w), 8);
}
END_TEST

START_TEST(option_rules) {
  static const struct ref_option_rule rules[] = {{11, 0, 255, true}, {17, 0, 2, false}};
  struct ref_option_walk o = {.number = 17, .length = 2};
  ck_assert(ref_option_known(rules, 2, &o, 11));
  ck_assert(!ref_option_known(rules, 2, &o, 17)); /* surplus: 5.4.5 */
  o.length = 3;
  ck_assert(!ref_option_known(rules, 2, &o, 11)); /* length: 5.4.3 */
  o = (struct ref_option_walk){.number = 11, .length = 1};
  ck_assert(ref_option_known(rules, 2, &o, 11));
  o.number = 13;
  ck_assert(!ref_option_known(rules, 2, &o, 11));
}
END_TEST

START_TEST(list_is_sorted) {
  static struct ref_option_list list;
  uint8_t octets[128];
  struct ref_writer w;
  struct ref_message m;
  struct ref_option_walk o;
  ck_assert(ref_option_add_uint(&list, 258, 0));
  ck_assert(ref_option_add(&list, 11, "b", 1));
  ck_assert(ref_option_add(&list, 3, "h", 1));
  ck_assert(ref_option_add(&list, 11, "a", 1));
  ref_writer_begin(&w, octets, sizeof octets, REF_NON, 1, 1, NULL, 0);
  ref_writer_list(&w, &list);
  ck_assert_int_eq(ref_decode(octets, ref_writer_end(&w), &m), REF_FAULT_NONE);
  ref_option_first(&o, &m);
  static const uint32_t numbers[] = {3, 11, 11, 258};
  static const char *const values[] = {"h", "b", "a", ""};
  for (size_t i = 0; i < 4; i++) {
    ck_assert(ref_option_next(&o));
    ck_assert_uint_eq(o.number, numbers[i]);
    ck_assert_uint_eq(o.length, strlen(values[i]));
    ck_assert_mem_eq(o.value, values[i], o.length);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {round_trip,      large_option, malformed,     random_octets,
                                overflow_sticks, option_rules, list_is_sorted};
  return RUN_TESTS("codec", tests);
}
