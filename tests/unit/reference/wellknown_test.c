/* SPDX-License-Identifier: BSD-2-Clause */
#include "wellknown.h"

#include "bench_host.h"

START_TEST(queries) {
  static const char *const paths[] = {"/sensors/temp", "/light", "/lamp", "/t"};
  static const char *const attributes[] = {
      "rt=\"temperature-c core.s\";if=\"sensor\";title=\"a b\"", "rt=light;if=\"a.b\";obs",
      ";rt=\"light-lux\";sz=100;title=\"say \\\"hi\\\"\"", NULL};
  /* The links that each query selects, as a string of their numbers. */
  static const struct {
    const char *query, *links;
  } table[] = {
      {"rt=light", "1"},
      {"rt=light*", "12"},
      {"rt=core.s", "0"},
      {"rt=temperature-c core.s", ""},
      {"rt=*", "012"},
      {"if=sensor", "0"},
      {"if=a", ""},
      {"href=/light", "1"},
      {"href=/l*", "12"},
      {"href=*", "0123"},
      {"title=a b", "0"},
      {"title=a", ""},
      {"title=say \"hi\"", "2"},
      {"obs=*", "1"},
      {"sz=100", "2"},
      {"foo=bar", ""},
      {"foo=*", ""},
      {"rt", ""},
      {"=x", ""},
      {"", ""},
      {"RT=light", "1"},
      {"rt=Light", ""},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char links[8] = "";
    const char *q = table[i].query;
    for (size_t k = 0; k < 4; k++)
      if (ref_link_matches(paths[k], attributes[k], q, strlen(q)))
        links[strlen(links)] = (char)('0' + k);
    ck_assert_msg(strcmp(links, table[i].links) == 0, "%s: %s", q, links);
  }
}
END_TEST

int main(void) {
  const TTest *const tests[] = {queries};
  return RUN_TESTS("wellknown", tests);
}
