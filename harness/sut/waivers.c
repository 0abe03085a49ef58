/* SPDX-License-Identifier: BSD-2-Clause */
/* Waivers of a manifest: those of run/waivers.h, with the stack's name filled in. */
#include <stdlib.h>

#include "rules/rules.h"
#include "sut/internal.h"

static void need(struct sut_reader *r, const scn_value *map, const char *key, const char **to) {
  if (!scn_read_text(r->d, map, key, to)) scn_complain(r->d, map, "a waiver needs %s", key);
}

static bool good_date(const char *date) {
  int year, month, day, end = 0;
  if (sscanf(date, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != 10) return false;
  return date[10] == '\0' && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static void read_waiver(struct sut_reader *r, const scn_value *map, struct sut_waiver *w) {
  static const char *const keys[] = {"rule", "versions", "reason", "link", "expires", NULL};
  *w = (struct sut_waiver){"", "*", "", "", ""};
  if (!scn_expect_map(r->d, map, "a waiver", keys) && !scn_is_map(map)) return;
  need(r, map, "rule", &w->rule);
  need(r, map, "reason", &w->reason);
  need(r, map, "link", &w->link);
  need(r, map, "expires", &w->expires);
  scn_read_text(r->d, map, "versions", &w->versions);
  const scn_value *rule = scn_get(r->d, map, "rule"), *date = scn_get(r->d, map, "expires");
  if (rule && !rule_find(w->rule)) {
    const char *near = rule_nearest(w->rule);
    scn_complain(r->d, rule, "there is no rule \"%s\"%s%s%s", w->rule,
                 near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
  }
  if (date && !good_date(w->expires))
    scn_complain(r->d, date, "\"%s\" is no date; write 2027-01-31", w->expires);
}

void sut_read_waivers(struct sut_reader *r, const scn_value *list) {
  struct sut_waiver *waivers = NULL;
  const scn_value *item;
  size_t count = 0;
  if (!scn_expect_list(r->d, list, "waivers")) return;
  for (size_t i = 0; (item = scn_item(r->d, list, i)); i++) {
    struct sut_waiver *w = scn_append(r->arena, &waivers, &count, sizeof *w);
    if (w) read_waiver(r, item, w);
  }
  r->manifest->waivers = waivers;
  r->manifest->waiver_count = count;
}

char *sut_waivers_text(const struct sut_manifest *manifest) {
  json_t *list = json_array();
  for (size_t i = 0; i < manifest->waiver_count; i++) {
    const struct sut_waiver *w = &manifest->waivers[i];
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "rule", w->rule, "sut",
                                          manifest->name, "versions", w->versions, "reason",
                                          w->reason, "link", w->link, "expires", w->expires));
  }
  char *text = json_dumps(list, JSON_INDENT(1));
  json_decref(list);
  return text;
}
