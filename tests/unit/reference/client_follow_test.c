/* SPDX-License-Identifier: BSD-2-Clause */
/* Following the links of responses (RFC 7252, section 8.2). */
#include "bench_host.h"

#define SELF  "[2001:db8::c]:40000"
#define GROUP "coap://[ff35::1]:61616/.well-known/core"

static void start(struct bench *b) {
  struct ref_client_config config = {0};
  bench_start(b, ref_client_new(&config, NULL), SELF);
}

static void stop(struct bench *b) {
  bench_stop(b);
  ref_client_free(b->node);
}

/* |from| answers the first request with |links|. */
static void list(struct bench *b, const char *from, uint16_t mid, const char *links) {
  struct crafted c;
  struct ref_message m = sent_message(b, 0);
  ref_writer_begin(&c.w, c.octets, sizeof c.octets, REF_NON, REF_CODE(2, 5), mid, m.token,
                   m.token_length);
  option_uint(&c, REF_OPTION_CONTENT_FORMAT, 40);
  deliver(b, payload(&c, links), from, SELF);
}

static void ck_goes_to(const struct bench *b, size_t i, const char *to) {
  struct chorus_endpoint e = endpoint(to);
  ck_assert_uint_lt(i, b->sent_count);
  ck_assert(chorus_same_endpoint(&b->sent[i].datagram.destination, &e));
}

START_TEST(every_responder_is_asked_alone) {
  struct bench b;
  start(&b);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_OK);
  list(&b, "[2001:db8::1]:61616", 1, "</s/1>;rt=x,</t>");
  list(&b, "[2001:db8::2]:49152", 1, "<s/1>");
  ck_assert_uint_eq(b.sent_count, 3);
  ck_goes_to(&b, 1, "[2001:db8::1]:61616");
  ck_goes_to(&b, 2, "[2001:db8::2]:61616"); /* the port is that of the request URI */
  for (size_t i = 1; i < 3; i++) {
    struct ref_message m = sent_message(&b, i);
    struct ref_option_walk o;
    ck_assert_int_eq(m.type, REF_CON);
    ck_assert_int_eq(m.code, 1);
    ref_option_first(&o, &m);
    ck_assert(ref_option_next(&o) && o.number == REF_OPTION_URI_PATH && o.length == 1);
    ck_assert(ref_option_next(&o) && o.number == REF_OPTION_URI_PATH && o.value[0] == '1');
    ck_assert(!ref_option_next(&o));
  }
  const struct said *s = said_last(&b, CHORUS_EVENT_FOLLOW);
  struct chorus_endpoint second = endpoint("[2001:db8::2]:49152");
  ck_assert_str_eq(s->request, "q");
  ck_assert_str_eq(s->detail, "f#2");
  ck_assert_str_eq(s->path, "s/1");
  ck_assert(s->event.group && s->event.has_message && s->event.code == REF_CODE(2, 5));
  ck_assert(chorus_same_endpoint(&s->event.peer, &second));
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REQUEST)->request, "f#2");
  ck_assert(s < said_last(&b, CHORUS_EVENT_REQUEST));
  bench_run(&b, 100 * CHORUS_SECOND);
  stop(&b);
}
END_TEST

START_TEST(only_what_comes_afterwards) {
  struct bench b;
  start(&b);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  list(&b, "[2001:db8::1]:5683", 1, "</s/1>");
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f", "link", "/b"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "g", "link", "/a"), CHORUS_OK);
  list(&b, "[2001:db8::1]:5683", 2, "</a>,</b>"); /* its second response: not delivered */
  ck_assert_uint_eq(b.sent_count, 1);
  list(&b, "[2001:db8::2]:5683", 1, "</c>");
  ck_assert_uint_eq(b.sent_count, 1);
  list(&b, "[2001:db8::3]:5683", 1, "</a>,</b>");
  /* In the order of the commands; the second waits for its turn at the server (NSTART). */
  ck_assert_uint_eq(b.sent_count, 2);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_FOLLOW), 2);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REQUEST)->request, "f#1");
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REQUEST)->path, "/b");
  stop(&b);
}
END_TEST

START_TEST(links_that_name_a_host_lead_there) {
  struct bench b;
  start(&b);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_OK);
  list(&b, "[2001:db8::1]:5683", 1, "<coap://[2001:db8::9]/x>");
  ck_goes_to(&b, 1, "[2001:db8::9]:5683");
  list(&b, "[2001:db8::2]:5683", 1, "<//[ff35::2]/x>");
  ck_goes_to(&b, 2, "[ff35::2]:5683");
  ck_assert_int_eq(sent_message(&b, 2).type, REF_NON);
  static const char *const refused[] = {"<http://example.org/>", "<coaps://[2001:db8::9]/>",
                                        "<coap://example.org/>", "</%zz>"};
  for (size_t i = 0; i < 4; i++) {
    char from[40];
    snprintf(from, sizeof from, "[2001:db8::1%zu]:5683", i);
    list(&b, from, 1, refused[i]);
    ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_REFUSED), i + 1);
  }
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REFUSED)->request, "f#6");
  ck_assert_uint_eq(b.sent_count, 3);
  stop(&b);
}
END_TEST

START_TEST(links_of_one_server_lead_to_it) {
  struct bench b;
  struct crafted c;
  start(&b);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", "coap://[2001:db8::1]:6000/x", "method",
                       "POST", "type", "NON"),
                   CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_OK);
  struct ref_message m = sent_message(&b, 0);
  ref_writer_begin(&c.w, c.octets, sizeof c.octets, REF_NON, REF_CODE(2, 1), 7, m.token,
                   m.token_length);
  deliver(&b, option(&c, REF_OPTION_LOCATION_PATH, "made"), "[2001:db8::1]:6000", SELF);
  ck_goes_to(&b, 1, "[2001:db8::1]:6000");
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_FOLLOW)->path, "/made");
  ck_assert(!said_last(&b, CHORUS_EVENT_FOLLOW)->event.group);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_DONE)->request, "q");
  stop(&b);
}
END_TEST

/* A flood of responses must not become a flood of requests without end. */
START_TEST(links_are_followed_64_times) {
  struct bench b;
  start(&b);
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_OK);
  for (unsigned i = 1; i <= 100; i++) {
    char from[40];
    snprintf(from, sizeof from, "[2001:db8::1:%x]:5683", i);
    list(&b, from, 1, "</s/1>");
  }
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_DELIVER), 100);
  ck_assert_uint_eq(said_count(&b, CHORUS_EVENT_FOLLOW), 64);
  ck_assert_uint_eq(b.sent_count, 65);
  stop(&b);
}
END_TEST

START_TEST(commands_that_make_no_sense) {
  struct bench b;
  char id[80];
  start(&b);
  memset(id, 'x', sizeof id);
  id[65] = '\0';
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_REFUSED);
  ck_assert_str_eq(said_last(&b, CHORUS_EVENT_REFUSED)->request, "q");
  ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", GROUP), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "follow", "id", "f"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", id), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f", "links", "/a"), CHORUS_UNSUPPORTED);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "f"), CHORUS_BAD_ARGUMENT);
  ck_assert_int_eq(ask(&b, "forget", "of", "q"), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "q", "id", "g"), CHORUS_REFUSED);
  ck_assert_int_eq(ask(&b, "request", "id", "r", "uri", GROUP), CHORUS_OK);
  ck_assert_int_eq(ask(&b, "follow", "of", "r", "id", "f"), CHORUS_OK); /* that one is over */
  ck_assert_int_eq(bench_command(&b, "restart", (const char *const[]){NULL}), CHORUS_OK);
  stop(&b);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {every_responder_is_asked_alone,    only_what_comes_afterwards,
                                links_that_name_a_host_lead_there, links_of_one_server_lead_to_it,
                                links_are_followed_64_times,       commands_that_make_no_sense};
  return RUN_TESTS("client_follow", tests);
}
