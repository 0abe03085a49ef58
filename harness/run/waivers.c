/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/waivers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/rules.h"
#include "run/results.h"
#include "scenario/document.h"
#include "text/text.h"

struct waiver {
  const char *rule, *sut, *versions, *reason, *link, *expires;
  uint64_t used;   /* failures that it covered */
  uint64_t passes; /* times the rule passed on a SUT that it names */
};

struct run_waivers {
  struct scn_arena *arena;
  struct waiver *list;
  size_t count;
};

/* ---- reading ---- */

static int days_in(int year, int month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool run_is_date(const char *date) {
  static const char shape[] = "dddd-dd-dd";
  if (strlen(date) != 10) return false;
  for (size_t i = 0; i < 10; i++) {
    bool digit = date[i] >= '0' && date[i] <= '9';
    if (shape[i] == 'd' ? !digit : date[i] != '-') return false;
  }
  int month = atoi(date + 5), day = atoi(date + 8);
  return month >= 1 && month <= 12 && day >= 1 && day <= days_in(atoi(date), month);
}

static void need(struct scn_document *d, const scn_value *map, const char *key, const char **to) {
  if (!scn_read_text(d, map, key, to)) scn_complain(d, map, "a waiver needs %s", key);
}

static void read_waiver(struct scn_document *d, const scn_value *map, struct waiver *w) {
  static const char *const keys[] = {"rule", "sut", "versions", "reason", "link", "expires", NULL};
  *w = (struct waiver){.rule = "", .sut = "*", .versions = "*", .expires = ""};
  if (!scn_expect_map(d, map, "a waiver", keys)) return;
  need(d, map, "rule", &w->rule);
  need(d, map, "reason", &w->reason);
  need(d, map, "link", &w->link);
  need(d, map, "expires", &w->expires);
  scn_read_text(d, map, "sut", &w->sut);
  scn_read_text(d, map, "versions", &w->versions);
  const scn_value *value = scn_get(d, map, "rule");
  if (value && !rule_find(w->rule)) {
    const char *near = rule_nearest(w->rule);
    scn_complain(d, value, "there is no rule \"%s\"%s%s%s", w->rule, near ? "; did you mean " : "",
                 near ? near : "", near ? "?" : "");
  }
  if ((value = scn_get(d, map, "expires")) && !run_is_date(w->expires))
    scn_complain(d, value, "\"%s\" is no date; write 2027-01-31", w->expires);
}

struct run_waivers *run_waivers_parse(const char *path, const char *text, size_t length,
                                      struct scn_errors *errors) {
  struct scn_arena *arena = scn_arena_new();
  struct run_waivers *w = arena ? scn_alloc(arena, sizeof *w) : NULL;
  struct scn_document doc;
  const scn_value *item;
  size_t before = errors->total;
  if (!w) return NULL;
  w->arena = arena;
  if (scn_document_load(&doc, path, scn_copy(arena, text, length), length, arena, errors)) {
    if (scn_expect_list(&doc, scn_root(&doc), "a file of waivers"))
      for (size_t i = 0; (item = scn_item(&doc, scn_root(&doc), i)); i++) {
        struct waiver *slot = scn_append(arena, &w->list, &w->count, sizeof *slot);
        if (slot) read_waiver(&doc, item, slot);
      }
    scn_document_free(&doc);
  }
  if (errors->total == before) return w;
  run_waivers_free(w);
  return NULL;
}

struct run_waivers *run_waivers_read(const char *path, struct scn_errors *errors) {
  FILE *stream = fopen(path, "rb");
  struct txt_buffer text = {0};
  char buffer[4096];
  size_t n;
  if (!stream) {
    scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
    return NULL;
  }
  while ((n = fread(buffer, 1, sizeof buffer, stream)) > 0) txt_add(&text, buffer, n);
  bool failed = ferror(stream) != 0;
  if (failed) scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
  fclose(stream);
  struct run_waivers *w =
      failed ? NULL : run_waivers_parse(path, text.data ? text.data : "", text.length, errors);
  txt_free(&text);
  return w;
}

void run_waivers_free(struct run_waivers *waivers) {
  if (waivers) scn_arena_free(waivers->arena);
}

/* ---- matching ---- */

/* Numbers in versions compare as numbers: 4.3.10 comes after 4.3.9. */
static int compare_versions(const char *a, const char *b) {
  while (*a && *b) {
    bool digits = *a >= '0' && *a <= '9' && *b >= '0' && *b <= '9';
    if (digits) {
      char *end_a, *end_b;
      unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);
      if (x != y) return x < y ? -1 : 1;
      a = end_a;
      b = end_b;
    } else if (*a != *b) {
      return *a < *b ? -1 : 1;
    } else {
      a++;
      b++;
    }
  }
  return (*a != '\0') - (*b != '\0');
}

static bool version_fits(const char *range, const char *version) {
  const char *dots = strstr(range, "..");
  char low[64];
  if (strcmp(range, "*") == 0) return true;
  if (!version) return false;
  if (!dots) return scn_match(range, version);
  snprintf(low, sizeof low, "%.*s", (int)(dots - range), range);
  if (*low && compare_versions(version, low) < 0) return false;
  return dots[2] == '\0' || compare_versions(version, dots + 2) <= 0;
}

static bool sut_fits(const struct waiver *w, json_t *run) {
  json_t *sut = json_object_get(run, "sut");
  const char *name = json_string_value(json_object_get(sut, "name"));
  return scn_match(w->sut, name ? name : "") &&
         version_fits(w->versions, json_string_value(json_object_get(sut, "version")));
}

static void apply_to_rule(struct waiver *w, json_t *entry, bool expired) {
  const char *id = json_string_value(json_object_get(entry, "id"));
  const char *verdict = json_string_value(json_object_get(entry, "verdict"));
  if (!id || !verdict || strcmp(id, w->rule) != 0) return;
  if (strcmp(verdict, "pass") == 0) w->passes++;
  bool broken = strcmp(verdict, "fail") == 0 || strcmp(verdict, "warn") == 0;
  if (strcmp(verdict, "waived") == 0) broken = true;
  if (!broken) return;
  w->used++;
  if (expired) return;
  json_object_set_new(entry, "verdict", json_string("waived"));
  json_object_set_new(entry, "reason",
                      json_sprintf("%s (%s, until %s)", w->reason, w->link, w->expires));
}

static const char *problem_of(const struct waiver *w, bool expired) {
  if (expired) return "expired";
  if (w->used) return NULL;
  return w->passes ? "the rule passes" : "used by nothing";
}

static json_t *waiver_entry(const struct waiver *w, const char *problem) {
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "rule", w->rule, "sut", w->sut,
                        "versions", w->versions, "reason", w->reason, "link", w->link, "expires",
                        w->expires, "used", (json_int_t)w->used);
  json_object_set_new(o, "problem", problem ? json_string(problem) : json_null());
  return o;
}

json_t *run_waivers_apply(struct run_waivers *waivers, json_t *runs, const char *today) {
  json_t *list = json_array(), *run, *entry;
  size_t i, k;
  for (size_t n = 0; n < waivers->count; n++) {
    struct waiver *w = &waivers->list[n];
    bool expired = strcmp(w->expires, today) < 0;
    json_array_foreach(runs, i, run) {
      if (!sut_fits(w, run)) continue;
      json_array_foreach(json_object_get(run, "rules"), k, entry) apply_to_rule(w, entry, expired);
    }
    json_array_append_new(list, waiver_entry(w, problem_of(w, expired)));
  }
  json_array_foreach(runs, i, run) run_decide(run);
  return list;
}
