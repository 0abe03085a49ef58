/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader's reading of URIs is that of the reference's client: what one takes, the other takes.
 */
#include "scenario/uri.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../reference/src/uri.h"
#include "check_run.h"

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

int main(void) {
  Suite *suite = suite_create("uri");
  TCase *tests = tcase_create("all");
  tcase_add_loop_test(tests, the_loader_and_the_client_agree, 0, sizeof known / sizeof *known);
  tcase_add_test(tests, long_ones);
  tcase_add_test(tests, random_ones);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
