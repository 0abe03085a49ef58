/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus mutants */
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/mutants.h"
#include "cli/plan.h"
#include "cli/run_options.h"
#include "mutants/mutants.h"
#include "rules/rules.h"
#include "run/pool.h"
#include "scenario/units.h"

enum { JSON, JOBS };

static const struct cli_option mutants_options[] = {
    [JSON] = {"--json", NULL, "a list of objects"},
    [JOBS] = {"--jobs", "N", "mutants at the same time (number of processors)"},
    {NULL, NULL, NULL},
};

const char *cli_mutant_of_rule(const char *rule, size_t n) {
  for (size_t i = 0; i < mut_count(); i++) {
    const struct mutant *m = mut_get(i);
    if (m->rule && strcmp(m->rule, rule) == 0 && n-- == 0) return m->id;
  }
  return NULL;
}

/* ---- what is asked for ---- */

struct matrix {
  const struct mutant **mutants;
  struct mut_result *results;
  size_t count;
  struct cli_plan plan;
  bool json;
  uint64_t jobs;
  struct cli_interrupt *interrupt;
  atomic_bool no_memory;
};

static const char *nearest(const char *word) {
  const char **words = calloc(mut_count() + 1, sizeof(const char *));
  for (size_t i = 0; words && i < mut_count(); i++) words[i] = mut_get(i)->id;
  const char *near = words ? scn_nearest(word, words, mut_count()) : NULL;
  free(words);
  return near ? near : rule_nearest(word);
}

static bool selects(const struct cli_parser *p, const char *selector) {
  for (size_t i = 0; i < mut_count(); i++)
    if (mut_selected(mut_get(i), selector)) return true;
  const char *near = nearest(selector);
  if (rule_find(selector))
    cli_usage(p, "rule %s has no mutant", selector);
  else
    cli_usage(p, "there is no mutant \"%s\"%s%s%s", selector, near ? "; did you mean " : "",
              near ? near : "", near ? "?" : "");
  return false;
}

static bool choose(struct matrix *m, const char *const *selectors, size_t count) {
  m->mutants = calloc(mut_count() + 1, sizeof(const struct mutant *));
  m->results = calloc(mut_count() + 1, sizeof *m->results);
  if (!m->mutants || !m->results) return false;
  for (size_t i = 0; i < mut_count(); i++) {
    bool chosen = count == 0;
    for (size_t k = 0; k < count && !chosen; k++) chosen = mut_selected(mut_get(i), selectors[k]);
    if (chosen) m->mutants[m->count++] = mut_get(i);
  }
  return true;
}

static int parse(int count, char **arguments, struct matrix *m) {
  struct cli_parser p = {
      .command = "mutants",
      .usage = "[SELECTOR...] [--json] [--jobs N]",
      .about =
          "Makes the reference wrong in one way at a time and shows which rules notice. A\n"
          "SELECTOR is a mutant, a rule, the number of a historical bug (M7), or a glob over\n"
          "these; without one, all mutants run.",
      .options = mutants_options,
      .arguments = arguments,
      .count = count};
  const char *selectors[CLI_MAX_SELECTORS];
  size_t n = 0;
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD) return CLI_BAD;
    if (option == JSON) m->json = true;
    if (option == JOBS && !cli_number(&p, "--jobs", 1, 256, &m->jobs)) return CLI_BAD;
    if (option != CLI_POSITIONAL) continue;
    if (!selects(&p, p.value)) return CLI_BAD;
    if (!cli_append(&p, "selectors", selectors, CLI_MAX_SELECTORS, &n)) return CLI_BAD;
  }
  return choose(m, selectors, n) ? CLI_END : CLI_BAD;
}

/* ---- running ---- */

static bool covers(const struct scn_scenario *scenario, const char *rule) {
  for (size_t i = 0; i < scenario->cover_count; i++)
    if (strcmp(scenario->covers[i], rule) == 0) return true;
  return false;
}

/* A control runs everywhere. */
static bool is_stage(const struct mutant *mutant, const struct scn_scenario *scenario) {
  if (mutant->scenario) return strcmp(mutant->scenario, scenario->id) == 0;
  return !mutant->rule || covers(scenario, mutant->rule);
}

static bool do_mutant(void *context, struct run_engine *engine, size_t index) {
  struct matrix *m = context;
  const struct mutant *mutant = m->mutants[index];
  for (size_t i = 0; i < m->plan.count && m->results[index].verdict != MUT_KILLED; i++) {
    const struct cli_planned *run = &m->plan.runs[i];
    if (cli_interrupted(m->interrupt)) return false;
    if (!is_stage(mutant, run->scenario)) continue;
    if (mut_try(engine, mutant, run->scenario, run->seed, &m->results[index])) continue;
    atomic_store(&m->no_memory, true);
    return false;
  }
  return true;
}

/* ---- printing ---- */

static json_t *text_or_null(const char *text) {
  return text ? json_string(text) : json_null();
}

static json_t *row_json(const struct mutant *mutant, const struct mut_result *r) {
  json_t *o = json_object(), *found = json_array();
  for (size_t i = 0; i < r->found_count; i++)
    json_array_append_new(found, json_string(r->found[i]->id));
  json_object_set_new(o, "id", json_string(mutant->id));
  json_object_set_new(o, "breaks", text_or_null(mutant->breaks));
  json_object_set_new(o, "rule", text_or_null(mutant->rule));
  json_object_set_new(o, "verdict", json_string(mut_verdict_name(r->verdict)));
  json_object_set_new(o, "killed_by", found);
  json_object_set_new(o, "scenario", text_or_null(r->scenario ? r->scenario->name : NULL));
  json_object_set_new(o, "profile", json_string(jdg_profile_name(r->profile)));
  json_object_set_new(o, "level",
                      mutant->rule ? json_string(jdg_level_name(r->level)) : json_null());
  json_object_set_new(o, "historical", text_or_null(mutant->historical));
  json_object_set_new(o, "applied", json_integer((json_int_t)r->applied));
  json_object_set_new(o, "trials", json_integer((json_int_t)r->trials));
  return o;
}

static void print_json(const struct matrix *m) {
  json_t *list = json_array();
  for (size_t i = 0; i < m->count; i++)
    json_array_append_new(list, row_json(m->mutants[i], &m->results[i]));
  json_dumpf(list, stdout, JSON_INDENT(1));
  fputc('\n', stdout);
  json_decref(list);
}

static bool is_as_it_should(const struct mutant *mutant, const struct mut_result *r) {
  return r->verdict == (mutant->rule ? MUT_KILLED : MUT_SURVIVED);
}

static void print_others(const struct mutant *mutant, const struct mut_result *r) {
  size_t column = 0;
  for (size_t i = 0; i < r->found_count; i++) {
    if (mutant->rule && strcmp(r->found[i]->id, mutant->rule) == 0) continue;
    if (column == 0) printf("%20s also by", "");
    column += (size_t)printf(" %s", r->found[i]->id);
    if (column > 60) printf("\n");
    if (column > 60) column = 0;
  }
  if (column) printf("\n");
}

static void print_reason(const struct mutant *mutant, const struct mut_result *r) {
  if (is_as_it_should(mutant, r)) return;
  const char *why = r->control_failed ? "the rule does not pass without mutation either" : NULL;
  if (r->trials == 0) why = "no scenario covers the rule";
  if (why) printf("%20s %s\n", "", why);
}

static void print_row(const struct mutant *mutant, const struct mut_result *r) {
  char historical[16] = "";
  if (mutant->historical) snprintf(historical, sizeof historical, " (%s)", mutant->historical);
  printf("%s %-18s %s%s\n", is_as_it_should(mutant, r) ? " " : "!",
         mutant->rule ? mutant->rule : "(no rule)", mutant->id, historical);
  printf("%20s %s\n", "", mutant->breaks ? mutant->breaks : "Nothing is wrong: a control.");
  printf("%20s %s%s%s\n", "", mut_verdict_name(r->verdict), r->scenario ? " in " : "",
         r->scenario ? r->scenario->name : "");
  print_others(mutant, r);
  print_reason(mutant, r);
}

static void print_text(const struct matrix *m) {
  size_t count[3] = {0}, wrong = 0;
  for (size_t i = 0; i < m->count; i++) {
    print_row(m->mutants[i], &m->results[i]);
    count[m->results[i].verdict]++;
    wrong += !is_as_it_should(m->mutants[i], &m->results[i]);
  }
  printf("\n%zu mutants: %zu killed, %zu survived, %zu not applied; %zu not as they should (!)\n",
         m->count, count[MUT_KILLED], count[MUT_SURVIVED], count[MUT_NOT_APPLIED], wrong);
}

static int exit_code(const struct matrix *m) {
  for (size_t i = 0; i < m->count; i++)
    if (!is_as_it_should(m->mutants[i], &m->results[i])) return CLI_FAILED;
  return CLI_OK;
}

/* ---- the command ---- */

static int run(struct matrix *m) {
  struct cli_wish wish = {.command = "mutants", .seed = 1, .repeat = 1, .extra = ""};
  if (!cli_plan_make(&m->plan, &wish)) return CLI_USAGE;
  m->interrupt = cli_interrupt_watch();
  if (!run_pool(do_mutant, m, m->count, (unsigned)m->jobs)) atomic_store(&m->no_memory, true);
  if (cli_interrupted(m->interrupt)) {
    fprintf(stderr, "chorus mutants: interrupted; what survives is known at the end only\n");
    return CLI_INTERRUPTED;
  }
  if (atomic_load(&m->no_memory)) {
    fprintf(stderr, "chorus mutants: no memory\n");
    return CLI_ERROR;
  }
  if (m->json)
    print_json(m);
  else
    print_text(m);
  return exit_code(m);
}

int cli_mutants(int count, char **arguments) {
  struct matrix m = {.count = 0};
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  m.jobs = processors > 0 && processors < 256 ? (uint64_t)processors : 1;
  int parsed = parse(count, arguments, &m);
  int code = parsed == CLI_HELP ? CLI_OK : CLI_USAGE;
  if (parsed == CLI_END) {
    code = run(&m);
    cli_plan_free(&m.plan);
  }
  for (size_t i = 0; i < m.count; i++) mut_result_free(&m.results[i]);
  free(m.mutants);
  free(m.results);
  return code;
}
