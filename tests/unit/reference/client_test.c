/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench_host.h"

#define SELF   "[2001:db8::c]:40000"
#define GROUP  "coap://[ff35::1]/light"
#define SERVER "coap://[2001:db8::1]/light"

static void start(struct bench *b, const struct ref_client_config *config) {
  struct ref_client_config none = {0};
  const char *why = NULL;
  struct chorus_node node = ref_client_new(config ? config : &none, &why);
  ck_assert_msg(node.ops != NULL, "%s", why);
  bench_start(b, node, SELF);
}

static void stop(struct bench *b) {
  bench_stop(b);
  ref_client_free(b->node);
}

/* A response with the Token of the |i|th datagram that was sent. */
static struct crafted *answer(struct crafted *c, const struct bench *b, size_t i, uint8_t type,
                              uint8_t code, uint16_t mid) {
  struct ref_message m = sent_message(b, i);
  ref_writer_begin(&c->w, c->octets, sizeof c->octets, type, code, mid, m.token, m.token_length);
  return c;
}

static size_t delivered(const struct bench *b) {
  return said_count(b, CHORUS_EVENT_DELIVER);
}

START_TEST(group_request_looks_right) {
  struct bench b;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", "coap://[ff35::1]:61616/a?b=1", "payload",
                       "hello", "method", "PUT", "no-response", "26", "option", "65000=0102"),
                   CHORUS_OK);
  struct ref_message m = sent_message(&b, 0);
  ck_assert_int_eq(m.type, REF_NON);
  ck_assert_int_eq(m.code, 3);
  ck_assert_uint_eq(m.token_length, 8);
  ck_assert_uint_eq(b.sent[0].datagram.destination.port, 61616);
  ck_assert_uint_eq(b.sent[0].datagram.source.port, 40000);
  ck_assert_mem_eq(m.payload, "hello", 5);
  static const uint32_t numbers[] = {11, 15, 258, 65000}; /* no Uri-Host, no Uri-Port */
  struct ref_option_walk o;
  ref_option_first(&o, &m);
  for (size_t i = 0; i < 4; i++) {
    ck_assert(ref_option_next(&o));
    ck_assert_uint_eq(o.number, numbers[i]);
  }
  ck_assert(!ref_option_next(&o));
  const struct said *s = said_last(&b, CHORUS_EVENT_REQUEST);
  ck_assert_str_eq(s->path, "/a?b=1");
  ck_assert_uint_eq(s->event.mid, m.mid);
  bench_run(&b, 0); /* 26: nobody listens */
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "no-response");
  struct crafted c;
  deliver(&b, answer(&c, &b, 0, REF_NON, REF_CODE(2, 4), 1), "[2001:db8::1]:5683", SELF);
  ck_assert_uint_eq(delivered(&b), 0);
  stop(&b);
}
END_TEST

START_TEST(one_response_per_server) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  static const uint8_t codes[] = {REF_CODE(2, 5), REF_CODE(4, 4), REF_CODE(5, 0), REF_CODE(2, 5)};
  static const char *const servers[] = {"[2001:db8::1]:5683", "[2001:db8::2]:5683",
                                        "[2001:db8::3]:61616", "[2001:db8::4]:49152"};
  for (size_t round = 0; round < 3; round++) {
    for (size_t i = 0; i < 4; i++)
      deliver(&b, answer(&c, &b, 0, REF_NON, codes[i], (uint16_t)(round * 10 + i)), servers[i],
              SELF);
    ck_assert_uint_eq(delivered(&b), 4);
    bench_run(&b, b.now + 5 * CHORUS_SECOND);
  }
  for (size_t i = 0, k = 0; i < b.said_count; i++) {
    if (b.said[i].event.type != CHORUS_EVENT_DELIVER) continue;
    struct chorus_endpoint e = endpoint(servers[k]);
    ck_assert(chorus_same_endpoint(&b.said[i].event.peer, &e));
    ck_assert_int_eq(b.said[i].event.code, codes[k++]);
  }
  bench_run(&b, 60 * CHORUS_SECOND);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "timeout");
  ck_assert_uint_eq(said_last(&b, CHORUS_EVENT_DONE)->at, 20 * CHORUS_SECOND);
  deliver(&b, answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 99), "[2001:db8::9]:5683", SELF);
  ck_assert_uint_eq(delivered(&b), 4); /* too late */
  ck_assert_uint_eq(b.sent_count, 1);
  stop(&b);
}
END_TEST

START_TEST(invalid_responses_do_not_count) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 1);
  deliver(&b, option(&c, 65001, "x"), "[2001:db8::1]:5683", SELF); /* critical, unknown */
  deliver(&b, answer(&c, &b, 0, REF_NON, REF_CODE(3, 1), 2), "[2001:db8::1]:5683", SELF);
  answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 3);
  c.octets[c.w.length++] = 0xff; /* marker without payload */
  deliver(&b, &c, "[2001:db8::1]:5683", SELF);
  answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 4);
  c.octets[0] = (uint8_t)((c.octets[0] & 0x3fu) | 0x80u); /* version 2 */
  deliver(&b, &c, "[2001:db8::1]:5683", SELF);
  deliver(&b, craft(&c, REF_NON, REF_CODE(2, 5), 5, "nobody"), "[2001:db8::1]:5683", SELF);
  deliver(&b, answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 6), "[2001:db8::1]:5683",
          "[2001:db8::c]:40001"); /* another client's port */
  deliver(&b, answer(&c, &b, 0, REF_ACK, REF_CODE(2, 5), 7), "[2001:db8::1]:5683", SELF);
  ck_assert_uint_eq(delivered(&b), 0);
  ck_assert_uint_eq(b.sent_count, 1);
  answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 8);
  deliver(&b, option(&c, 65000, "x"), "[2001:db8::1]:5683", SELF); /* elective, unknown */
  ck_assert_uint_eq(delivered(&b), 1);
  bench_run(&b, 20 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

START_TEST(confirmable_responses_are_acknowledged) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  static const struct {
    const char *server;
    uint16_t mid;
    int type;
    size_t delivered;
  } table[] = {
      {"[2001:db8::1]:5683", 1, REF_ACK, 1},
      {"[2001:db8::1]:5683", 1, REF_ACK, 1},
      {"[2001:db8::1]:5683", 2, REF_ACK, 1},
      {"[2001:db8::2]:5683", 1, REF_ACK, 2},
  };
  for (size_t i = 0; i < 4; i++) {
    answer(&c, &b, 0, REF_CON, REF_CODE(2, 5), table[i].mid);
    deliver(&b, &c, table[i].server, SELF);
    struct ref_message m = sent_message(&b, 1 + i);
    ck_assert_int_eq(m.type, table[i].type);
    ck_assert_uint_eq(m.mid, table[i].mid);
    ck_assert_uint_eq(b.sent[1 + i].datagram.length, 4);
    ck_assert_uint_eq(delivered(&b), table[i].delivered);
  }
  deliver(&b, craft(&c, REF_CON, REF_CODE(2, 5), 9, "nobody"), "[2001:db8::3]:5683", SELF);
  ck_assert_int_eq(sent_message(&b, 5).type, REF_RST);
  answer(&c, &b, 0, REF_CON, REF_CODE(2, 5), 10);
  deliver(&b, option(&c, 65001, "x"), "[2001:db8::4]:5683", SELF);
  ck_assert_int_eq(sent_message(&b, 6).type, REF_RST);
  deliver(&b, craft(&c, REF_CON, 0, 11, ""), "[2001:db8::4]:5683", SELF); /* ping */
  ck_assert_int_eq(sent_message(&b, 7).type, REF_RST);
  deliver(&b, craft(&c, REF_CON, 1, 12, "r"), "[2001:db8::4]:5683", SELF); /* a request */
  ck_assert_int_eq(sent_message(&b, 8).type, REF_RST);
  bench_run(&b, 30 * CHORUS_SECOND); /* over: a copy of the old gets its ACK, a new one RST */
  deliver(&b, answer(&c, &b, 0, REF_CON, REF_CODE(2, 5), 1), "[2001:db8::1]:5683", SELF);
  ck_assert_int_eq(sent_message(&b, 9).type, REF_ACK);
  deliver(&b, answer(&c, &b, 0, REF_CON, REF_CODE(2, 5), 20), "[2001:db8::1]:5683", SELF);
  ck_assert_int_eq(sent_message(&b, 10).type, REF_RST);
  ck_assert_uint_eq(delivered(&b), 2);
  stop(&b);
}
END_TEST

START_TEST(concurrent_requests_are_told_apart) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q1", "uri", GROUP), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "request", "id", "q2", "uri", GROUP), CHORUS_OK);
  deliver(&b, answer(&c, &b, 1, REF_NON, REF_CODE(2, 5), 1), "[2001:db8::1]:5683", SELF);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DELIVER)->request, "q2");
  deliver(&b, answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 2), "[2001:db8::1]:5683", SELF);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DELIVER)->request, "q1");
  bench_run(&b, 30 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

/* The loader hands durations over in the largest unit that is exact: it may be many nanoseconds. */
START_TEST(long_timeouts_to_the_nanosecond) {
  struct bench b;
  start(&b, NULL);
  int status = ask(&b, "request", "id", "q", "uri", GROUP, "timeout", "100000000001ns");
  ck_assert_int_eq(status, CHORUS_OK);
  bench_run(&b, 100 * CHORUS_SECOND);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_DONE), 0);
  bench_run(&b, 100 * CHORUS_SECOND + 1);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "timeout");
  stop(&b);
}
END_TEST

START_TEST(repeats) {
  struct bench b;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP, "timeout", "10min"), CHORUS_OK);
  bench_run(&b, 10 * CHORUS_SECOND);
  ck_assert_int_eq(ask(&b, "repeat", "of", "q", "mid", "same"), CHORUS_OK);
  ck_assert_uint_eq(b.sent[1].datagram.length, b.sent[0].datagram.length);
  ck_assert_mem_eq(b.sent[1].octets, b.sent[0].octets, b.sent[0].datagram.length);
  bench_run(&b, 45 * CHORUS_SECOND);
  ck_assert_int_eq(ask(&b, "repeat", "of", "q", "mid", "same"), CHORUS_OK);
  bench_run(&b, 45 * CHORUS_SECOND + 1);
  ck_assert_int_eq(ask(&b, "repeat", "of", "q", "mid", "same"), CHORUS_REFUSED);
  ck_assert_ptr_nonnull(strstr(said_last(&b, CHORUS_EVENT_REFUSED)->detail, "45 s"));
  ck_assert_int_eq(ask(&b, "repeat", "of", "q"), CHORUS_OK);
  ck_assert_uint_eq(b.sent_count, 4);
  struct ref_message first = sent_message(&b, 0), again = sent_message(&b, 3);
  ck_assert_uint_ne(first.mid, again.mid);
  ck_assert_mem_eq(first.token, again.token, 8);
  ck_assert_mem_eq(b.sent[3].octets + 4, b.sent[0].octets + 4, b.sent[0].datagram.length - 4);
  ck_assert_int_eq(ask(&b, "repeat", "of", "q", "to", "[2001:db8::7]:5683"), CHORUS_OK);
  struct ref_message unicast = sent_message(&b, 4);
  ck_assert_int_eq(unicast.type, REF_CON);
  ck_assert_mem_eq(unicast.token, first.token, 8);
  ck_assert_uint_ne(unicast.mid, again.mid);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REPEAT)->detail, "unicast");
  struct crafted c; /* the answer comes with the ACK and counts for the group request */
  answer(&c, &b, 4, REF_ACK, REF_CODE(2, 5), unicast.mid);
  deliver(&b, &c, "[2001:db8::7]:5683", SELF);
  ck_assert_uint_eq(delivered(&b), 1);
  ck_assert_int_eq(ask(&b, "repeat", "of", "nothing"), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "forget", "of", "q"), CHORUS_OK);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "cancelled");
  bench_run(&b, b.now + 100 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 5);
  stop(&b);
}
END_TEST

START_TEST(confirmable_requests_are_retransmitted) {
  struct bench b;
  start(&b, NULL);
  for (int i = 0; i < 20; i++) {
    size_t from = b.sent_count;
    chorus_time at = b.now;
    ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", SERVER), CHORUS_OK);
    bench_run(&b, at + 300 * CHORUS_SECOND);
    ck_assert_uint_eq(b.sent_count, from + 5);
    chorus_time gap = b.sent[from + 1].at - b.sent[from].at;
    ck_assert_uint_ge(gap, 2 * CHORUS_SECOND);
    ck_assert_uint_le(gap, 3 * CHORUS_SECOND);
    for (size_t k = 1; k < 4; k++)
      ck_assert_uint_eq(b.sent[from + k + 1].at - b.sent[from + k].at, gap << k);
    ck_assert_uint_le(b.sent[from + 4].at, at + REF_MAX_TRANSMIT_SPAN);
    ck_assert_mem_eq(b.sent[from + 4].octets, b.sent[from].octets, b.sent[from].datagram.length);
    ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "timeout");
    ck_assert_uint_le(said_last(&b, CHORUS_EVENT_DONE)->at, at + REF_MAX_TRANSMIT_WAIT);
  }
  stop(&b);
}
END_TEST

START_TEST(unicast_responses) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", SERVER), CHORUS_OK);
  uint16_t mid = sent_message(&b, 0).mid;
  answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 1);
  deliver(&b, &c, "[2001:db8::bad]:5683", SELF);
  deliver(&b, &c, "[2001:db8::1]:5999", SELF);
  ck_assert_uint_eq(delivered(&b), 0); /* 5.3.2: the source endpoint matches */
  deliver(&b, craft(&c, REF_ACK, 0, mid, ""), "[2001:db8::1]:5683", SELF);
  bench_run(&b, 30 * CHORUS_SECOND);
  ck_assert_uint_eq(b.sent_count, 1); /* acknowledged: no copies */
  deliver(&b, answer(&c, &b, 0, REF_CON, REF_CODE(2, 5), 5), "[2001:db8::1]:5683", SELF);
  ck_assert_int_eq(sent_message(&b, 1).type, REF_ACK);
  ck_assert_uint_eq(delivered(&b), 1);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "answered");
  ck_assert_int_eq(ask(&b, "request", "id", "r", "uri", SERVER), CHORUS_OK);
  mid = sent_message(&b, 2).mid;
  deliver(&b, craft(&c, REF_RST, 0, mid, ""), "[2001:db8::bad]:5683", SELF);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_DONE), 1);
  deliver(&b, &c, "[2001:db8::1]:5683", SELF);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "reset");
  stop(&b);
}
END_TEST

/* One at a time per server, and an unacknowledged one blocks for EXCHANGE_LIFETIME (4.7). */
START_TEST(nstart) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "a", "uri", SERVER), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "request", "id", "b", "uri", SERVER), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "request", "id", "x", "uri", "coap://[2001:db8::2]/x"), CHORUS_OK);
  ck_assert_uint_eq(b.sent_count, 2); /* b waits */
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_REQUEST), 2);
  answer(&c, &b, 0, REF_ACK, REF_CODE(2, 5), sent_message(&b, 0).mid);
  deliver(&b, &c, "[2001:db8::1]:5683", SELF);
  ck_assert_uint_eq(b.sent_count, 3);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REQUEST)->request, "b");
  ck_assert_int_eq(ask(&b, "request", "id", "c", "uri", SERVER), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "forget", "of", "b"), CHORUS_OK);
  ck_assert_uint_eq(b.sent_count, 3); /* the ACK of b may still come */
  bench_run(&b, REF_EXCHANGE_LIFETIME - 1);
  ck_assert_str_ne(said_last(&b, CHORUS_EVENT_REQUEST)->request, "c");
  bench_run(&b, REF_EXCHANGE_LIFETIME);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REQUEST)->request, "c");
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

/* Tokens of one octet: 256 requests, then none until the first is free again. */
START_TEST(token_reuse_time) {
  static const struct {
    chorus_time msrd, reuse;
  } table[] = {{0, 500 * CHORUS_SECOND}, {30 * CHORUS_SECOND, 280 * CHORUS_SECOND}};
  for (size_t i = 0; i < 2; i++) {
    struct ref_client_config cfg = {.token_length = 1, .max_server_response_delay = table[i].msrd};
    struct bench b;
    bool seen[256] = {false};
    start(&b, &cfg);
    for (unsigned k = 0; k < 256; k++) {
      char id[8];
      snprintf(id, sizeof id, "q%u", k);
      ck_assert_int_eq(ask(&b, "request", "id", id, "uri", GROUP, "timeout", "1s"), CHORUS_OK);
      uint8_t token = sent_message(&b, k).token[0];
      ck_assert(!seen[token]);
      seen[token] = true;
    }
    ck_assert_int_eq(ask(&b, "request", "id", "z", "uri", GROUP), CHORUS_REFUSED);
    ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REFUSED)->detail, "no Token is free");
    bench_run(&b, table[i].reuse);
    ck_assert_int_eq(ask(&b, "request", "id", "z", "uri", GROUP), CHORUS_REFUSED);
    ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_TOKEN_FREED), 0);
    bench_run(&b, table[i].reuse + 1);
    ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_TOKEN_FREED), 256);
    ck_assert_int_eq(ask(&b, "request", "id", "z", "uri", GROUP, "timeout", "1s"), CHORUS_OK);
    struct crafted c; /* the list of responders went with the old use of the Token */
    deliver(&b, answer(&c, &b, 256, REF_NON, REF_CODE(2, 5), 1), "[2001:db8::1]:5683", SELF);
    ck_assert_uint_eq(delivered(&b), 1);
    bench_run(&b, 2000 * CHORUS_SECOND);
    stop(&b);
  }
}
END_TEST

START_TEST(forced_and_empty_tokens) {
  struct ref_client_config cfg = {.empty_token = true};
  struct bench b;
  start(&b, &cfg);
  ck_assert_int_eq(ask(&b, "request", "id", "a", "uri", GROUP), CHORUS_OK);
  ck_assert_uint_eq(sent_message(&b, 0).token_length, 0);
  ck_assert_int_eq(ask(&b, "request", "id", "b", "uri", GROUP), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "request", "id", "c", "uri", GROUP, "token", "00ff"), CHORUS_OK);
  ck_assert_mem_eq(sent_message(&b, 1).token, "\x00\xff", 2);
  ck_assert_int_eq(ask(&b, "request", "id", "d", "uri", GROUP, "token", "00FF"), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "request", "id", "d", "uri", GROUP, "token", "0"), CHORUS_BAD_ARGUMENT);
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

START_TEST(tokens_and_mids_survive_restarts) {
  struct ref_client_config cfg = {.token_length = 1};
  struct bench b;
  bool seen[256] = {false};
  start(&b, &cfg);
  for (unsigned k = 0; k < 40; k++) {
    ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
    struct ref_message m = sent_message(&b, k);
    ck_assert(!seen[m.token[0]]);
    seen[m.token[0]] = true;
    for (unsigned i = 0; i < k; i++) ck_assert_uint_ne(sent_message(&b, i).mid, m.mid);
    bench_run(&b, b.now + 2 * CHORUS_SECOND);
    ck_assert_int_eq(ask(&b, "restart", NULL), CHORUS_OK);
    ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->detail, "restart");
  }
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

/* Another port is another endpoint (RFC 7252, section 5.3.1): all Tokens are free there. */
START_TEST(a_restart_on_another_port_frees_tokens) {
  struct bench b;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "a", "uri", GROUP, "token", "0a0b"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "restart", NULL), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "request", "id", "b", "uri", GROUP, "token", "0a0b"), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "restart", "port", "40001"), CHORUS_OK);
  ck_assert_uint_eq(b.closed, 1);
  ck_assert_int_eq(ask(&b, "request", "id", "c", "uri", GROUP, "token", "0a0b"), CHORUS_OK);
  ck_assert_uint_eq(b.sent[1].datagram.source.port, 40001);
  ck_assert_int_eq(ask(&b, "restart", "port", "40000"), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "restart", "port", "5684"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "restart", "port", "0"), CHORUS_BAD_ARGUMENT);
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    const char *argument, *value;
    int status;
  } table[] = {
      {"uri", "coap://[ff35::1]:5684/x", CHORUS_REFUSED},
      {"uri", "coaps://[ff35::1]/x", CHORUS_REFUSED},
      {"uri", "coaps://[ff35::1]:5683/x", CHORUS_REFUSED},
      {"uri", "coaps://[2001:db8::1]/x", CHORUS_REFUSED},
      {"uri", "http://[ff35::1]/x", CHORUS_BAD_ARGUMENT},
      {"type", "CON", CHORUS_REFUSED},
      {"type", "ACK", CHORUS_BAD_ARGUMENT},
      {"method", "LOOK", CHORUS_BAD_ARGUMENT},
      {"option", "4=0102", CHORUS_REFUSED},
      {"option", "27=08", CHORUS_REFUSED},
      {"option", "23=10", CHORUS_REFUSED},
      {"option", "x", CHORUS_BAD_ARGUMENT},
      {"option", "70000=", CHORUS_BAD_ARGUMENT},
      {"no-response", "256", CHORUS_BAD_ARGUMENT},
      {"timeout", "5", CHORUS_BAD_ARGUMENT},
      {"timeout", "0s", CHORUS_BAD_ARGUMENT},
      {"hop-limit", "0", CHORUS_BAD_ARGUMENT},
      {"payload-hex", "abc", CHORUS_BAD_ARGUMENT},
      {"colour", "red", CHORUS_UNSUPPORTED},
  };
  struct bench b;
  start(&b, NULL);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    /* The first argument of a name counts. */
    int status = ask(&b, "request", "id", "q", table[i].argument, table[i].value, "uri", GROUP);
    ck_assert_msg(status == table[i].status, "%s %s: %d", table[i].argument, table[i].value,
                  status);
    ck_assert_msg(b.why[0] != '\0', "row %zu", i);
  }
  ck_assert_uint_eq(b.sent_count, 0);
  char large[1025];
  memset(large, 'x', 1024);
  large[1024] = '\0';
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP, "payload", large), CHORUS_OK);
  char hex[401];
  memset(hex, '0', 400);
  hex[400] = '\0';
  char option_text[420];
  snprintf(option_text, sizeof option_text, "65000=%s", hex);
  ck_assert_int_eq(
      ask(&b, "request", "id", "r", "uri", GROUP, "payload", large, "option", option_text),
      CHORUS_TOO_LARGE);
  struct ref_client_config cfg = {.max_server_response_delay = 5 * CHORUS_SECOND};
  ck_assert_ptr_null(ref_client_new(&cfg, NULL).ops);
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

START_TEST(notifications_pass) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP, "observe", "0"), CHORUS_OK);
  for (uint16_t i = 0; i < 3; i++) {
    answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), i);
    option_uint(&c, REF_OPTION_OBSERVE, i + 1u);
    deliver(&b, &c, "[2001:db8::1]:5683", SELF);
    deliver(&b, &c, "[2001:db8::1]:5683", SELF); /* a copy */
    ck_assert_uint_eq(delivered(&b), i + 1u);
  }
  deliver(&b, answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 9), "[2001:db8::1]:5683", SELF);
  ck_assert_uint_eq(delivered(&b), 3); /* no Observe: a second response */
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

START_TEST(partial_bodies_are_marked) {
  struct bench b;
  struct crafted c;
  start(&b, NULL);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  answer(&c, &b, 0, REF_NON, REF_CODE(2, 5), 1);
  deliver(&b, payload(option_uint(&c, REF_OPTION_BLOCK2, 8), "0123456789abcdef"),
          "[2001:db8::1]:5683", SELF);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DELIVER)->detail, "partial");
  bench_run(&b, 1000 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {group_request_looks_right,
                                one_response_per_server,
                                invalid_responses_do_not_count,
                                confirmable_responses_are_acknowledged,
                                concurrent_requests_are_told_apart,
                                long_timeouts_to_the_nanosecond,
                                repeats,
                                confirmable_requests_are_retransmitted,
                                unicast_responses,
                                nstart,
                                token_reuse_time,
                                forced_and_empty_tokens,
                                tokens_and_mids_survive_restarts,
                                a_restart_on_another_port_frees_tokens,
                                refusals,
                                notifications_pass,
                                partial_bodies_are_marked};
  return RUN_TESTS("client", tests);
}
