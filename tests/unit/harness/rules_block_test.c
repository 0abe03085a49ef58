/* SPDX-License-Identifier: BSD-2-Clause */
/* BLK-2.2-01, BLK-2.3-01 and -02, BLK-2.4-01, GC-2.3.4-10, GC-2.3.6-03, BLK-2.8-02: Block options.
 */
#include "rules_message.h"

#define OCTETS_16 "0123456789abcdef"
#define OCTETS_64 OCTETS_16 OCTETS_16 OCTETS_16 OCTETS_16

/* A Block value is NUM << 4 | M << 3 | SZX: "08" is 0/1/16, "0a" is 0/1/64, "12" is 1/0/64. */
static const struct block_case {
  const char *rule, *to;
  const char *asked; /* Block2 of the request, or NULL */
  int code;
  const char *block, *payload; /* of the response */
  enum jdg_verdict verdict;
} cases[] = {
    {"BLK-2.2-01", SERVER, "07", CODE_400, NULL, NULL, JDG_PASS},
    {"BLK-2.2-01", SERVER, "07", CODE_205, NULL, "x", JDG_FAIL},
    {"BLK-2.2-01", GROUP, "07", CODE_205, NULL, "x", JDG_FAIL},
    {"BLK-2.2-01", SERVER, "07", CODE_402, NULL, NULL, JDG_NOT_EXERCISED}, /* no Block at all */
    {"BLK-2.2-01", SERVER, NULL, CODE_205, "07", "x", JDG_FAIL},
    {"BLK-2.2-01", SERVER, NULL, CODE_205, "06", "x", JDG_PASS},
    {"BLK-2.2-01", SERVER, NULL, CODE_205, NULL, "x", JDG_NOT_EXERCISED},
    {"BLK-2.3-01", SERVER, NULL, CODE_205, "08", OCTETS_16, JDG_PASS},
    {"BLK-2.3-01", SERVER, NULL, CODE_205, "0a", OCTETS_64, JDG_PASS},
    {"BLK-2.3-01", SERVER, NULL, CODE_205, "0a", OCTETS_16, JDG_FAIL},
    {"BLK-2.3-01", SERVER, NULL, CODE_205, "08", OCTETS_16 "x", JDG_FAIL},
    {"BLK-2.3-01", SERVER, NULL, CODE_205, "12", OCTETS_16, JDG_NOT_EXERCISED}, /* the last */
    {"BLK-2.4-01", SERVER, "00", CODE_205, "08", OCTETS_16, JDG_PASS},
    {"BLK-2.4-01", SERVER, "02", CODE_205, "08", OCTETS_16, JDG_PASS},
    {"BLK-2.4-01", GROUP, "00", CODE_205, "0a", OCTETS_64, JDG_FAIL},
    {"BLK-2.4-01", SERVER, "00", CODE_205, NULL, OCTETS_64, JDG_FAIL},
    {"BLK-2.4-01", SERVER, "00", CODE_205, NULL, OCTETS_16, JDG_PASS},
    {"BLK-2.4-01", SERVER, "00", CODE_404, NULL, OCTETS_64, JDG_NOT_EXERCISED},
    {"BLK-2.4-01", SERVER, NULL, CODE_205, "0a", OCTETS_64, JDG_NOT_EXERCISED},
    {"GC-2.3.4-10", GROUP, NULL, CODE_205, "0a", OCTETS_64, JDG_PASS},
    {"GC-2.3.4-10", GROUP, NULL, CODE_205, "02", OCTETS_16, JDG_PASS},
    {"GC-2.3.4-10", GROUP, NULL, CODE_205, "1a", OCTETS_64, JDG_FAIL}, /* NUM 1 */
    {"GC-2.3.4-10", GROUP, NULL, CODE_205, "0a", OCTETS_16, JDG_FAIL}, /* cut short */
    {"GC-2.3.4-10", GROUP, NULL, CODE_205, NULL, OCTETS_64, JDG_NOT_EXERCISED},
    {"GC-2.3.4-10", SERVER, NULL, CODE_205, "1a", OCTETS_64, JDG_NOT_EXERCISED},
    {"GC-2.3.4-10", GROUP, "12", CODE_205, "1a", OCTETS_64, JDG_NOT_EXERCISED}, /* asked for */
    {"GC-2.3.6-03", GROUP, NULL, CODE_205, "0a", OCTETS_64, JDG_PASS},
    {"GC-2.3.6-03", GROUP, NULL, CODE_205, "1a", OCTETS_64, JDG_WARN},
    {"GC-2.3.6-03", GROUP, NULL, CODE_205, NULL, OCTETS_64, JDG_NOT_EXERCISED},
    {"BLK-2.8-02", GROUP, NULL, CODE_205, "02", OCTETS_16, JDG_PASS},
    {"BLK-2.8-02", GROUP, NULL, CODE_205, "1a", OCTETS_64, JDG_WARN},
    {"BLK-2.8-02", SERVER, NULL, CODE_205, "1a", OCTETS_64, JDG_NOT_EXERCISED},
};

START_TEST(of_a_server) {
  const struct block_case *k = &cases[_i];
  struct fx_message q = {.type = DIS_NON, .code = GET, .mid = 1, .token = "aa", .path = "/x"};
  if (k->asked) q.options[0] = (struct fx_option){DIS_BLOCK2, k->asked};
  struct fx_message r = {.type = DIS_NON, .code = k->code, .mid = 9, .token = "aa"};
  if (k->block) r.options[0] = (struct fx_option){DIS_BLOCK2, k->block};
  r.payload = k->payload;
  to_server(TESTER, k->to, &q);
  later(100);
  fx_send(&fx, s, SERVER, TESTER, &r);
  EXPECT(k->rule, s, k->verdict);
}
END_TEST

/* The answer to a unicast follow-up under the Token of the group request may be any block. */
START_TEST(of_a_follow_up) {
  to_server(TESTER, GROUP, NON(GET, 1, "aa", .path = "/x"));
  fx_send(&fx, s, SERVER, TESTER,
          NON(CODE_205, 9, "aa", .payload = OCTETS_64, .options = {{23, "0a"}}));
  later(7000);
  to_server(TESTER, SERVER, CON(GET, 2, "aa", .path = "/x", .options = {{23, "12"}}));
  fx_send(&fx, s, SERVER, TESTER,
          ACK(CODE_205, 2, "aa", .payload = "rest", .options = {{23, "12"}}));
  EXPECT(_i ? "BLK-2.4-01" : "GC-2.3.4-10", s, _i ? JDG_NOT_EXERCISED : JDG_PASS);
}
END_TEST

/* A client that asks for the next block in an ACK errs; a server that answers it does not. */
START_TEST(of_a_request_in_an_ack) {
  fx_see(&fx, MEDIUM1, GROUP, NON(GET, 1, "aa", .path = "/x"));
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1,
         CON(CODE_205, 9, "aa", .payload = OCTETS_64, .options = {{23, "0a"}}));
  later(10);
  fx_see(&fx, MEDIUM1, MEDIUM2, ACK(GET, 9, "aa", .path = "/x", .options = {{23, "12"}}));
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1,
         CON(CODE_205, 10, "aa", .payload = "rest", .options = {{23, "12"}}));
  EXPECT("GC-2.3.4-10", fx_node_named(&fx, "2001:db8::88"), JDG_PASS);
}
END_TEST

/* The request of block 0, without a size, was not captured; that of block 2 overtook its answer. */
START_TEST(of_an_ack_for_another_block) {
  fx_see(&fx, MEDIUM1, MEDIUM2, CON(GET, 2, "aa", .path = "/x", .options = {{23, "20"}}));
  later(10);
  fx_see(&fx, MEDIUM2, MEDIUM1,
         ACK(CODE_205, _i ? 2 : 1, "aa", .payload = OCTETS_64, .options = {{23, "0a"}}));
  EXPECT("BLK-2.4-01", fx_node_named(&fx, "2001:db8::88"), _i ? JDG_FAIL : JDG_NOT_EXERCISED);
}
END_TEST

/* A capture made elsewhere shows nobody receive a group request: the request itself tells. */
static const struct elsewhere_case {
  const char *rule, *asked, *given;
  enum jdg_verdict verdict;
} elsewhere_cases[] = {
    {"BLK-2.4-01", "01", "0a", JDG_FAIL},
    {"BLK-2.4-01", "02", "0a", JDG_PASS},
    {"BLK-2.4-01", NULL, "0a", JDG_NOT_EXERCISED},
    {"BLK-2.2-01", "07", "0a", JDG_FAIL},
    {"BLK-2.2-01", "02", NULL, JDG_NOT_EXERCISED},
    {"BLK-2.8-02", "02", "1a", JDG_WARN},
    {"BLK-2.8-02", "02", "0a", JDG_PASS},
    {"BLK-2.8-02", "12", "1a", JDG_NOT_EXERCISED}, /* a later block asked for: not defined */
};

START_TEST(of_a_group_request_elsewhere) {
  const struct elsewhere_case *k = &elsewhere_cases[_i];
  struct fx_message q = {.type = DIS_NON, .code = GET, .mid = 1, .token = "aa", .path = "/x"};
  struct fx_message r = {.type = DIS_NON, .code = CODE_205, .mid = 9, .token = "aa"};
  if (k->asked) q.options[0] = (struct fx_option){DIS_BLOCK2, k->asked};
  if (k->given) r.options[0] = (struct fx_option){DIS_BLOCK2, k->given};
  r.payload = OCTETS_64;
  fx_see(&fx, MEDIUM1, GROUP, &q);
  later(1000);
  fx_see(&fx, MEDIUM2, MEDIUM1, &r);
  EXPECT(k->rule, fx_node_named(&fx, "2001:db8::88"), k->verdict);
}
END_TEST

static const struct client_case {
  const char *rule;
  struct fx_option option;
  enum jdg_verdict verdict;
} client_cases[] = {
    {"BLK-2.3-02", {DIS_BLOCK2, "12"}, JDG_PASS},
    {"BLK-2.3-02", {DIS_BLOCK2, "1a"}, JDG_FAIL},
    {"BLK-2.3-02", {DIS_BLOCK1, "1a"}, JDG_NOT_EXERCISED}, /* M has its use in Block1 */
    {"BLK-2.3-02", {DIS_ETAG, "01"}, JDG_NOT_EXERCISED},
    {"BLK-2.2-01", {DIS_BLOCK1, "0f"}, JDG_FAIL},
    {"BLK-2.2-01", {DIS_BLOCK1, "0e"}, JDG_PASS},
};

START_TEST(of_a_client) {
  const struct client_case *k = &client_cases[_i];
  fx_send(&fx, c, CLIENT, SERVER, CON(PUT, 1, "aa", .path = "/x", .options = {k->option}));
  EXPECT(k->rule, c, k->verdict);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void) {
  Suite *suite = suite_create("rules_block");
  TCase *tests = new_case(suite, "block");
  tcase_add_loop_test(tests, of_a_server, 0, COUNT(cases));
  tcase_add_loop_test(tests, of_a_follow_up, 0, 2);
  tcase_add_test(tests, of_a_request_in_an_ack);
  tcase_add_loop_test(tests, of_an_ack_for_another_block, 0, 2);
  tcase_add_loop_test(tests, of_a_group_request_elsewhere, 0, COUNT(elsewhere_cases));
  tcase_add_loop_test(tests, of_a_client, 0, COUNT(client_cases));
  return run_suite(suite);
}
