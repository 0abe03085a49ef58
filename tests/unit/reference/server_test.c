/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench_host.h"

#define L     (5 * CHORUS_SECOND)
#define GROUP "[ff35::1]:5683"
#define SELF  "[2001:db8::5]:5683"
#define PEER  "[2001:db8::c]:61000"

enum { ALL = REF_GET | REF_POST | REF_PUT | REF_DELETE };

static const struct ref_resource resources[] = {
    {.path = "/light",
     .methods = ALL,
     .payload = (const uint8_t *)"off",
     .payload_length = 3,
     .no_response = true,
     .attributes = "rt=light"},
    {.path = "/count", .kind = REF_RESOURCE_COUNTER, .content_format = UINT16_MAX},
    {.path = "/quiet",
     .methods = ALL,
     .payload = (const uint8_t *)"q",
     .payload_length = 1,
     .suppress = REF_SUPPRESS_2XX | REF_SUPPRESS_4XX | REF_SUPPRESS_5XX,
     .no_response = true},
    {.path = "/alone", .methods = ALL, .unicast_only = true},
    {.path = "/slow", .methods = ALL, .processing = 3 * CHORUS_SECOND},
};

static struct ref_server_config config(void) {
  static struct chorus_endpoint groups[1];
  groups[0] = endpoint(GROUP);
  return (struct ref_server_config){.resources = resources,
                                    .resource_count = sizeof resources / sizeof *resources,
                                    .groups = groups,
                                    .group_count = 1};
}

static void start(struct bench *b, const struct ref_server_config *c) {
  const char *why = NULL;
  struct chorus_node node = ref_server_new(c, &why);
  ck_assert_msg(node.ops != NULL, "%s", why);
  bench_start(b, node, SELF);
}

static void stop(struct bench *b) {
  bench_stop(b);
  ref_server_free(b->node);
}

static struct crafted *get(struct crafted *c, uint16_t mid, const char *path) {
  return option(craft(c, REF_NON, 1, mid, "tok"), REF_OPTION_URI_PATH, path);
}

START_TEST(group_get_is_answered_once_within_leisure) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  ck_assert_uint_eq(b.joined, 6); /* five All CoAP Nodes groups and one of ours */
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_JOIN), 6);
  chorus_time low = L, high = 0;
  for (uint16_t i = 0; i < 200; i++) {
    chorus_time at = b.now;
    deliver(&b, get(&c, i, "light"), PEER, "[ff35::1]:5683");
    ck_assert_uint_eq(b.sent_count, i);
    ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), i + 1u); /* not delayed */
    bench_run(&b, at + 10 * CHORUS_SECOND);
    ck_assert_uint_eq(b.sent_count, i + 1u);
    chorus_time delay = b.sent[i].at - at;
    ck_assert_uint_lt(delay, L);
    if (delay < low) low = delay;
    if (delay > high) high = delay;
  }
  ck_assert_uint_lt(low, L / 20);
  ck_assert_uint_gt(high, L - L / 20);
  struct ref_message m = sent_message(&b, 0);
  ck_assert_int_eq(m.type, REF_NON);
  ck_assert_int_eq(m.code, REF_CODE(2, 5));
  ck_assert_mem_eq(m.token, "tok", 3);
  ck_assert_mem_eq(m.payload, "off", 3);
  ck_assert_uint_ne(sent_message(&b, 1).mid, m.mid);
  struct chorus_endpoint peer = endpoint(PEER);
  ck_assert(chorus_same_endpoint(&b.sent[0].datagram.destination, &peer));
  ck_assert_uint_eq(b.sent[0].datagram.source.port, 5683);
  stop(&b);
}
END_TEST

START_TEST(leisure_periods_do_not_overlap) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  for (uint16_t i = 0; i < 50; i++) {
    chorus_time at = b.now;
    size_t before = b.sent_count;
    for (uint16_t k = 0; k < 4; k++) {
      deliver(&b, get(&c, (uint16_t)(i * 4 + k), "light"), PEER, GROUP);
      bench_run(&b, b.now + CHORUS_SECOND / 10);
    }
    bench_run(&b, at + 20 * CHORUS_SECOND);
    ck_assert_uint_eq(b.sent_count, before + 4);
    ck_assert_uint_lt(b.sent[before].at, at + L);
    for (size_t k = 1; k < 4; k++) {
      ck_assert_uint_ge(b.sent[before + k].at, at + L);
      ck_assert_uint_lt(b.sent[before + k].at, at + 2 * L);
    }
  }
  /* Another membership has periods of its own. */
  chorus_time at = b.now;
  size_t before = b.sent_count;
  deliver(&b, get(&c, 1000, "light"), PEER, GROUP);
  deliver(&b, get(&c, 1001, "light"), PEER, "[ff02::fd]:5683");
  deliver(&b, get(&c, 1002, "light"), PEER, "[ff35::1]:61616");
  bench_run(&b, at + L);
  ck_assert_uint_eq(b.sent_count, before + 3);
  size_t odd = 0;
  for (size_t i = before; i < before + 3; i++) odd += b.sent[i].datagram.source.port == 61616;
  ck_assert_uint_eq(odd, 1); /* answered from the port of the group */
  stop(&b);
}
END_TEST

/* 6 values (and none) x 4 classes of outcome, on resources that suppress by default and that do
 * not. */
START_TEST(no_response_matrix) {
  static const int values[] = {-1, 0, 2, 8, 16, 24, 26};
  static const uint8_t codes[] = {REF_CODE(2, 5), REF_CODE(2, 4), REF_CODE(4, 4), REF_CODE(5, 0)};
  uint16_t mid = 0;
  for (int variant = 0; variant < 8; variant++) {
    bool suppresses = variant & 1, honours = variant & 2, only_widen = variant & 4;
    struct ref_resource r[4];
    for (size_t k = 0; k < 4; k++) {
      static const char *const paths[] = {"/0", "/1", "/2", "/3"};
      r[k] = (struct ref_resource){.path = paths[k],
                                   .kind = REF_RESOURCE_FIXED,
                                   .code = codes[k],
                                   .content_format = UINT16_MAX,
                                   .no_response = honours};
      if (suppresses) r[k].suppress = REF_SUPPRESS_2XX | REF_SUPPRESS_4XX | REF_SUPPRESS_5XX;
    }
    struct ref_server_config cfg = {
        .resources = r, .resource_count = 4, .authorised_relaxation_only = only_widen};
    struct bench b;
    start(&b, &cfg);
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
      for (size_t k = 0; k < 4; k++) {
        struct crafted c;
        get(&c, mid++, r[k].path + 1);
        if (values[v] >= 0) option_uint(&c, REF_OPTION_NO_RESPONSE, (uint32_t)values[v]);
        size_t before = b.sent_count;
        deliver(&b, &c, PEER, GROUP);
        bench_run(&b, b.now + 10 * CHORUS_SECOND);
        bool unwanted = values[v] >= 0 && values[v] >> ((codes[k] >> 5) - 1) & 1;
        bool expected = !suppresses;
        if (honours && values[v] >= 0) expected = !unwanted && !(only_widen && suppresses);
        ck_assert_msg(b.sent_count - before == (expected ? 1 : 0), "variant %d value %d code %zu",
                      variant, values[v], k);
        ck_assert_int_eq(said_last(&b, CHORUS_EVENT_EXECUTE)->event.mid, mid - 1);
      }
    }
    stop(&b);
  }
}
END_TEST

START_TEST(no_response_of_wrong_length_is_ignored) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  deliver(&b, option(get(&c, 1, "light"), REF_OPTION_NO_RESPONSE, "\x1a\x1a"), PEER, GROUP);
  bench_run(&b, b.now + 10 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 1);
  /* The second occurrence does not count (5.4.5). */
  get(&c, 2, "light");
  option(option(&c, REF_OPTION_NO_RESPONSE, "\x08"), REF_OPTION_NO_RESPONSE, "\x1a");
  deliver(&b, &c, PEER, GROUP);
  bench_run(&b, b.now + 10 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 2);
  stop(&b);
}
END_TEST

/* RFC 7390, section 2.7: four settings x five outcomes. */
START_TEST(suppression_matrix) {
  static const uint32_t settings[] = {0, REF_SUPPRESS_2XX, REF_SUPPRESS_4XX, REF_SUPPRESS_5XX,
                                      REF_SUPPRESS_EMPTY_205};
  static const struct {
    uint8_t code;
    const char *payload;
    uint32_t hit; /* settings that withhold it */
  } outcomes[] = {{REF_CODE(2, 5), "x", REF_SUPPRESS_2XX},
                  {REF_CODE(2, 5), "", REF_SUPPRESS_2XX | REF_SUPPRESS_EMPTY_205},
                  {REF_CODE(2, 4), "", REF_SUPPRESS_2XX},
                  {REF_CODE(4, 4), "", REF_SUPPRESS_4XX},
                  {REF_CODE(5, 0), "", REF_SUPPRESS_5XX}};
  for (size_t s = 0; s < 5; s++) {
    for (size_t o = 0; o < 5; o++) {
      struct ref_resource r = {.path = "/r",
                               .kind = REF_RESOURCE_FIXED,
                               .code = outcomes[o].code,
                               .payload = (const uint8_t *)outcomes[o].payload,
                               .payload_length = strlen(outcomes[o].payload),
                               .content_format = UINT16_MAX,
                               .suppress = settings[s]};
      struct ref_server_config cfg = {.resources = &r, .resource_count = 1};
      struct bench b;
      struct crafted c;
      start(&b, &cfg);
      for (uint16_t i = 0; i < 3; i++) {
        deliver(&b, get(&c, i, "r"), PEER, GROUP);
        bench_run(&b, b.now + 10 * CHORUS_SECOND);
      }
      bool silent = settings[s] & outcomes[o].hit;
      ck_assert_uint_eq(b.sent_count, silent ? 0 : 3);
      ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_SUPPRESS), silent ? 3 : 0);
      deliver(&b, get(&c, 9, "r"), PEER, SELF); /* unicast is never suppressed by default */
      ck_assert_uint_eq(b.sent_count, silent ? 1 : 4);
      stop(&b);
    }
  }
}
END_TEST

/* A 2.05 that was answered once is answered from then on, empty or not (seed 2.3.1). */
START_TEST(suppression_is_consistent) {
  struct ref_resource r = {.path = "/r",
                           .methods = ALL,
                           .payload = (const uint8_t *)"x",
                           .payload_length = 1,
                           .suppress = REF_SUPPRESS_EMPTY_205};
  struct ref_server_config cfg = {.resources = &r, .resource_count = 1};
  struct bench b;
  struct crafted c;
  start(&b, &cfg);
  ck_assert_int_eq(ask(&b, "set", "path", "/r", "payload", ""), CHORUS_OK);
  deliver(&b, get(&c, 1, "r"), PEER, GROUP);
  bench_run(&b, b.now + L);
  ck_assert_uint_eq(b.sent_count, 0);
  ck_assert_int_eq(ask(&b, "set", "path", "/r", "payload", "y"), CHORUS_OK);
  deliver(&b, get(&c, 2, "r"), PEER, GROUP);
  bench_run(&b, b.now + L);
  ck_assert_uint_eq(b.sent_count, 1);
  ck_assert_int_eq(ask(&b, "set", "path", "/r", "payload", ""), CHORUS_OK);
  deliver(&b, get(&c, 3, "r"), PEER, GROUP);
  bench_run(&b, b.now + L);
  ck_assert_uint_eq(b.sent_count, 2);
  stop(&b);
}
END_TEST

START_TEST(copies_and_repeats) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  option(craft(&c, REF_NON, 2, 0, "t"), REF_OPTION_URI_PATH, "count");
  bench_run(&b, CHORUS_SECOND);
  chorus_time at = b.now;
  deliver(&b, &c, PEER, GROUP);
  deliver(&b, &c, PEER, GROUP);
  bench_run(&b, at + REF_NON_LIFETIME - 1);
  deliver(&b, &c, PEER, GROUP);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 1);
  ck_assert_uint_eq(b.sent_count, 1);
  bench_run(&b, at + REF_NON_LIFETIME);
  deliver(&b, &c, PEER, GROUP); /* the Message ID may be used again */
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 2);
  deliver(&b, &c, "[2001:db8::d]:61000", GROUP); /* somebody else's Message ID */
  deliver(&b, &c, "[2001:db8::c]:61001", GROUP);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 4);
  craft(&c, REF_NON, 2, 1, "t"); /* same Token, new Message ID: processed again */
  deliver(&b, option(&c, REF_OPTION_URI_PATH, "count"), PEER, GROUP);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 5);
  ck_assert_str_eq((const char *)said_last(&b, CHORUS_EVENT_STATE)->payload, "5");
  bench_run(&b, b.now + 2 * L);
  stop(&b);
}
END_TEST

START_TEST(without_dedup_copies_are_processed) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  cfg.no_dedup = true;
  start(&b, &cfg);
  deliver(&b, get(&c, 1, "light"), PEER, GROUP);
  deliver(&b, &c, PEER, GROUP);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 2);
  bench_run(&b, b.now + 2 * L);
  ck_assert_uint_eq(b.sent_count, 2);
  stop(&b);
}
END_TEST

START_TEST(confirmable_duplicates_get_the_same_reply) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  option(craft(&c, REF_CON, 2, 77, "tk"), REF_OPTION_URI_PATH, "count");
  deliver(&b, &c, PEER, SELF);
  ck_assert_uint_eq(b.sent_count, 1);
  struct ref_message m = sent_message(&b, 0);
  ck_assert_int_eq(m.type, REF_ACK);
  ck_assert_int_eq(m.code, REF_CODE(2, 4));
  ck_assert_uint_eq(m.mid, 77);
  bench_run(&b, REF_EXCHANGE_LIFETIME - 1);
  deliver(&b, &c, PEER, SELF);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 1);
  ck_assert_uint_eq(b.sent[1].datagram.length, b.sent[0].datagram.length);
  ck_assert_mem_eq(b.sent[1].octets, b.sent[0].octets, b.sent[0].datagram.length);
  bench_run(&b, REF_EXCHANGE_LIFETIME);
  deliver(&b, &c, PEER, SELF);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 2);
  stop(&b);
}
END_TEST

START_TEST(separate_response_is_retransmitted) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  option(craft(&c, REF_CON, 1, 7, "tk"), REF_OPTION_URI_PATH, "slow");
  deliver(&b, &c, PEER, SELF);
  ck_assert_uint_eq(b.sent_count, 1);
  ck_assert_uint_eq(b.sent[0].datagram.length, 4); /* an Empty ACK */
  bench_run(&b, 200 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 6);
  ck_assert_uint_eq(b.sent[1].at, 3 * CHORUS_SECOND);
  chorus_time gap = b.sent[2].at - b.sent[1].at;
  ck_assert_uint_ge(gap, 2 * CHORUS_SECOND);
  ck_assert_uint_le(gap, 3 * CHORUS_SECOND);
  for (size_t i = 2; i < 5; i++)
    ck_assert_uint_eq(b.sent[i + 1].at - b.sent[i].at, 2 * (b.sent[i].at - b.sent[i - 1].at));
  ck_assert_uint_le(b.sent[5].at - b.sent[1].at, REF_MAX_TRANSMIT_SPAN);
  ck_assert_int_eq(sent_message(&b, 1).type, REF_CON);
  /* An ACK from elsewhere does not stop it, one from the client does. */
  option(craft(&c, REF_CON, 1, 8, "tk"), REF_OPTION_URI_PATH, "slow");
  deliver(&b, &c, PEER, SELF);
  bench_run(&b, b.now + 3 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 8);
  craft(&c, REF_ACK, 0, sent_message(&b, 7).mid, "");
  deliver(&b, &c, "[2001:db8::bad]:61000", SELF);
  bench_run(&b, b.now + 3 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 9);
  deliver(&b, &c, PEER, SELF);
  bench_run(&b, b.now + 100 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 9);
  stop(&b);
}
END_TEST

/* Nothing that is wrong with a multicast message gets any reaction at all. */
START_TEST(bad_multicast_messages_meet_silence) {
  static const struct {
    uint8_t octets[12];
    size_t length;
  } table[] = {
      {{0x90, 1, 0, 1, 0xb5, 'l', 'i', 'g', 'h', 't'}, 10}, /* version 2 */
      {{0x10, 1, 0, 1, 0xb5, 'l', 'i', 'g', 'h', 't'}, 10}, /* version 0 */
      {{0x59, 1, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8}, 12},        /* TKL 9 */
      {{0x50, 1, 0, 3, 0xff}, 5},                           /* marker without payload */
      {{0x50, 1, 0, 4, 0xf1, 0}, 6},                        /* delta 15 */
      {{0x50, 0, 0, 5}, 4},                                 /* NON Empty */
      {{0x40, 0, 0, 6}, 4},                                 /* CON Empty */
      {{0x40, 1, 0, 7, 0xb5, 'l', 'i', 'g', 'h', 't'}, 10}, /* CON */
      {{0x50, 0x21, 0, 8}, 4},                              /* class 1 */
      {{0x50, 0xc5, 0, 9}, 4},                              /* class 6 */
      {{0x50, 0x45, 0, 10}, 4},                             /* a response */
      {{0x50, 1, 0, 11, 0xb1, 'x', 0xd0, 0xff}, 8},         /* critical option 279 */
      {{0x70, 0, 0, 12}, 4},                                /* RST */
      {{0x60, 0, 0, 13}, 4},                                /* ACK */
      {{0x50}, 1},
      {{0}, 0},
  };
  struct bench b;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    bench_receive(&b, PEER, GROUP, table[i].octets, table[i].length);
  bench_run(&b, 20 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 0);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 0);
  struct crafted c; /* still alive */
  deliver(&b, get(&c, 99, "light"), PEER, GROUP);
  bench_run(&b, 40 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 1);
  stop(&b);
}
END_TEST

START_TEST(bad_unicast_messages_are_rejected) {
  static const struct {
    uint8_t octets[16];
    size_t length;
    int type; /* of the reaction; -1: silence */
    uint8_t code;
  } table[] = {
      {{0x80, 1, 0, 1}, 4, -1, 0},                                  /* version 2 */
      {{0x49, 1, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 13, REF_RST, 0}, /* TKL 9 */
      {{0x40, 0, 0, 3}, 4, REF_RST, 0},                             /* ping */
      {{0x40, 1, 0, 4, 0xff}, 5, REF_RST, 0},                       /* marker */
      {{0x40, 1, 0, 5, 0xed, 0xfc, 0xdc, 0}, 8, REF_RST, 0},        /* overrun */
      {{0x40, 1, 0, 6, 0xb5, 'l', 'i', 'g', 'h', 't', 0xe0, 0xfc, 0xd1},
       13,
       REF_ACK,
       REF_CODE(4, 2)}, /* option 65001 */
      {{0x50, 1, 0, 7, 0xb5, 'l', 'i', 'g', 'h', 't', 0xe0, 0xfc, 0xd1}, 13, REF_RST, 0},
      {{0x40, 1, 0, 8, 0xb5, 'l', 'i', 'g', 'h', 't', 0xd1, 11, 'p'},
       13,
       REF_ACK,
       REF_CODE(5, 5)},                                         /* Proxy-Uri */
      {{0x40, 1, 0, 9, 0xb1, 'x'}, 6, REF_ACK, REF_CODE(4, 4)}, /* unknown path */
      {{0x40, 8, 0, 10, 0xb5, 'l', 'i', 'g', 'h', 't'}, 10, REF_ACK, REF_CODE(4, 5)},
      {{0x40, 1, 0, 11, 0xb5, 'l', 'i', 'g', 'h', 't', 0xc1, 0x07}, 12, REF_ACK, REF_CODE(4, 0)},
      {{0x40, 1, 0, 12, 0xb5, 'l', 'i', 'g', 'h', 't', 0x61, 50}, 12, REF_ACK, REF_CODE(4, 6)},
      {{0x60, 0, 0, 13}, 4, -1, 0},    /* stray ACK */
      {{0x70, 0, 0, 14, 1}, 5, -1, 0}, /* RST with a tail */
      {{0x60, 1, 0, 15}, 4, -1, 0},    /* a request in an ACK */
      {{0x40, 1, 0, 16, 0xb5, 'l', 'i', 'g', 'h', 't', 0xd0, 0xf0},
       12,
       REF_ACK,
       REF_CODE(2, 5)}, /* option 264: elective, unknown */
  };
  struct bench b;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    size_t before = b.sent_count;
    bench_receive(&b, PEER, SELF, table[i].octets, table[i].length);
    ck_assert_msg(b.sent_count - before == (table[i].type < 0 ? 0 : 1), "row %zu", i);
    if (table[i].type < 0) continue;
    struct ref_message m = sent_message(&b, before);
    ck_assert_msg(m.type == table[i].type && m.code == table[i].code, "row %zu: %u %02x", i, m.type,
                  m.code);
    ck_assert_uint_eq(m.mid, i + 1);
  }
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 1);
  stop(&b);
}
END_TEST

START_TEST(unicast_only_and_unknown_in_a_group) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  deliver(&b, payload(option(craft(&c, REF_NON, 3, 1, "t"), REF_OPTION_URI_PATH, "alone"), "x"),
          PEER, GROUP);
  deliver(&b, get(&c, 2, "nowhere"), PEER, GROUP);
  bench_run(&b, 20 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 0);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_EXECUTE), 0);
  deliver(&b, payload(option(craft(&c, REF_NON, 3, 3, "t"), REF_OPTION_URI_PATH, "alone"), "x"),
          PEER, SELF);
  ck_assert_int_eq(sent_message(&b, 0).code, REF_CODE(2, 4));
  stop(&b);
}
END_TEST

START_TEST(methods_change_state) {
  static const struct {
    uint8_t method;
    const char *payload;
    uint8_t code;
    const char *state; /* NULL: no change */
  } table[] = {
      {3, "on", REF_CODE(2, 4), "on"}, {3, "on", REF_CODE(2, 4), NULL},
      {2, "!", REF_CODE(2, 4), "on!"}, {1, "", REF_CODE(2, 5), NULL},
      {4, "", REF_CODE(2, 2), ""},     {4, "", REF_CODE(2, 2), NULL},
      {1, "", REF_CODE(4, 4), NULL},   {3, "new", REF_CODE(2, 1), "new"},
      {5, "", REF_CODE(4, 5), NULL},
  };
  struct bench b;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  for (uint16_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct crafted c;
    size_t states = said_count(&b, CHORUS_EVENT_STATE);
    option(craft(&c, REF_CON, table[i].method, i, "t"), REF_OPTION_URI_PATH, "light");
    deliver(&b, payload(&c, table[i].payload), PEER, SELF);
    ck_assert_msg(sent_message(&b, i).code == table[i].code, "row %u", i);
    ck_assert_msg(said_count(&b, CHORUS_EVENT_STATE) == states + (table[i].state != NULL), "row %u",
                  i);
    if (!table[i].state) continue;
    const struct said *s = said_last(&b, CHORUS_EVENT_STATE);
    ck_assert_uint_eq(s->event.payload_length, strlen(table[i].state));
    ck_assert_mem_eq(s->payload, table[i].state, s->event.payload_length);
  }
  stop(&b);
}
END_TEST

static struct crafted *discover(struct crafted *c, uint16_t mid, const char *query) {
  option(craft(c, REF_NON, 1, mid, "d"), REF_OPTION_URI_PATH, ".well-known");
  option(c, REF_OPTION_URI_PATH, "core");
  return query ? option(c, REF_OPTION_URI_QUERY, query) : c;
}

START_TEST(discovery) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  deliver(&b, discover(&c, 1, NULL), PEER, SELF);
  struct ref_message m = sent_message(&b, 0);
  static const char all[] = "</light>;rt=light,</count>,</quiet>,</alone>,</slow>";
  ck_assert_uint_eq(m.payload_length, sizeof all - 1);
  ck_assert_mem_eq(m.payload, all, sizeof all - 1);
  ck_assert_mem_eq(m.options, "\xc1\x28", 2); /* Content-Format 40 */
  deliver(&b, discover(&c, 2, "rt=li*"), PEER, "[ff02::fd]:5683");
  deliver(&b, discover(&c, 3, "rt=none"), PEER, "[ff02::fd]:5683"); /* silence */
  bench_run(&b, 20 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 2);
  ck_assert_uint_eq(sent_message(&b, 1).payload_length, strlen("</light>;rt=light"));
  deliver(&b, discover(&c, 4, "rt=none"), PEER, SELF); /* unicast: an empty list */
  ck_assert_int_eq(sent_message(&b, 2).code, REF_CODE(2, 5));
  ck_assert_uint_eq(sent_message(&b, 2).payload_length, 0);
  stop(&b);
  cfg.no_filter = true;
  start(&b, &cfg);
  deliver(&b, discover(&c, 1, "rt=light"), PEER, "[ff02::fd]:5683"); /* RFC 7390, 2.7: silence */
  bench_run(&b, 20 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 0);
  deliver(&b, discover(&c, 2, "rt=x"), PEER, SELF);
  ck_assert_uint_eq(sent_message(&b, 0).payload_length, sizeof all - 1);
  stop(&b);
  cfg.no_discovery = true;
  start(&b, &cfg);
  ck_assert_uint_eq(b.joined, 1);
  deliver(&b, discover(&c, 1, NULL), PEER, SELF);
  ck_assert_int_eq(sent_message(&b, 0).code, REF_CODE(4, 4));
  stop(&b);
}
END_TEST

START_TEST(large_representations_come_in_blocks) {
  uint8_t body[600];
  for (size_t i = 0; i < sizeof body; i++) body[i] = (uint8_t)('a' + i % 26);
  struct ref_resource r = {
      .path = "/big", .methods = REF_GET, .payload = body, .payload_length = sizeof body};
  struct ref_server_config cfg = {.resources = &r, .resource_count = 1};
  struct bench b;
  struct crafted c;
  start(&b, &cfg);
  deliver(&b, get(&c, 1, "big"), PEER, GROUP);
  bench_run(&b, L);
  ck_assert_uint_eq(b.sent_count, 1);
  ck_assert_uint_eq(sent_message(&b, 0).payload_length, 64);
  ck_assert_uint_le(b.sent[0].datagram.length, 152);
  uint8_t joined[700];
  memcpy(joined, sent_message(&b, 0).payload, 64);
  size_t length = 64;
  for (uint32_t n = 1; n < 10; n++) { /* the rest by unicast */
    option_uint(get(&c, (uint16_t)(1 + n), "big"), REF_OPTION_BLOCK2, n << 4 | 2);
    deliver(&b, &c, PEER, SELF);
    struct ref_message m = sent_message(&b, n);
    memcpy(joined + length, m.payload, m.payload_length);
    length += m.payload_length;
  }
  ck_assert_uint_eq(length, sizeof body);
  ck_assert_mem_eq(joined, body, sizeof body);
  deliver(&b, option_uint(get(&c, 50, "big"), REF_OPTION_BLOCK2, 10u << 4 | 2), PEER, SELF);
  ck_assert_int_eq(sent_message(&b, b.sent_count - 1).code, REF_CODE(4, 0));
  deliver(&b, get(&c, 51, "big"), PEER, SELF); /* unicast: all of it */
  ck_assert_uint_eq(sent_message(&b, b.sent_count - 1).payload_length, sizeof body);
  size_t before = b.sent_count;
  deliver(&b, option_uint(get(&c, 52, "big"), REF_OPTION_BLOCK2, 1u << 4 | 2), PEER, GROUP);
  deliver(&b, option_uint(get(&c, 53, "big"), REF_OPTION_BLOCK2, 0), PEER, GROUP);
  bench_run(&b, b.now + 2 * L);
  ck_assert_uint_eq(b.sent_count, before + 1); /* NUM 1: silence; SZX 0: 16 octets */
  ck_assert_uint_eq(sent_message(&b, before).payload_length, 16);
  stop(&b);
}
END_TEST

START_TEST(response_rate_is_limited) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  for (uint16_t i = 0; i < 1000; i++) {
    deliver(&b, get(&c, i, "light"), PEER, SELF);
    bench_run(&b, b.now + CHORUS_SECOND / 100);
  }
  ck_assert_uint_ge(b.sent_count, 200);
  ck_assert_uint_le(b.sent_count, 225);
  size_t before = b.sent_count;
  deliver(&b, get(&c, 5000, "light"), "[2001:db8::d]:1000", SELF); /* another source */
  ck_assert_uint_eq(b.sent_count, before + 1);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_SUPPRESS)->detail, "rate");
  stop(&b);
}
END_TEST

START_TEST(restart_forgets) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  ck_assert_int_eq(ask(&b, "join", "group", "[ff35::2]:61616"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "leave", "group", GROUP), CHORUS_OK);
  ck_assert_uint_eq(b.joined, 6);
  ck_assert_int_eq(ask(&b, "set", "path", "/light", "payload", "on"), CHORUS_OK);
  deliver(&b, get(&c, 1, "light"), PEER, "[ff35::2]:61616");
  size_t states = said_count(&b, CHORUS_EVENT_STATE);
  ck_assert_int_eq(ask(&b, "restart", NULL), CHORUS_OK);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_STATE), states + 1);
  ck_assert_uint_eq(b.joined, 6); /* out of the one, back in the other */
  bench_run(&b, 20 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 0);
  deliver(&b, &c, PEER, GROUP); /* de-duplication is forgotten, too */
  bench_run(&b, 40 * CHORUS_SECOND);
  ck_assert_mem_eq(sent_message(&b, 0).payload, "off", 3);
  ck_assert_int_eq(ask(&b, "restart", NULL), CHORUS_OK);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_STATE), states + 1); /* nothing changed */
  stop(&b);
}
END_TEST

START_TEST(ports_close_with_their_last_group) {
  struct bench b;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  ck_assert_int_eq(ask(&b, "join", "group", "[ff35::2]:61616"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "join", "group", "[ff35::3]:61616"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "leave", "group", "[ff35::2]:61616"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "leave", "group", GROUP), CHORUS_OK);
  ck_assert_uint_eq(b.closed, 0);
  ck_assert_int_eq(ask(&b, "leave", "group", "[ff35::3]:61616"), CHORUS_OK);
  ck_assert_uint_eq(b.closed, 1);
  ck_assert_int_eq(ask(&b, "join", "group", "[ff35::3]:61616"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "restart", NULL), CHORUS_OK);
  ck_assert_uint_eq(b.closed, 2);
  stop(&b);
}
END_TEST

START_TEST(commands_are_checked) {
  struct bench b;
  struct ref_server_config cfg = config();
  start(&b, &cfg);
  ck_assert_int_eq(ask(&b, "dance", NULL), CHORUS_UNSUPPORTED);
  ck_assert_int_eq(ask(&b, "set", "path", "/light", "colour", "red"), CHORUS_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(b.why, "colour"));
  ck_assert_int_eq(ask(&b, "set", "path", "/nowhere", "payload", "x"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "set", "path", "/light", "payload-hex", "0g"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "set", "path", "/light", "code", "9.99"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "set", "path", "/count", "payload", "many"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "join", "group", "[2001:db8::1]:5683"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "join", "group", "[ff35::2]:5684"), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "leave", "group", "[ff35::9]:5683"), CHORUS_BAD_ARGUMENT);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_STATE), 0);
  ck_assert_int_eq(ask(&b, "set", "path", "/light", "payload-hex", "6f6666"), CHORUS_OK);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_STATE), 0); /* it was "off" already */
  ck_assert_int_eq(ask(&b, "set", "path", "/light", "code", "5.03"), CHORUS_OK);
  struct crafted c;
  deliver(&b, get(&c, 1, "light"), PEER, SELF);
  ck_assert_int_eq(sent_message(&b, 0).code, REF_CODE(5, 3));
  stop(&b);
}
END_TEST

START_TEST(configurations_are_checked) {
  const char *why = NULL;
  struct chorus_endpoint g = endpoint("[ff35::1]:5684");
  struct ref_server_config cfg = {.groups = &g, .group_count = 1};
  ck_assert_ptr_null(ref_server_new(&cfg, &why).ops);
  ck_assert_ptr_nonnull(strstr(why, "5684"));
  g = endpoint("[2001:db8::1]:5683");
  ck_assert_ptr_null(ref_server_new(&cfg, &why).ops);
  struct ref_resource r = {.path = "light"};
  cfg = (struct ref_server_config){.resources = &r, .resource_count = 1};
  ck_assert_ptr_null(ref_server_new(&cfg, &why).ops);
  r.path = "/a b"; /* no request would ever find it */
  ck_assert_ptr_null(ref_server_new(&cfg, &why).ops);
  ck_assert_ptr_nonnull(strstr(why, "percent-encoded"));
}
END_TEST

/* A slash in a segment is no separator; links are references that lead back to their resources. */
START_TEST(paths_that_need_percent_encoding) {
  struct ref_resource r[] = {{.path = "/a%20b", .methods = REF_GET},
                             {.path = "/x%2Fy", .methods = REF_GET},
                             {.path = "//e", .methods = REF_GET}};
  struct ref_server_config cfg = {.resources = r, .resource_count = 3};
  struct bench b;
  struct crafted c;
  start(&b, &cfg);
  deliver(&b, get(&c, 1, "a b"), PEER, SELF);
  deliver(&b, get(&c, 2, "x/y"), PEER, SELF); /* one option */
  for (size_t i = 0; i < 2; i++) ck_assert_int_eq(sent_message(&b, i).code, REF_CODE(2, 5));
  deliver(&b, option(get(&c, 3, "x"), REF_OPTION_URI_PATH, "y"), PEER, SELF);
  ck_assert_int_eq(sent_message(&b, 2).code, REF_CODE(4, 4));
  deliver(&b, option(get(&c, 4, ".well-known"), REF_OPTION_URI_PATH, "core"), PEER, SELF);
  struct ref_message m = sent_message(&b, 3);
  static const char links[] = "</a%20b>,</x%2Fy>,</.//e>";
  ck_assert_uint_eq(m.payload_length, sizeof links - 1);
  ck_assert_mem_eq(m.payload, links, m.payload_length);
  stop(&b);
}
END_TEST

START_TEST(footprint_of_an_idle_server) {
  struct bench b;
  struct crafted c;
  struct ref_server_config cfg = config();
  cfg.resource_count = 4;
  start(&b, &cfg);
  ck_assert_uint_le(ref_server_footprint(&b.node), 2048);
  for (uint16_t i = 0; i < 100; i++) { /* and the workload of the bench does not add to it */
    deliver(&b, get(&c, i, "light"), PEER, GROUP);
    bench_run(&b, b.now + 10 * CHORUS_SECOND);
  }
  ck_assert_uint_eq(b.sent_count, 100);
  ck_assert_uint_le(ref_server_footprint(&b.node), 2048);
  printf("footprint: %zu octets\n", ref_server_footprint(&b.node));
  stop(&b);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {group_get_is_answered_once_within_leisure,
                                leisure_periods_do_not_overlap,
                                no_response_matrix,
                                no_response_of_wrong_length_is_ignored,
                                suppression_matrix,
                                suppression_is_consistent,
                                copies_and_repeats,
                                without_dedup_copies_are_processed,
                                confirmable_duplicates_get_the_same_reply,
                                separate_response_is_retransmitted,
                                bad_multicast_messages_meet_silence,
                                bad_unicast_messages_are_rejected,
                                unicast_only_and_unknown_in_a_group,
                                methods_change_state,
                                discovery,
                                large_representations_come_in_blocks,
                                response_rate_is_limited,
                                restart_forgets,
                                ports_close_with_their_last_group,
                                commands_are_checked,
                                configurations_are_checked,
                                paths_that_need_percent_encoding,
                                footprint_of_an_idle_server};
  return RUN_TESTS("server", tests);
}
