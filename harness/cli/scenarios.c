/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus scenarios */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plan.h"
#include "cli/run_options.h"
#include "rules/rules.h"

enum { JSON };

static const struct cli_option scenarios_options[] = {
    [JSON] = {"--json", NULL, "a list of objects"},
    {NULL, NULL, NULL},
};

static json_t *words(const char *const *list, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++) json_array_append_new(array, json_string(list[i]));
  return array;
}

static const struct scn_file *file_of(const struct cli_plan *plan, const struct scn_scenario *s) {
  for (size_t i = 0; i < plan->library.count; i++)
    if (strcmp(plan->library.files[i]->id, s->id) == 0) return plan->library.files[i];
  return NULL;
}

static json_t *settings(const struct scn_scenario *s) {
  json_t *o = json_object();
  for (size_t i = 0; i < s->setting_count; i++)
    json_object_set_new(o, s->settings[i].key, json_string(s->settings[i].value));
  return o;
}

/* The runs of a scenario follow each other in the plan. */
static size_t scenario_json(const struct cli_plan *plan, size_t i, json_t *list) {
  const struct scn_scenario *first = plan->runs[i].scenario;
  const struct scn_file *file = file_of(plan, first);
  json_t *runs = json_array(), *o = json_object();
  for (; i < plan->count && strcmp(plan->runs[i].scenario->id, first->id) == 0; i++) {
    json_t *run = json_object();
    json_object_set_new(run, "scenario", json_string(plan->runs[i].scenario->name));
    json_object_set_new(run, "parameters", settings(plan->runs[i].scenario));
    json_array_append_new(runs, run);
  }
  json_object_set_new(o, "id", json_string(first->id));
  json_object_set_new(o, "title", json_string(first->title));
  json_object_set_new(o, "topic", json_string(first->topic));
  json_object_set_new(o, "about", json_string(first->about ? first->about : ""));
  json_object_set_new(o, "path", json_string(file ? file->path : ""));
  json_object_set_new(o, "catalogue", words(first->catalogue, first->catalogue_count));
  json_object_set_new(o, "covers", words(first->covers, first->cover_count));
  json_object_set_new(o, "runs", runs);
  json_array_append_new(list, o);
  return i;
}

static void print_json(const struct cli_plan *plan) {
  json_t *list = json_array();
  for (size_t i = 0; i < plan->count;) i = scenario_json(plan, i, list);
  json_dumpf(list, stdout, JSON_INDENT(1));
  fputc('\n', stdout);
  json_decref(list);
}

static void print_text(const struct cli_plan *plan) {
  const char *topic = NULL;
  size_t scenarios = 0;
  for (size_t i = 0; i < plan->count;) {
    const struct scn_scenario *s = plan->runs[i].scenario;
    size_t first = i;
    while (i < plan->count && strcmp(plan->runs[i].scenario->id, s->id) == 0) i++;
    if (!topic || strcmp(topic, s->topic) != 0) printf("%s%s\n", topic ? "\n" : "", s->topic);
    topic = s->topic;
    printf("  %-44s %s\n", s->id, s->title);
    if (i - first > 1) printf("  %-44s %zu runs\n", "", i - first);
    scenarios++;
  }
  printf("\n%zu scenarios, %zu runs\n", scenarios, plan->count);
}

int cli_scenarios(int count, char **arguments) {
  struct cli_parser p = {.command = "scenarios",
                         .usage = "[SELECTOR...] [--json]",
                         .about = "Lists the scenarios that a selector chooses; without one, all.",
                         .options = scenarios_options,
                         .arguments = arguments,
                         .count = count};
  const char *selectors[CLI_MAX_SELECTORS];
  size_t n = 0;
  bool json = false;
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_OK;
    if (option == CLI_BAD) return CLI_USAGE;
    if (option == JSON) json = true;
    if (option != CLI_POSITIONAL) continue;
    if (!cli_append(&p, "selectors", selectors, CLI_MAX_SELECTORS, &n)) return CLI_USAGE;
  }
  struct cli_plan plan;
  struct cli_wish wish = {.command = "scenarios",
                          .selectors = selectors,
                          .selector_count = n,
                          .seed = 1,
                          .repeat = 1,
                          .extra = ""};
  bool ok = cli_plan_make(&plan, &wish);
  if (ok && json) print_json(&plan);
  if (ok && !json) print_text(&plan);
  cli_plan_free(&plan);
  return ok ? CLI_OK : CLI_USAGE;
}
