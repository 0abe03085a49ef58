/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus rules */
#include "rules/rules.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/mutants.h"

enum { JSON };

static const struct cli_option rules_options[] = {
    [JSON] = {"--json", NULL, "a list of objects"},
    {NULL, NULL, NULL},
};

static const char *const role_names[] = {
    "client", "server",        "proxy",      "group manager", "resource directory",
    "router", "configuration", "application"};

static const char *roles_text(unsigned roles, char *text, size_t size) {
  size_t n = 0;
  text[0] = '\0';
  for (size_t i = 0; i < sizeof role_names / sizeof *role_names; i++)
    if (roles >> i & 1 && n < size)
      n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", role_names[i]);
  return text;
}

static json_t *document(const char *name, const char *section, enum jdg_level level) {
  json_t *o = json_object();
  json_object_set_new(o, "document", json_string(name));
  json_object_set_new(o, "section", json_string(section));
  json_object_set_new(o, "level", json_string(jdg_level_name(level)));
  return o;
}

static json_t *documents(const struct rule *rule) {
  json_t *list = json_array();
  const struct rule_also *also;
  json_array_append_new(list, document(rule->document, rule->section, rule->level));
  for (size_t n = 0; (also = rule_also_get(rule->id, n)); n++)
    json_array_append_new(list, document(also->document, also->section, also->level));
  return list;
}

static json_t *profiles(const struct rule_check *check) {
  json_t *o = json_object();
  for (int p = 0; p < JDG_PROFILE_COUNT; p++)
    json_object_set_new(o, jdg_profile_name((enum jdg_profile)p),
                        json_string(jdg_level_name(check->levels[p])));
  return o;
}

static bool covers(const struct scn_file *file, const char *id) {
  for (size_t i = 0; i < file->cover_count; i++)
    if (strcmp(file->covers[i], id) == 0) return true;
  return false;
}

static json_t *scenarios_of(const struct scn_library *library, const char *id) {
  json_t *list = json_array();
  for (size_t i = 0; i < library->count; i++)
    if (covers(library->files[i], id))
      json_array_append_new(list, json_string(library->files[i]->id));
  return list;
}

static json_t *mutants_of(const char *id) {
  json_t *list = json_array();
  const char *mutant;
  for (size_t n = 0; (mutant = cli_mutant_of_rule(id, n)); n++)
    json_array_append_new(list, json_string(mutant));
  return list;
}

static json_t *rule_json(const struct rule *rule, const struct scn_library *library) {
  const struct rule_check *check = rule_check_of(rule);
  char roles[160];
  json_t *o = json_object();
  json_object_set_new(o, "id", json_string(rule->id));
  json_object_set_new(o, "documents", documents(rule));
  json_object_set_new(o, "role", json_string(roles_text(rule->roles, roles, sizeof roles)));
  json_object_set_new(o, "title", json_string(rule->title));
  if (check) json_object_set_new(o, "requirement", json_string(check->requirement));
  if (check) json_object_set_new(o, "activation", json_string(check->activation));
  json_object_set_new(o, "observability",
                      json_string(rule_observability_name(rule->observability)));
  json_object_set_new(o, "status", json_string(check ? "implemented" : "planned"));
  if (check) json_object_set_new(o, "profiles", profiles(check));
  json_object_set_new(o, "scenarios", scenarios_of(library, rule->id));
  json_object_set_new(o, "mutants", mutants_of(rule->id));
  return o;
}

static void print_words(const char *label, json_t *list) {
  json_t *word;
  size_t i;
  printf("  %-12s", label);
  json_array_foreach(list, i, word) printf("%s%s", i ? ", " : "", json_string_value(word));
  printf("%s\n", json_array_size(list) ? "" : "none");
  json_decref(list);
}

static void print_rule(const struct rule *rule, const struct scn_library *library) {
  const struct rule_check *check = rule_check_of(rule);
  const struct rule_also *also;
  char roles[160];
  printf("%s  %s\n", rule->id, rule->title);
  printf("  %-12s%s, section %s, %s\n", "from", rule->document, rule->section,
         jdg_level_name(rule->level));
  for (size_t n = 0; (also = rule_also_get(rule->id, n)); n++)
    printf("  %-12s%s, section %s, %s\n", "also", also->document, also->section,
           jdg_level_name(also->level));
  printf("  %-12s%s\n", "role", roles_text(rule->roles, roles, sizeof roles));
  if (check) printf("  %-12s%s\n", "asks", check->requirement);
  if (check) printf("  %-12s%s\n", "looks when", check->activation);
  printf("  %-12s%s\n", "status", check ? "implemented" : "planned");
  print_words("scenarios", scenarios_of(library, rule->id));
  print_words("mutants", mutants_of(rule->id));
  printf("\n");
}

static void print_list(void) {
  const char *document_ = "", *section = "";
  size_t implemented = 0;
  for (size_t i = 0; i < rule_count(); i++) {
    const struct rule *r = rule_get(i);
    bool done = rule_check_of(r) != NULL, new_document = strcmp(document_, r->document) != 0;
    if (new_document) printf("%s%s\n", *document_ ? "\n" : "", r->document);
    if (new_document || strcmp(section, r->section) != 0) printf("  section %s\n", r->section);
    document_ = r->document;
    section = r->section;
    implemented += done;
    printf("    %s %-18s %-15s %s\n", done ? "+" : " ", r->id, jdg_level_name(r->level), r->title);
  }
  printf("\n%zu rules, %zu implemented (+)\n", rule_count(), implemented);
}

static int unknown_rule(const struct cli_parser *p, const char *id) {
  const char *near = rule_nearest(id);
  return cli_usage(p, "there is no rule \"%s\"%s%s%s", id, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
}

struct asked {
  const struct rule *rules[1024];
  size_t count;
  bool json;
};

static int parse(struct cli_parser *p, struct asked *asked) {
  for (int option; (option = cli_next(p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD) return CLI_BAD;
    if (option == JSON) asked->json = true;
    if (option != CLI_POSITIONAL) continue;
    size_t before = asked->count;
    for (size_t i = 0; i < rule_count() && asked->count < 1024; i++)
      if (scn_match(p->value, rule_get(i)->id)) asked->rules[asked->count++] = rule_get(i);
    if (asked->count > before) continue;
    unknown_rule(p, p->value);
    return CLI_BAD;
  }
  return CLI_END;
}

static void print_json(const struct asked *asked, const struct scn_library *library) {
  json_t *list = json_array();
  for (size_t i = 0; asked->count == 0 && i < rule_count(); i++)
    json_array_append_new(list, rule_json(rule_get(i), library));
  for (size_t i = 0; i < asked->count; i++)
    json_array_append_new(list, rule_json(asked->rules[i], library));
  json_dumpf(list, stdout, JSON_INDENT(1));
  fputc('\n', stdout);
  json_decref(list);
}

int cli_rules(int count, char **arguments) {
  struct cli_parser p = {
      .command = "rules",
      .usage = "[ID...] [--json]",
      .about = "What each rule asks, from which document and section. An ID may hold *.",
      .options = rules_options,
      .arguments = arguments,
      .count = count};
  struct asked asked = {.count = 0};
  struct scn_library library = {NULL, 0};
  int parsed = parse(&p, &asked);
  if (parsed == CLI_HELP) return CLI_OK;
  if (parsed == CLI_BAD) return CLI_USAGE;
  bool ok = cli_read_library(&library, NULL);
  if (ok && asked.json)
    print_json(&asked, &library);
  else if (ok && asked.count == 0)
    print_list();
  for (size_t i = 0; ok && !asked.json && i < asked.count; i++)
    print_rule(asked.rules[i], &library);
  scn_library_free(&library);
  return ok ? CLI_OK : CLI_USAGE;
}
