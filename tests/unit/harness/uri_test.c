/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader's reading of URIs is that of the reference's client: what one takes, the other takes.
 */
#include "scenario/uri.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../reference/src/path.h"
#include "../../../reference/src/uri.h"
#include "check_run.h"
#include "dissect/coap.h"
#include "scenario/path.h"

static bool client_takes(const char *text, struct ref_uri *uri, struct ref_option_list *options) {
  const char *why;
  options->count = options->used = 0;
  return ref_uri_parse(text, uri, options, &why) == CHORUS_OK;
}

static void compare(const char *text) {
  struct ref_uri ours;
  struct ref_option_list options;
  struct scn_uri theirs;
  enum scn_uri_fault fault = scn_uri_read(text, &theirs);
  bool taken = client_takes(text, &ours, &options);
  if (fault == SCN_URI_GOOD && theirs.parts > REF_OPTION_LIST_MAX) return; /* told by its number */
  ck_assert_msg(taken == (fault == SCN_URI_GOOD), "%s: the client %s it, the loader says %d", text,
                taken ? "takes" : "refuses", (int)fault);
  if (!taken) return;
  ck_assert(chorus_same_address(&ours.destination, &theirs.destination));
  ck_assert_uint_eq(ours.destination.port, theirs.destination.port);
  ck_assert_uint_eq(ours.destination.zone, theirs.destination.zone);
  ck_assert_msg(options.count == theirs.parts, "%s: %zu options, not %zu", text,
                (size_t)options.count, theirs.parts);
}

static const struct {
  const char *text;
  enum scn_uri_fault fault;
} known[] = {
    {"coap://[ff35::1]/light", SCN_URI_GOOD},
    {"coaps://192.0.2.1:5684/a/b?c=d&e", SCN_URI_GOOD},
    {"CoAP://[::1]", SCN_URI_GOOD},
    {"coap://[::1]:/", SCN_URI_GOOD},
    {"coap://[::1]?a", SCN_URI_GOOD},
    {"coap://[fe80::1%252]:7/a%2Fb/./c/../d/", SCN_URI_GOOD},
    {"coap://[::1]/a//b", SCN_URI_GOOD},
    {"coap://[::1]//", SCN_URI_GOOD},
    {"coap://[::1]/?", SCN_URI_GOOD},
    {"coap://[::1]/a?b&&c&", SCN_URI_GOOD},
    {"http://[::1]/", SCN_URI_SCHEME},
    {"coap+ws://[::1]/", SCN_URI_SCHEME},
    {"coap:[::1]/", SCN_URI_SCHEME},
    {"", SCN_URI_SCHEME},
    {"coap://[::1]/#a", SCN_URI_FRAGMENT},
    {"coap://[::1]/%", SCN_URI_PERCENT},
    {"coap://[::1%2]/", SCN_URI_PERCENT},
    {"coap://[::1/", SCN_URI_BRACKET},
    {"coap://[::1]a/", SCN_URI_BRACKET},
    {"coap://::1/", SCN_URI_BRACKET},
    {"coap://[::1]:0/", SCN_URI_PORT},
    {"coap://[::1]:65536/", SCN_URI_PORT},
    {"coap://[::1]:5683a/", SCN_URI_PORT},
    {"coap://", SCN_URI_HOST_NAME},
    {"coap:///a", SCN_URI_HOST_NAME},
    {"coap://server.example/a", SCN_URI_HOST_NAME},
    {"coap://a@192.0.2.1/", SCN_URI_HOST_NAME},
    {"coap://[::1%25eth0]/", SCN_URI_HOST_NAME},
};

START_TEST(the_loader_and_the_client_agree) {
  struct scn_uri uri;
  ck_assert_int_eq(scn_uri_read(known[_i].text, &uri), known[_i].fault);
  compare(known[_i].text);
}
END_TEST

START_TEST(long_ones) {
  char text[1200];
  for (size_t length = 240; length < 1100; length += 1) {
    int head = snprintf(text, sizeof text, "coap://[::1]/%s", length % 2 ? "a/b?" : "");
    memset(text + head, 'x', length);
    for (size_t i = 250; i < length && length > 600; i += 251)
      text[(size_t)head + i] = length % 2 ? '&' : '/';
    text[(size_t)head + length] = '\0';
    compare(text);
  }
}
END_TEST

/* Pieces of URIs in any order: whatever comes out, both say the same. */
START_TEST(random_ones) {
  static const char *const pieces[] = {"coap", "coaps",     "://",   ":",       "/",   "?",   "&",
                                       "#",    "[::1]",     "[",     "]",       "::1", "%25", "%2",
                                       "1",    "192.0.2.1", "65535", "65536",   "a",   ".",   "..",
                                       "@",    "=",         "%20",   "ff05::fd"};
  enum { PIECES = sizeof pieces / sizeof *pieces };
  uint64_t state = 1;
  size_t good = 0;
  for (int n = 0; n < 200000; n++) {
    char text[400] = "coap://[ff05::fd]";
    size_t length = n % 3 == 0 ? 0 : n % 3 == 1 ? 7 : strlen(text);
    for (int i = 0; i < 1 + n % 7; i++) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      length += (size_t)snprintf(text + length, sizeof text - length, "%s",
                                 pieces[(state >> 33) % PIECES]);
    }
    struct scn_uri uri;
    good += scn_uri_read(text, &uri) == SCN_URI_GOOD;
    compare(text);
  }
  ck_assert_uint_gt(good, 5000);
}
END_TEST

/* ---- paths ---- */

static const struct {
  const char *written, *composed;
} paths[] = {
    {"/light", "/light"},
    {"/a b", "/a%20b"},
    {"/a%20b", "/a%20b"},
    {"/\xc3\xa9", "/%C3%A9"},
    {"/%c3%a9", "/%C3%A9"},
    {"/a%2fb", "/a%2Fb"},
    {"/a/b", "/a/b"},
    {"/%41&b%26c", "/A&b&c"},
    {"/a?b=%26&c/?", "/a?b=%26&c/?"},
    {"/a%3Fb", "/a%3Fb"},
    {"/a%00", "/a%00"},
    {"/100%", "/100%25"},
    {"/", "/"},
    {"//a/", "//a/"},
};

START_TEST(paths_have_one_way_of_writing) {
  char text[64];
  ck_assert_uint_eq(scn_path_compose(paths[_i].written, text, sizeof text),
                    strlen(paths[_i].composed));
  ck_assert_str_eq(text, paths[_i].composed);
  ck_assert_uint_eq(scn_path_compose(paths[_i].written, text, 3), strlen(paths[_i].composed));
  ck_assert(strlen(text) < 3 && strncmp(text, paths[_i].composed, strlen(text)) == 0);
}
END_TEST

/* What a message with these options is called by the judge. */
static void judge_says(const struct ref_option_list *options, char *text, size_t size) {
  static const uint8_t no_token[1];
  uint8_t octets[REF_MESSAGE_MAX];
  struct ref_writer w;
  struct dis_coap m;
  ref_writer_begin(&w, octets, sizeof octets, 1, 1, 0, no_token, 0);
  ref_writer_list(&w, options);
  dis_coap_parse(&m, octets, ref_writer_end(&w));
  dis_path_text(&m, text, size);
}

/* The loader, the reference and the judge call one resource by one name, however it is written. */
START_TEST(all_compose_alike) {
  static const char *const pieces[] = {"/",   "/", "?",  "&", "a",   "%2F", "%2f",      "%20", " ",
                                       "%41", "=", "\"", ":", "%25", "%26", "\xc3\xa9", "%3f", "*"};
  enum { PIECES = sizeof pieces / sizeof *pieces };
  uint64_t state = 7;
  for (int n = 0; n < 50000; n++) {
    static struct ref_option_list options;
    char uri[300] = "coap://[::1]/x", mine[300], client[300], judge[300];
    const char *why;
    struct ref_uri parsed;
    size_t length = strlen(uri);
    for (int i = 0; i < 1 + n % 9; i++) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      length +=
          (size_t)snprintf(uri + length, sizeof uri - length, "%s", pieces[(state >> 33) % PIECES]);
    }
    if (strchr(uri, '?') && strchr(uri, '?')[1] == '\0') continue; /* no query at all */
    options.count = options.used = 0;
    ck_assert_int_eq(ref_uri_parse(uri, &parsed, &options, &why), CHORUS_OK);
    scn_path_compose(uri + strlen("coap://[::1]"), mine, sizeof mine);
    ref_path_compose(&options, client, sizeof client);
    judge_says(&options, judge, sizeof judge);
    ck_assert_msg(strcmp(mine, client) == 0, "%s: %s, %s", uri, mine, client);
    ck_assert_msg(strcmp(mine, judge) == 0, "%s: %s, %s", uri, mine, judge);
    mine[strcspn(mine, "?")] = '\0';
    ck_assert_msg(ref_path_is_composed(mine), "%s", mine);
  }
}
END_TEST

START_TEST(what_is_not_composed) {
  static const char *const wrong[] = {"a",      "",     "/a b",  "/%2f", "/%41", "/%4",
                                      "/a%20 ", "/a?b", "/\xc3", "/%zz", "/a#"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ck_assert_msg(!ref_path_is_composed(wrong[i]), "%s", wrong[i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("uri");
  TCase *tests = tcase_create("all");
  tcase_add_loop_test(tests, the_loader_and_the_client_agree, 0, sizeof known / sizeof *known);
  tcase_add_test(tests, long_ones);
  tcase_add_test(tests, random_ones);
  tcase_add_loop_test(tests, paths_have_one_way_of_writing, 0, sizeof paths / sizeof *paths);
  tcase_add_test(tests, all_compose_alike);
  tcase_add_test(tests, what_is_not_composed);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
