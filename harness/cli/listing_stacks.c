/* SPDX-License-Identifier: BSD-2-Clause */
/* What an interop run found, a paragraph per stack and role. */
#include <string.h>

#include "cli/listing.h"
#include "rules/rules.h"

static const char *member(const json_t *object, const char *key) {
  const char *value = json_string_value(json_object_get(object, key));
  return value ? value : "";
}

static void count(json_t *counts, const char *key) {
  json_int_t n = json_integer_value(json_object_get(counts, key));
  json_object_set_new(counts, key, json_integer(n + 1));
}

/* The node runs the stack itself, and not our reference as its partner. */
static bool runs_stack(const json_t *run, const char *node) {
  json_t *entry;
  size_t i;
  json_array_foreach(
      json_object_get(run, "nodes"), i,
      entry) if (strcmp(member(entry, "name"), node) == 0) return *member(entry, "sut") != '\0';
  return false;
}

/* Rules that a stack broke in one run, once each. */
static void count_broken(const json_t *run, json_t *broken) {
  json_t *entry, *seen = json_object();
  size_t i;
  json_array_foreach(json_object_get(run, "rules"), i, entry) {
    const char *verdict = member(entry, "verdict"), *id = member(entry, "id");
    bool bad = strcmp(verdict, "fail") == 0 || strcmp(verdict, "warn") == 0;
    if (!bad || !runs_stack(run, member(entry, "node")) || json_object_get(seen, id)) continue;
    json_object_set_new(seen, id, json_true());
    char key[96];
    snprintf(key, sizeof key, "%s %s", verdict, id);
    count(broken, key);
  }
  json_decref(seen);
}

/* Verdicts and broken rules, by "name version, as role". */
static void gather(const json_t *runs, json_t *groups) {
  json_t *run;
  size_t i;
  json_array_foreach(runs, i, run) {
    const json_t *sut = json_object_get(run, "sut");
    char title[200];
    snprintf(title, sizeof title, "%s %s, %s%s", member(sut, "name"), member(sut, "version"),
             strcmp(member(sut, "role"), "pair") == 0 ? "" : "as ", member(sut, "role"));
    json_t *group = json_object_get(groups, title);
    if (!group) {
      group = json_pack("{s:{}, s:{}, s:{}}", "verdicts", "broken", "troubles");
      json_object_set_new(groups, title, group);
    }
    count(json_object_get(group, "verdicts"), member(run, "verdict"));
    count_broken(run, json_object_get(group, "broken"));
    json_t *trouble;
    size_t k;
    json_array_foreach(json_object_get(run, "sut_verdicts"), k, trouble)
        count(json_object_get(group, "troubles"), member(trouble, "verdict"));
  }
}

static void print_counts(const json_t *counts, FILE *stream) {
  const char *key;
  json_t *value;
  const char *separator = "";
  json_object_foreach((json_t *)(uintptr_t)counts, key, value) {
    fprintf(stream, "%s%" JSON_INTEGER_FORMAT " %s", separator, json_integer_value(value), key);
    separator = ", ";
  }
  fputc('\n', stream);
}

static void print_broken(const json_t *broken, FILE *stream) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)broken, key, value) {
    const struct rule *rule = rule_find(key + strlen("fail "));
    fprintf(stream, "  %-22s %s  (%" JSON_INTEGER_FORMAT " runs)\n", key, rule ? rule->title : "",
            json_integer_value(value));
  }
}

static void print_group(const char *title, const json_t *group, FILE *stream) {
  fprintf(stream, "%s: ", title);
  print_counts(json_object_get(group, "verdicts"), stream);
  print_broken(json_object_get(group, "broken"), stream);
  if (json_object_size(json_object_get(group, "troubles")) == 0) return;
  fprintf(stream, "  program: ");
  print_counts(json_object_get(group, "troubles"), stream);
}

void cli_list_stacks(const json_t *results, FILE *stream) {
  json_t *groups = json_object(), *group;
  const char *title;
  gather(json_object_get(results, "runs"), groups);
  json_object_foreach(groups, title, group) print_group(title, group, stream);
  json_decref(groups);
  fputc('\n', stream);
}
