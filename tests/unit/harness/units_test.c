/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/units.h"

#include <check.h>
#include <stdlib.h>

#include "check_run.h"

START_TEST(durations) {
  static const struct {
    const char *text;
    chorus_time ns;
  } good[] = {{"5s", 5000000000}, {"1.5s", 1500000000},   {"200ms", 200000000},  {"10us", 10000},
              {"3ns", 3},         {"2min", 120000000000}, {"1h", 3600000000000}, {"0", 0},
              {"0s", 0},          {"0.5 ms", 500000},     {"0.000000001s", 1},   {"0.0005us", 0}};
  static const char *const bad[] = {"",
                                    "5",
                                    "s",
                                    "5 sec",
                                    "-1s",
                                    "5ss",
                                    "1e3s",
                                    "1.s",
                                    ".5s",
                                    "0.3ns",
                                    "5s ",
                                    "99999999999999999999s",
                                    "6000000000h",
                                    "0.0000000001s"};
  for (size_t i = 0; i + 1 < sizeof good / sizeof *good; i++) {
    chorus_time ns = 77;
    ck_assert_msg(scn_duration(good[i].text, &ns), "%s", good[i].text);
    ck_assert_uint_eq(ns, good[i].ns);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    chorus_time ns = 77;
    ck_assert_msg(!scn_duration(bad[i], &ns), "%s", bad[i]);
    ck_assert_uint_eq(ns, 77); /* a reader that refuses leaves its result alone */
  }
}
END_TEST

START_TEST(percentages) {
  emu_ppm ppm = 5;
  ck_assert(scn_percent("10%", &ppm) && ppm == 100000);
  ck_assert(scn_percent("1.5 %", &ppm) && ppm == 15000);
  ck_assert(scn_percent("100%", &ppm) && ppm == EMU_ALWAYS);
  ck_assert(scn_percent("0.0001%", &ppm) && ppm == 1);
  ck_assert(!scn_percent("101%", &ppm) && !scn_percent("0.5", &ppm) &&
            !scn_percent("10 percent", &ppm));
  ck_assert(!scn_percent("0.00001%", &ppm)); /* finer than a millionth */
  ck_assert_uint_eq(ppm, 1);
}
END_TEST

START_TEST(rates_and_numbers) {
  uint64_t n = 0;
  bool b = false;
  ck_assert(scn_rate("250kbit", &n) && n == 250000);
  ck_assert(scn_rate("1.5 Mbit", &n) && n == 1500000);
  ck_assert(!scn_rate("250", &n) && !scn_rate("250kb", &n));
  ck_assert(scn_integer("0", 9, &n) && n == 0);
  ck_assert(scn_integer("0x1f", 255, &n) && n == 31);
  ck_assert(scn_integer("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
  ck_assert(!scn_integer("18446744073709551616", UINT64_MAX, &n));
  ck_assert(!scn_integer("10", 9, &n) && !scn_integer("", 9, &n) && !scn_integer("0x", 9, &n));
  ck_assert(scn_boolean("yes", &b) && b && scn_boolean("FALSE", &b) && !b && !scn_boolean("1", &b));
}
END_TEST

START_TEST(ranges) {
  struct scn_range r = {7, 7};
  chorus_time from = 0, to = 0;
  ck_assert(scn_parse_range("1", &r) && r.min == 1 && r.max == 1);
  ck_assert(scn_parse_range("0..2", &r) && r.min == 0 && r.max == 2);
  ck_assert(scn_parse_range("2..", &r) && r.min == 2 && r.max == UINT64_MAX);
  ck_assert(scn_parse_range("..3", &r) && r.min == 0 && r.max == 3);
  ck_assert(!scn_parse_range("3..2", &r) && !scn_parse_range("..", &r) &&
            !scn_parse_range("a", &r));
  ck_assert(scn_time_range("3s..9s", &from, &to) && from == 3 * CHORUS_SECOND &&
            to == 9 * CHORUS_SECOND);
  ck_assert(scn_time_range("3s..", &from, &to) && to == CHORUS_NEVER);
  ck_assert(!scn_time_range("9s..3s", &from, &to) && !scn_time_range("3s", &from, &to));
}
END_TEST

START_TEST(codes) {
  struct scn_code c;
  ck_assert(scn_parse_code("GET", &c) && c.code == 1 && !c.whole_class);
  ck_assert(scn_parse_code("iPATCH", &c) && c.code == 7);
  ck_assert(scn_parse_code("EMPTY", &c) && c.code == 0 && c.set);
  ck_assert(scn_parse_code("2.05", &c) && c.code == 0x45);
  ck_assert(scn_parse_code("7.31", &c) && c.code == 0xff);
  ck_assert(scn_parse_code("4.xx", &c) && c.whole_class && c.code == 0x80);
  ck_assert(scn_parse_code("4xx", &c) && c.whole_class);
  ck_assert(!scn_parse_code("2.5", &c) && !scn_parse_code("2.32", &c) &&
            !scn_parse_code("8.00", &c));
  ck_assert(!scn_parse_code("get", &c) && !scn_parse_code("", &c));
}
END_TEST

START_TEST(octets) {
  uint8_t o[4];
  size_t n = 9;
  ck_assert(scn_hex("01 0a:FF", o, sizeof o, &n) && n == 3 && o[0] == 1 && o[1] == 10 &&
            o[2] == 255);
  ck_assert(scn_hex("", o, sizeof o, &n) && n == 0);
  ck_assert(!scn_hex("0", o, sizeof o, &n) && !scn_hex("0g", o, sizeof o, &n));
  ck_assert(!scn_hex("0102030405", o, sizeof o, &n));
}
END_TEST

START_TEST(nearest_word) {
  static const char *const words[] = {"nodes", "network", "steps", "expect"};
  ck_assert_str_eq(scn_nearest("nodez", words, 4), "nodes");
  ck_assert_str_eq(scn_nearest("netwrok", words, 4), "network");
  ck_assert_ptr_null(scn_nearest("sweep-of-all", words, 4));
  ck_assert_ptr_null(scn_nearest("nodes", words, 0));
}
END_TEST

START_TEST(patterns) {
  ck_assert(scn_match("s*", "s1") && scn_match("*", "") && scn_match("a*c*e", "abcde"));
  ck_assert(scn_match("s?", "s1") && !scn_match("s?", "s12") && !scn_match("s", "s1"));
  ck_assert(scn_match("q1#*", "q1#17") && !scn_match("*x", "y"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("units");
  TCase *tests = tcase_create("all");
  tcase_add_test(tests, durations);
  tcase_add_test(tests, percentages);
  tcase_add_test(tests, rates_and_numbers);
  tcase_add_test(tests, ranges);
  tcase_add_test(tests, codes);
  tcase_add_test(tests, octets);
  tcase_add_test(tests, nearest_word);
  tcase_add_test(tests, patterns);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
