/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on how fast clients send: NSTART, PROBING_RATE, and updates that nobody answers. */
#include "rules_client_fixture.h"

static struct cfx t;

/* Two Confirmable requests; in between, |what| may end the first. */
enum between { NOTHING, ACKED, ANSWERED, RESET, DONE, RESTARTED, TOO_LONG };

static void happen(enum between what) {
  switch (what) {
    case NOTHING:
    case TOO_LONG: break;
    case ACKED: cfx_answer(&t, 50, S1, ACK(0, 1, "")); break;
    case RESET: cfx_answer(&t, 50, S1, RST(1)); break;
    case ANSWERED: cfx_answer(&t, 50, S1, CON(CODE_205, 77, "aa")); break;
    case DONE: cfx_done(&t, 50, S1, CON(GET, 1, "aa"), "cancelled"); break;
    case RESTARTED: cfx_restart(&t, 50); break;
  }
}

static enum jdg_verdict two(const char *second, enum between what, unsigned nstart) {
  struct jdg_ics ics = cfx_ics();
  ics.nstart = nstart;
  cfx_open(&t, JDG_DIJK_03);
  jdg_set_ics(t.fx.judge, t.c, &ics);
  cfx_ask(&t, 0, S1, CON(GET, 1, "aa", .path = "/x"), 93);
  happen(what);
  cfx_ask(&t, what == TOO_LONG ? 247000 : 100, second, CON(GET, 2, "bb", .path = "/y"), 93);
  enum jdg_verdict verdict = cfx_end(&t, 600000, "COAP-4.7-01");
  fx_free(&t.fx);
  return verdict;
}

START_TEST(one_outstanding_interaction_per_server) {
  ck_assert_int_eq(two(S1, NOTHING, 1), JDG_FAIL);
  ck_assert_int_eq(two(S1, NOTHING, 2), JDG_NOT_EXERCISED);
  ck_assert_int_eq(two(S2, NOTHING, 1), JDG_NOT_EXERCISED);
  ck_assert_int_eq(two(S1, ACKED, 1), JDG_PASS);
  ck_assert_int_eq(two(S1, ANSWERED, 1), JDG_PASS);
  ck_assert_int_eq(two(S1, RESET, 1), JDG_PASS);
  ck_assert_int_eq(two(S1, DONE, 1), JDG_PASS);
  ck_assert_int_eq(two(S1, RESTARTED, 1), JDG_PASS);
  ck_assert_int_eq(two(S1, TOO_LONG, 1), JDG_PASS);
}
END_TEST

START_TEST(retransmissions_and_silent_applications) {
  cfx_open(&t, JDG_DIJK_03);
  for (unsigned i = 0; i < 3; i++) cfx_send(&t, i * 3000, S1, CON(GET, 1, "aa", .path = "/x"));
  ck_verdict(&t, 600000, "COAP-4.7-01", JDG_NOT_EXERCISED);
  cfx_open(&t, JDG_DIJK_03); /* it may have given up */
  cfx_send(&t, 0, S1, CON(GET, 1, "aa", .path = "/x"));
  cfx_send(&t, 100, S1, CON(GET, 2, "bb", .path = "/y"));
  ck_verdict(&t, 600000, "COAP-4.7-01", JDG_INCONCLUSIVE);
}
END_TEST

/* A program's events come after its packets; both requests may leave before the first event. */
START_TEST(events_that_come_after_both_requests) {
  static const struct {
    enum chorus_event_type type;
    uint64_t at;
    enum jdg_verdict verdict;
  } first[] = {{CHORUS_EVENT_REQUEST, 5, JDG_FAIL},
               {CHORUS_EVENT_DONE, 5, JDG_INCONCLUSIVE},
               {CHORUS_EVENT_REQUEST, 60000, JDG_INCONCLUSIVE}};
  const struct fx_message *q = CON(GET, 1, "aa", .path = "/x");
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    cfx_open(&t, JDG_DIJK_03);
    cfx_send(&t, 0, S1, q);
    cfx_send(&t, 0, S1, CON(GET, 2, "bb", .path = "/y"));
    fx_at(&t.fx, first[i].at);
    cfx_say(&t, first[i].type, "aa", S1, false, q, NULL, 0);
    ck_verdict(&t, 600000, "COAP-4.7-01", first[i].verdict);
  }
}
END_TEST

#define FAR_CLIENT "[2001:db8::77]:50000" /* hosts of a capture made elsewhere */
#define FAR_SERVER "[2001:db8::88]:5683"

static void seen(uint64_t us, bool back, const struct fx_message *m) {
  t.fx.now = us * CHORUS_MICROSECOND;
  fx_see(&t.fx, back ? FAR_SERVER : FAR_CLIENT, back ? FAR_CLIENT : FAR_SERVER, m);
}

/* |count| requests, 1 ms apart; the first is acknowledged after |acked| us. From there the next. */
static uint64_t ask_at_once(uint64_t from, int mid, int count, uint64_t acked) {
  static const char *const tokens[] = {"aa", "bb", "cc"};
  for (int i = 0; i < count; i++)
    seen(from + 1000 * (uint64_t)i, false, CON(GET, mid + i, tokens[i], .path = "/x"));
  for (int i = 0; i < count; i++)
    seen(from + acked + 1000 * (uint64_t)i, true, ACK(CODE_205, mid + i, tokens[i]));
  return from + acked + 1000000;
}

/* The order in which requests and ACKs pass shows what was outstanding, but not what was given up.
 */
START_TEST(requests_at_once_seen_elsewhere) {
  static const struct {
    int times, count;
    uint64_t acked; /* us */
    enum jdg_verdict verdict;
  } cases[] = {
      {2, 2, 50000, JDG_FAIL},         {1, 3, 50000, JDG_FAIL},
      {1, 2, 50000, JDG_INCONCLUSIVE}, /* perhaps an ACK that was seen late */
      {2, 2, 6000, JDG_PASS},          /* perhaps captured in another order */
      {2, 1, 50000, JDG_PASS},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint64_t at = 0;
    cfx_open(&t, JDG_DIJK_03);
    for (int k = 0; k < cases[i].times; k++)
      at = ask_at_once(at, 1 + 10 * k, cases[i].count, cases[i].acked);
    fx_close_at(&t.fx, 600000);
    uint32_t client = fx_node_named(&t.fx, "2001:db8::77");
    ck_assert_int_eq(fx_verdict(&t.fx, "COAP-4.7-01", client), cases[i].verdict);
    fx_free(&t.fx);
  }
}
END_TEST

/* Whoever waits for more than a moment may have given up on the first, or its ACK was not seen. */
START_TEST(requests_one_by_one_seen_elsewhere) {
  for (int lost = 0; lost < 2; lost++) {
    cfx_open(&t, JDG_DIJK_03);
    for (uint64_t k = 0; k < 3; k++) {
      seen(3000000 * k, false, CON(GET, 1 + 10 * (int)k, "aa", .path = "/x"));
      seen(3000000 * k + (lost ? 1000 : 500000), false, CON(GET, 2 + 10 * (int)k, "bb"));
      if (!lost) seen(3000000 * k + 900000, true, ACK(CODE_205, 1 + 10 * (int)k, "aa"));
      seen(3000000 * k + 1000000, true, ACK(CODE_205, 2 + 10 * (int)k, "bb"));
    }
    fx_close_at(&t.fx, 600000);
    uint32_t client = fx_node_named(&t.fx, "2001:db8::77");
    ck_assert_int_ne(fx_verdict(&t.fx, "COAP-4.7-01", client), JDG_FAIL);
    fx_free(&t.fx);
  }
}
END_TEST

struct probing {
  unsigned count;
  uint64_t interval; /* ms */
  size_t payload;    /* octets; the header takes 9 more */
  const char *to;
  bool answered;
  enum jdg_profile profile;
};

static enum jdg_verdict probe(const struct probing *p) {
  char text[256];
  memset(text, 'x', sizeof text);
  text[p->payload] = '\0';
  cfx_open(&t, p->profile);
  for (unsigned i = 0; i < p->count; i++) {
    char token[12];
    snprintf(token, sizeof token, "%04x", i);
    cfx_send(&t, 1000 + i * p->interval, p->to,
             NON(PUT, (int)i, token, .path = "/x", .payload = text));
    if (p->answered && i + 1 == p->count)
      cfx_answer(&t, 1001 + i * p->interval, S1, NON(CODE_204, 9, token));
  }
  enum jdg_verdict verdict = cfx_end(&t, 1000000, "COAP-4.7-02");
  fx_free(&t.fx);
  return verdict;
}

START_TEST(silent_endpoints_are_probed_slowly) {
  static const struct {
    struct probing p;
    enum jdg_verdict verdict;
  } cases[] = {
      {{70, 1000, 100, S1, false, JDG_DIJK_03}, JDG_FAIL},
      {{70, 1000, 1, S1, false, JDG_DIJK_03}, JDG_WARN},  /* exactly 10 octets a second */
      {{11, 10000, 1, S1, false, JDG_DIJK_03}, JDG_PASS}, /* exactly one */
      {{11, 10000, 2, S1, false, JDG_DIJK_03}, JDG_WARN},
      {{9, 10000, 100, S1, false, JDG_DIJK_03}, JDG_NOT_EXERCISED},
      {{50, 1000, 100, S1, false, JDG_DIJK_03}, JDG_NOT_EXERCISED}, /* less than a minute */
      {{70, 1000, 100, S1, true, JDG_DIJK_03}, JDG_NOT_EXERCISED},
      {{70, 1000, 100, GROUP, false, JDG_DIJK_03}, JDG_NOT_EXERCISED}, /* a remark: AMB-12 */
      {{70, 1000, 100, GROUP, false, JDG_BIS_18}, JDG_NOT_EXERCISED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    enum jdg_verdict verdict = probe(&cases[i].p);
    ck_assert_msg(verdict == cases[i].verdict, "case %zu: %s", i, jdg_verdict_name(verdict));
  }
}
END_TEST

/* |count| updates, every |interval| ms; each |closed|th can be answered (0: none). */
static enum jdg_verdict update(unsigned count, uint64_t interval, unsigned closed) {
  cfx_open(&t, JDG_DIJK_03);
  for (unsigned i = 0; i < count; i++) {
    bool close = closed && i % closed == closed - 1;
    char token[12];
    snprintf(token, sizeof token, "%04x", i);
    cfx_send(&t, 1000 + i * interval, GROUP,
             NON(PUT, (int)i, token, .path = "/x", .payload = "1",
                 .options = {{close ? 0 : DIS_NO_RESPONSE, close ? NULL : "1a"}}));
  }
  enum jdg_verdict verdict = cfx_end(&t, 1000000, "NR-13");
  fx_free(&t.fx);
  return verdict;
}

START_TEST(updates_are_paced_or_checked) {
  ck_assert_int_eq(update(700, 100, 0), JDG_FAIL);
  ck_assert_int_eq(update(61, 1000, 0), JDG_FAIL);
  ck_assert_int_eq(update(60, 1000, 0), JDG_NOT_EXERCISED); /* not a minute yet */
  ck_assert_int_eq(update(21, 3000, 0), JDG_PASS);
  ck_assert_int_eq(update(22, 2900, 0), JDG_FAIL);
  ck_assert_int_eq(update(700, 100, 50), JDG_PASS);
  ck_assert_int_eq(update(2, 60000, 0), JDG_NOT_EXERCISED);
}
END_TEST

int main(void) {
  TCase *tc = tcase_create("pacing");
  tcase_add_test(tc, one_outstanding_interaction_per_server);
  tcase_add_test(tc, retransmissions_and_silent_applications);
  tcase_add_test(tc, events_that_come_after_both_requests);
  tcase_add_test(tc, requests_at_once_seen_elsewhere);
  tcase_add_test(tc, requests_one_by_one_seen_elsewhere);
  tcase_add_test(tc, silent_endpoints_are_probed_slowly);
  tcase_add_test(tc, updates_are_paced_or_checked);
  return cfx_main(tc);
}
