/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-5.3.1-03: Tokens that cannot be guessed. */
#include "rules_client_fixture.h"

static struct cfx t;

static void open_internet(enum jdg_tristate internet) {
  struct jdg_ics ics = cfx_ics();
  ics.internet = internet;
  cfx_open(&t, JDG_DIJK_03);
  jdg_set_ics(t.fx.judge, t.c, &ics);
}

static uint64_t scrambled(uint64_t n) {
  n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
  n ^= n >> 29;
  return n * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Sends |count| requests; Token |i| is first + i * step, as |octets| octets in either order. */
static enum jdg_verdict tokens(unsigned count, uint64_t first, uint64_t step, int octets,
                               bool little_endian, bool random) {
  open_internet(JDG_UNKNOWN);
  for (unsigned i = 0; i < count; i++) {
    uint64_t n = random ? scrambled(i) : first + i * step;
    char token[17] = "";
    for (int j = 0; j < octets; j++) {
      int shift = 8 * (little_endian ? j : octets - 1 - j);
      snprintf(token + 2 * j, 3, "%02x", (unsigned)(n >> shift & 0xff));
    }
    cfx_send(&t, i * 1000, i % 2 ? GROUP : S1, NON(GET, (int)i, token, .path = "/x"));
  }
  enum jdg_verdict verdict = cfx_end(&t, 1000000, "COAP-5.3.1-03");
  fx_free(&t.fx);
  return verdict;
}

START_TEST(sequences_are_seen_after_fifty_tokens) {
  ck_assert_int_eq(tokens(50, 1, 1, 4, false, false), JDG_WARN);
  ck_assert_int_eq(tokens(49, 1, 1, 4, false, false), JDG_NOT_EXERCISED);
  ck_assert_int_eq(tokens(60, 0xfff0, 1, 8, true, false), JDG_WARN);
  ck_assert_int_eq(tokens(60, 0xffffffffffffff00, 0x77, 8, false, false), JDG_WARN);
  ck_assert_int_eq(tokens(60, 200, 1, 1, false, false), JDG_WARN);
  ck_assert_int_eq(tokens(60, 0, 0, 4, false, true), JDG_PASS);
  ck_assert_int_eq(tokens(60, 0, 0, 0, false, false), JDG_NOT_EXERCISED); /* empty */
}
END_TEST

/* One Token for all blocks of a body is no choice of 60 Tokens (RFC 7959: as the client likes). */
START_TEST(blocks_of_one_body_may_share_a_token) {
  for (int shared = 0; shared < 2; shared++) {
    open_internet(JDG_UNKNOWN);
    for (unsigned i = 0; i < 60; i++) {
      char block[7];
      snprintf(block, sizeof block, "%06x", (shared ? i : 0) << 4 | 2u);
      const char *value = block + (i < 16 ? 4 : 2);
      cfx_send(&t, i * 1000, S1,
               CON(GET, (int)i, "c0ffee01", .path = i % 2 && !shared ? "/x" : "/y",
                   .options = {{DIS_BLOCK2, shared ? value : "02"}}));
    }
    ck_verdict(&t, 1000000, "COAP-5.3.1-03", shared ? JDG_NOT_EXERCISED : JDG_WARN);
  }
}
END_TEST

/* Two clients of one host take turns; each of them counts. */
START_TEST(clients_of_one_host_are_told_apart) {
  static const char *const ports[] = {"[2001:db8::77]:50000", "[2001:db8::77]:50001"};
  for (unsigned count = 49; count <= 50; count++) {
    cfx_open(&t, JDG_DIJK_03);
    for (unsigned i = 0; i < 2 * count; i++) {
      char token[9];
      snprintf(token, sizeof token, "%08x", (i % 2 ? 0xc0ffee00u : 0xbadcafu) + i / 2);
      fx_at(&t.fx, 1000 * (i + 1));
      fx_see(&t.fx, ports[i % 2], "[2001:db8::88]:5683", NON(GET, (int)i, token, .path = "/x"));
    }
    fx_close_at(&t.fx, 900000);
    ck_assert_int_eq(fx_verdict(&t.fx, "COAP-5.3.1-03", fx_node_named(&t.fx, "2001:db8::77")),
                     count < 50 ? JDG_PASS : JDG_WARN);
    fx_free(&t.fx);
  }
}
END_TEST

START_TEST(internet_clients_need_four_octets) {
  static const struct {
    const char *token;
    enum jdg_tristate internet;
    enum jdg_verdict verdict;
  } cases[] = {{"aabbcc", JDG_YES, JDG_WARN},
               {"aabbccdd", JDG_YES, JDG_NOT_EXERCISED},
               {"aabbcc", JDG_UNKNOWN, JDG_NOT_EXERCISED}};
  for (size_t i = 0; i < 3; i++) {
    open_internet(cases[i].internet);
    cfx_send(&t, 0, GROUP, NON(GET, 1, cases[i].token, .path = "/x"));
    ck_verdict(&t, 1000, "COAP-5.3.1-03", cases[i].verdict);
  }
}
END_TEST

START_TEST(a_restart_begins_elsewhere) {
  static const struct {
    const char *first, *second;
    enum jdg_verdict verdict;
  } cases[] = {{"aabbccdd", "aabbccdd", JDG_WARN},
               {"aabbccdd", "aabbccde", JDG_NOT_EXERCISED},
               {"aa", "aa", JDG_NOT_EXERCISED}};
  for (size_t i = 0; i < 3; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, GROUP, NON(GET, 1, cases[i].first, .path = "/x"));
    cfx_restart(&t, 600000);
    cfx_send(&t, 700000, GROUP, NON(GET, 2, cases[i].second, .path = "/y"));
    ck_verdict(&t, 800000, "COAP-5.3.1-03", cases[i].verdict);
  }
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("random Tokens");
  tcase_add_test(tc, sequences_are_seen_after_fifty_tokens);
  tcase_add_test(tc, blocks_of_one_body_may_share_a_token);
  tcase_add_test(tc, clients_of_one_host_are_told_apart);
  tcase_add_test(tc, internet_clients_need_four_octets);
  tcase_add_test(tc, a_restart_begins_elsewhere);
  return cfx_main(tc);
}
