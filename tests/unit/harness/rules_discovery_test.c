/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules on /.well-known/core (harness/rules/discovery.c), and the reader of link-format. */
#include "rules/link_format.h"
#include "server_fixture.h"

#define CORE        "/.well-known/core"
#define LINKS(text) .options = {{DIS_CONTENT_FORMAT, "28"}}, .payload = text

static void discovered(const char *to, const struct fx_message *response) {
  serve(JDG_DIJK_03);
  ask_to(1000, to, NON(GET, 1, "aa", .path = CORE));
  answer(3000, response);
  end(20000);
}

START_TEST(representations) {
  static const struct {
    const char *format, *payload;
    enum jdg_verdict coap, link_format;
  } cases[] = {
      {"28", "</a>;rt=\"x y\",</b>", JDG_PASS, JDG_PASS},
      {"28", NULL, JDG_PASS, JDG_PASS},
      {NULL, NULL, JDG_PASS, JDG_PASS},
      {NULL, "</a>", JDG_WARN, JDG_PASS},
      {"00", "</a>", JDG_WARN, JDG_FAIL},
      {"32", "{}", JDG_WARN, JDG_FAIL},
      {"40", "x", JDG_PASS, JDG_PASS},
      {"28", "/a,/b", JDG_WARN, JDG_FAIL},
      {"28", "</a", JDG_WARN, JDG_FAIL},
      {"28", "</a>;title=\"a,b;<c>\",\n </b>", JDG_PASS, JDG_PASS},
      {"28", "</a>x", JDG_WARN, JDG_FAIL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) fx_free(&fx);
    struct fx_message m = *NON(CODE_205, 77, "aa", .payload = cases[i].payload);
    if (cases[i].format) m.options[0] = (struct fx_option){DIS_CONTENT_FORMAT, cases[i].format};
    discovered(i % 2 ? SERVER : GROUP, &m);
    expect("COAP-7.2-01", cases[i].coap);
    expect("LF-4-01", cases[i].link_format);
  }
}
END_TEST

START_TEST(a_block_is_not_parsed) {
  discovered(GROUP,
             NON(CODE_205, 77, "aa", .options = {{DIS_CONTENT_FORMAT, "28"}, {DIS_BLOCK2, "0a"}},
                 .payload = "</sensors/te"));
  expect("LF-4-01", JDG_PASS);
}
END_TEST

/* Accept asks for something else than links (RFC 7252, section 5.10.4). */
START_TEST(another_format_may_be_asked_for) {
  static const struct {
    const char *accept;
    enum jdg_verdict verdict;
  } cases[] = {{"3c", JDG_NOT_EXERCISED}, {"28", JDG_FAIL}, {"40", JDG_FAIL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) fx_free(&fx);
    serve(JDG_DIJK_03);
    ask_to(1000, SERVER,
           NON(GET, 1, "aa", .path = CORE, .options = {{DIS_ACCEPT, cases[i].accept}}));
    answer(3000, NON(CODE_205, 77, "aa", .options = {{DIS_CONTENT_FORMAT, "3c"}}, .payload = "x"));
    end(20000);
    expect("LF-4-01", cases[i].verdict);
    expect("COAP-7.2-01", cases[i].verdict == JDG_FAIL ? JDG_WARN : cases[i].verdict);
  }
}
END_TEST

START_TEST(without_links_there_is_still_a_resource) {
  discovered(SERVER, NON(CODE_404, 77, "aa"));
  expect("LF-4-01", JDG_FAIL);
  expect("COAP-7.2-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(no_discovery_no_resource) {
  ics.discovery = JDG_UNKNOWN;
  discovered(SERVER, NON(CODE_404, 77, "aa"));
  expect("LF-4-01", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(other_resources_are_not_judged) {
  serve(JDG_DIJK_03);
  ask(1000, NON(GET, 1, "aa", .path = "/open"));
  answer(3000, NON(CODE_205, 77, "aa", .payload = "text"));
  end(20000);
  expect("COAP-7.2-01", JDG_NOT_EXERCISED);
  expect("LF-4-01", JDG_NOT_EXERCISED);
  expect("LF-4.1-02", JDG_NOT_EXERCISED);
}
END_TEST

/* ---- filters ---- */

static void filtered(enum jdg_profile profile, const char *query,
                     const struct fx_message *response) {
  serve(profile);
  ask(1000, NON(GET, 1, "aa", .path = CORE, .query = query));
  if (response) answer(3000, response);
  end(20000);
}

START_TEST(answers_to_filters) {
  static const struct {
    const char *query, *payload;
    enum jdg_verdict verdict;
  } cases[] = {
      {"rt=nomatch", NULL, JDG_WARN},
      {"rt=nomatch", "</a>;rt=light,</b>", JDG_WARN},
      {"rt=light", "</a>;rt=light", JDG_NOT_EXERCISED},
      {"rt=light", "</a>;rt=\"dim light\"", JDG_NOT_EXERCISED},
      {"rt=li*", "</a>;if=x;rt=light", JDG_NOT_EXERCISED},
      {"rt=ight*", "</a>;rt=light", JDG_WARN},
      {"rt=*", "</a>;rt=light", JDG_NOT_EXERCISED},
      {"rt=*", "</a>;if=light", JDG_WARN},
      {"href=/a", "</a>", JDG_NOT_EXERCISED},
      {"href=/a*", "</abc>", JDG_NOT_EXERCISED},
      {"href=/b", "</a>", JDG_WARN},
      {"title=a b", "</a>;title=\"a b\"", JDG_NOT_EXERCISED},
      {"rt", "</a>", JDG_NOT_EXERCISED},
      {"rel=hosts", "</a>;rt=light", JDG_NOT_EXERCISED},
      {"rel=ho*", "</a>;rt=light", JDG_NOT_EXERCISED},
      {"rel=hosts", "</a>;rel=index", JDG_WARN},
      {"rel=index", "</a>;rt=light", JDG_WARN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (i) fx_free(&fx);
    filtered(JDG_DIJK_03, cases[i].query, NON(CODE_205, 77, "aa", LINKS(cases[i].payload)));
    expect("LF-4.1-02", cases[i].verdict);
    expect("COAP-8.2-02", cases[i].verdict);
  }
}
END_TEST

START_TEST(an_error_is_no_answer_to_a_filter) {
  filtered(JDG_DIJK_03, "rt=x", NON(CODE_404, 77, "aa"));
  expect("LF-4.1-02", JDG_WARN);
}
END_TEST

START_TEST(other_errors_tell_nothing_of_the_filter) {
  const int codes[] = {0x81, CODE_402, 0xa3}; /* 4.01, 4.02, 5.03 */
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (i) fx_free(&fx);
    filtered(JDG_DIJK_03, "rt=x", NON(codes[i], 77, "aa"));
    expect("LF-4.1-02", JDG_NOT_EXERCISED);
    expect("COAP-8.2-02", JDG_NOT_EXERCISED);
  }
}
END_TEST

START_TEST(silence_is_right) {
  filtered(JDG_RFC7390, "rt=x", NULL);
  expect("LF-4.1-02", JDG_PASS);
  expect("RFC7390-2.7-04", JDG_PASS);
  expect("RFC7390-2.7-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(unicast_queries_are_answered) {
  serve(JDG_DIJK_03);
  ask_to(1000, SERVER, NON(GET, 1, "aa", .path = CORE, .query = "rt=x"));
  answer(3000, NON(CODE_205, 77, "aa"));
  end(20000);
  expect("LF-4.1-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(an_unaware_server_may_answer) {
  ics.mcast_aware = JDG_NO;
  filtered(JDG_DIJK_03, "rt=x", NON(CODE_205, 77, "aa"));
  expect("LF-4.1-02", JDG_NOT_EXERCISED);
}
END_TEST

START_TEST(who_does_not_filter_does_not_accept) {
  ics.filter = JDG_NO;
  filtered(JDG_RFC7390, "rt=light", NON(CODE_205, 77, "aa", LINKS("</a>;rt=light,</b>")));
  expect("RFC7390-2.7-02", JDG_WARN);
}
END_TEST

START_TEST(who_does_not_filter_keeps_silent) {
  ics.filter = JDG_NO;
  filtered(JDG_RFC7390, "rt=light", NULL);
  expect("RFC7390-2.7-02", JDG_PASS);
}
END_TEST

/* ---- the reader ---- */

static struct rule_text text_of(const char *text) {
  return (struct rule_text){(const uint8_t *)text, strlen(text)};
}

START_TEST(links_are_taken_one_by_one) {
  struct rule_text rest = text_of("</a>;rt=\"x,y\";sz=3,<coap://h/b?c=d>");
  struct rule_link link;
  ck_assert(rule_link_next(&rest, &link));
  ck_assert_uint_eq(link.target.length, 2);
  ck_assert(rule_link_matches(&link, text_of("sz"), text_of("3")));
  ck_assert(!rule_link_matches(&link, text_of("s"), text_of("3")));
  ck_assert(rule_link_next(&rest, &link));
  ck_assert(rule_link_matches(&link, text_of("href"), text_of("coap://h/b?c=d")));
  ck_assert(!rule_link_next(&rest, &link));
  ck_assert_uint_eq(rest.length, 0);
}
END_TEST

START_TEST(cut_links_end_the_list) {
  const char *whole = "</a>;rt=\"x\\\"y\";if=z,</b>";
  for (size_t n = 0; n <= strlen(whole); n++) {
    uint8_t *copy = malloc(n + 1); /* the sanitizer sees reads behind it */
    memcpy(copy, whole, n);
    struct rule_text rest = {copy, n};
    struct rule_link link;
    unsigned links = 0;
    while (rule_link_next(&rest, &link)) {
      rule_link_matches(&link, text_of("rt"), text_of("x"));
      links++;
    }
    ck_assert_uint_le(links, 2);
    free(copy);
  }
  serve(JDG_DIJK_03);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      representations,
      a_block_is_not_parsed,
      another_format_may_be_asked_for,
      without_links_there_is_still_a_resource,
      no_discovery_no_resource,
      other_resources_are_not_judged,
      answers_to_filters,
      an_error_is_no_answer_to_a_filter,
      other_errors_tell_nothing_of_the_filter,
      silence_is_right,
      unicast_queries_are_answered,
      an_unaware_server_may_answer,
      who_does_not_filter_does_not_accept,
      who_does_not_filter_keeps_silent,
      links_are_taken_one_by_one,
      cut_links_end_the_list,
      NULL,
  };
  return run_tests("discovery rules", tests);
}
