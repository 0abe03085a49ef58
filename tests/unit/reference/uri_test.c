/* SPDX-License-Identifier: BSD-2-Clause */
#include "uri.h"

#include "bench_host.h"
#include "path.h"

/* Renders options as "11:light 15:x=1", with octets outside of ASCII as \xx. */
static void render(const struct ref_option_list *list, char *text, size_t size) {
  size_t at = 0;
  text[0] = '\0';
  for (size_t i = 0; i < list->count; i++) {
    at += (size_t)snprintf(text + at, size - at, "%s%u:", i ? " " : "", list->item[i].number);
    for (size_t k = 0; k < list->item[i].length; k++) {
      uint8_t c = list->store[list->item[i].offset + k];
      at += (size_t)snprintf(text + at, size - at, c < 0x80 ? "%c" : "\\%02x", c);
    }
  }
}

START_TEST(decomposition) {
  static const struct {
    const char *uri, *endpoint, *options, *path;
  } table[] = {
      {"coap://[ff35::1]:5683/light?x=1", "[ff35::1]:5683", "11:light 15:x=1", "/light?x=1"},
      {"coap://[ff35::1]", "[ff35::1]:5683", "", "/"},
      {"coap://[ff35::1]/", "[ff35::1]:5683", "", "/"},
      {"coap://[ff35::1]//", "[ff35::1]:5683", "11: 11:", "//"},
      {"coap://[ff35::1]/a/", "[ff35::1]:5683", "11:a 11:", "/a/"},
      {"coap://[ff35::1]/a//b", "[ff35::1]:5683", "11:a 11: 11:b", "/a//b"},
      {"coap://[ff35::1]?a&b=%26", "[ff35::1]:5683", "15:a 15:b=&", "/?a&b=%26"},
      {"COAP://224.0.1.187/x", "224.0.1.187:5683", "11:x", "/x"},
      {"coap://192.0.2.1:61616/%2F%e2%82%ac", "192.0.2.1:61616", "11:/\\e2\\82\\ac",
       "/%2F%E2%82%AC"},
      {"coap://[fe80::1%252]:7/x", "[fe80::1%2]:7", "11:x", "/x"},
      {"coap://[ff35::1]/a/../b/./c", "[ff35::1]:5683", "11:b 11:c", "/b/c"},
      {"coap://[ff35::1]/../x", "[ff35::1]:5683", "11:x", "/x"},
      {"coap://[ff35::1]:61616/.well-known/core?rt=a*", "[ff35::1]:61616",
       "11:.well-known 11:core 15:rt=a*", "/.well-known/core?rt=a*"},
      {"coaps://[2001:db8::1]/x", "[2001:db8::1]:5684", "11:x", "/x"},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    static struct ref_option_list list;
    struct ref_uri uri;
    const char *why = "";
    char text[256];
    list.count = list.used = 0;
    int status = ref_uri_parse(table[i].uri, &uri, &list, &why);
    ck_assert_msg(status == CHORUS_OK, "%s: %s", table[i].uri, why);
    struct chorus_endpoint e = endpoint(table[i].endpoint);
    ck_assert_msg(chorus_same_endpoint(&e, &uri.destination) && e.zone == uri.destination.zone,
                  "%s", table[i].uri);
    render(&list, text, sizeof text);
    ck_assert_msg(strcmp(text, table[i].options) == 0, "%s: %s", table[i].uri, text);
    ref_path_compose(&list, text, sizeof text);
    ck_assert_str_eq(text, table[i].path);
    ck_assert_int_eq(uri.secure, table[i].uri[4] == 's');
  }
}
END_TEST

START_TEST(refusals) {
  static const char *const table[] = {"",
                                      "x",
                                      "http://[ff35::1]/",
                                      "coap+tcp://[ff35::1]/",
                                      "coap:[ff35::1]",
                                      "coap://",
                                      "coap:///x",
                                      "coap://[ff35::1/x",
                                      "coap://[ff35::1]:99999/x",
                                      "coap://[ff35::1]:0/x",
                                      "coap://[ff35::1]:5a/x",
                                      "coap://[ff35::1]/x#f",
                                      "coap://[ff35::1]/%zz",
                                      "coap://[ff35::1]/%2",
                                      "coap://lamp.example/x",
                                      "coap://user@192.0.2.1/x",
                                      "coap://[ff35::zz]/x"};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    static struct ref_option_list list;
    struct ref_uri uri;
    const char *why = NULL;
    list.count = list.used = 0;
    ck_assert_msg(ref_uri_parse(table[i], &uri, &list, &why) == CHORUS_BAD_ARGUMENT, "%s",
                  table[i]);
    ck_assert_ptr_nonnull(why);
  }
}
END_TEST

START_TEST(long_segments) {
  static struct ref_option_list list;
  struct ref_uri uri;
  const char *why = NULL;
  char text[300] = "coap://[ff35::1]/";
  memset(text + 17, 'a', 255);
  ck_assert_int_eq(ref_uri_parse(text, &uri, &list, &why), CHORUS_OK);
  ck_assert_uint_eq(list.item[0].length, 255);
  list.count = list.used = 0;
  text[17 + 255] = 'a';
  ck_assert_int_eq(ref_uri_parse(text, &uri, &list, &why), CHORUS_BAD_ARGUMENT);
}
END_TEST

/* What is remembered is what was parsed, for that text only, and a refusal is not remembered. */
START_TEST(recall) {
  static const char *const table[] = {"coap://[ff35::1]/a/b?x=1", "coap://[ff35::1]/a/b?x=1",
                                      "coaps://192.0.2.1:7/",     "coap://nowhere/",
                                      "coap://nowhere/",          "coaps://192.0.2.1:7/"};
  struct ref_uri_memory *memory = NULL;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    static struct ref_option_list parsed, recalled;
    struct ref_uri a, b;
    const char *why = "", *why_not = "";
    char text[256], again[256];
    parsed.count = parsed.used = recalled.count = recalled.used = 0;
    int status = ref_uri_parse(table[i], &a, &parsed, &why);
    ck_assert_int_eq(ref_uri_recall(&memory, table[i], &b, &recalled, &why_not), status);
    ck_assert_str_eq(why, why_not);
    if (status != CHORUS_OK) continue;
    render(&parsed, text, sizeof text);
    render(&recalled, again, sizeof again);
    ck_assert_str_eq(text, again);
    ck_assert(chorus_same_endpoint(&a.destination, &b.destination) && a.secure == b.secure);
  }
  free(memory);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {decomposition, refusals, long_segments, recall};
  return RUN_TESTS("uri", tests);
}
