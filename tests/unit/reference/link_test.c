/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include "bench_host.h"

/* A response with |links| as its payload, decoded. */
static struct ref_message links(struct crafted *c, uint8_t code, int format, const char *links) {
  struct ref_message m;
  craft(c, REF_NON, code, 1, "t");
  if (format >= 0) option_uint(c, REF_OPTION_CONTENT_FORMAT, (uint32_t)format);
  payload(c, links);
  ck_assert_int_eq(ref_decode(c->octets, ref_writer_end(&c->w), &m), REF_FAULT_NONE);
  return m;
}

START_TEST(the_first_link_or_the_one_that_is_wanted) {
  static const struct {
    const char *links, *wanted, *target; /* NULL: none */
  } cases[] = {
      {"</s/1>;rt=\"a\",</s/2>", NULL, "/s/1"},
      {"</s/1>;rt=\"a,</x>;\\\",b\" , </s/2>", "/s/2", "/s/2"},
      {"</s/1>,</s/2>;if=x", "/s/2", "/s/2"},
      {"</s/1>,</s/2>", "/s", NULL},
      {"</s/1>,</s/2>", "/s/3", NULL},
      {" \n</s/1>", NULL, "/s/1"},
      {"<>", NULL, ""},
      {"</a>;rt=x;anchor=\"/b\",</c>", NULL, "/c"}, /* not relative to the response */
      {"</a>;anchor=\"/b\"", "/a", NULL},
      {"</a>;anchors=1", NULL, "/a"},
      {"</a b>,</c>", NULL, "/c"}, /* no URI */
      {"</caf\xc3\xa9>", NULL, NULL},
      {"</s/1", NULL, NULL}, /* cut, as first blocks are */
      {"</s/1>,</s", "/s", NULL},
      {"</s/1>;rt=\"a", NULL, "/s/1"},
      {"s/1", NULL, NULL},
      {"</s/1>x,</s/2>", NULL, NULL},
      {",</s/1>", NULL, NULL},
      {" ", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct crafted c;
    char target[REF_LINK_TARGET_MAX];
    struct ref_message m = links(&c, REF_CODE(2, 5), 40, cases[i].links);
    bool found = ref_link_take(&m, cases[i].wanted, target);
    ck_assert_msg(found == (cases[i].target != NULL), "case %zu", i);
    if (found) ck_assert_str_eq(target, cases[i].target);
  }
}
END_TEST

START_TEST(only_links_are_links) {
  struct crafted c;
  char target[REF_LINK_TARGET_MAX];
  struct ref_message m = links(&c, REF_CODE(2, 5), 0, "</s/1>");
  ck_assert(!ref_link_take(&m, NULL, target));
  m = links(&c, REF_CODE(2, 5), -1, "</s/1>");
  ck_assert(!ref_link_take(&m, NULL, target));
  m = links(&c, REF_CODE(2, 4), 40, "</s/1>");
  ck_assert(!ref_link_take(&m, NULL, target));
  m = links(&c, REF_CODE(4, 4), 40, "</s/1>");
  ck_assert(!ref_link_take(&m, NULL, target));
}
END_TEST

START_TEST(a_long_target_is_passed_over) {
  struct crafted c;
  char text[1000], target[REF_LINK_TARGET_MAX];
  snprintf(text, sizeof text, "</%0*d>,</s>", REF_LINK_TARGET_MAX - 1, 7);
  struct ref_message m = links(&c, REF_CODE(2, 5), 40, text);
  ck_assert(ref_link_take(&m, NULL, target));
  ck_assert_str_eq(target, "/s");
  snprintf(text, sizeof text, "</%0*d>,</s>", REF_LINK_TARGET_MAX - 2, 7);
  m = links(&c, REF_CODE(2, 5), 40, text);
  ck_assert(ref_link_take(&m, NULL, target));
  ck_assert_uint_eq(strlen(target), REF_LINK_TARGET_MAX - 1);
}
END_TEST

START_TEST(location_is_a_link) {
  static const struct {
    const char *path[3], *query[3], *target;
  } cases[] = {
      {{"s", "1"}, {NULL}, "/s/1"}, {{"a/b", "c d?"}, {"x=/?", "&y"}, "/a%2Fb/c%20d%3F?x=/?&%26y"},
      {{NULL}, {"x"}, "/?x"},       {{"caf\xc3\xa9"}, {NULL}, "/caf%C3%A9"},
      {{"a", ".."}, {NULL}, NULL},  {{"."}, {NULL}, NULL},
      {{"..."}, {NULL}, "/..."},    {{NULL}, {NULL}, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct crafted c;
    struct ref_message m;
    char target[REF_LINK_TARGET_MAX];
    craft(&c, REF_NON, REF_CODE(2, 1), 1, "t");
    for (size_t k = 0; cases[i].path[k]; k++)
      option(&c, REF_OPTION_LOCATION_PATH, cases[i].path[k]);
    for (size_t k = 0; cases[i].query[k]; k++)
      option(&c, REF_OPTION_LOCATION_QUERY, cases[i].query[k]);
    ck_assert_int_eq(ref_decode(c.octets, ref_writer_end(&c.w), &m), REF_FAULT_NONE);
    bool found = ref_link_take(&m, NULL, target);
    ck_assert_msg(found == (cases[i].target != NULL), "case %zu", i);
    if (!found) continue;
    ck_assert_str_eq(target, cases[i].target);
    ck_assert(ref_link_take(&m, cases[i].target, target));
    ck_assert(!ref_link_take(&m, "/other", target));
  }
}
END_TEST

START_TEST(references_are_resolved) {
  static const struct {
    const char *target, *base, *uri;
  } cases[] = {
      {"/s/1", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/s/1"},
      {"/s/1?x=1#f", "192.0.2.1:61616", "coap://192.0.2.1:61616/s/1?x=1"},
      {"s/1", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/s/1"},
      {"../s", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/../s"}, /* the URI's own reader */
      {"?x", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/?x"},
      {"", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/"},
      {"/a", "[fe80::1%3]:5683", "coap://[fe80::1%253]:5683/a"},
      {"//[2001:db8::9]/a", "[2001:db8::1]:5683", "coap://[2001:db8::9]/a"},
      {"coap://[2001:db8::9]/a#b", "[2001:db8::1]:5683", "coap://[2001:db8::9]/a"},
      {"http://x/", "[2001:db8::1]:5683", "http://x/"},
      {"/a:b", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/a:b"},
      {"1a:b", "[2001:db8::1]:5683", "coap://[2001:db8::1]:5683/1a:b"}, /* no scheme */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char uri[REF_LINK_URI_MAX];
    struct chorus_endpoint base = endpoint(cases[i].base);
    ck_assert_str_eq(ref_link_resolve(cases[i].target, &base, uri), cases[i].uri);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {the_first_link_or_the_one_that_is_wanted, only_links_are_links,
                                a_long_target_is_passed_over, location_is_a_link,
                                references_are_resolved};
  return RUN_TESTS("link", tests);
}
