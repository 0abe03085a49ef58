/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/rules.h"
#include "text/text.h"

/* ---- selectors ---- */

static bool is_path(const char *selector) {
  size_t n = strlen(selector);
  return n > 5 && strcmp(selector + n - 5, ".yaml") == 0;
}

static void nothing_selected(const struct cli_plan *plan, const struct cli_wish *wish,
                             const char *selector) {
  const struct rule *rule = rule_find(selector);
  const char *near = scn_library_nearest(&plan->library, selector);
  fprintf(stderr, "chorus %s: nothing matches \"%s\": ", wish->command, selector);
  if (rule)
    fprintf(stderr, "no scenario covers this rule yet\n");
  else
    fprintf(stderr, "no scenario, topic or covered rule%s%s%s\n", near ? "; did you mean " : "",
            near ? near : "", near ? "?" : "");
}

static bool file_is_wanted(const char *selector, const struct scn_file *file,
                           const struct scn_variant *variant) {
  if (is_path(selector)) return strcmp(selector, file->path) == 0;
  return scn_selected(file, variant, selector);
}

static bool is_wanted(const struct cli_wish *wish, const struct scn_file *file,
                      const struct scn_variant *variant) {
  for (size_t i = 0; i < wish->selector_count; i++)
    if (file_is_wanted(wish->selectors[i], file, variant)) return true;
  return wish->selector_count == 0;
}

/* Every selector has to select something (hole W1 of other suites). */
static bool each_selects(const struct cli_plan *plan, const struct cli_wish *wish) {
  bool all = true;
  for (size_t i = 0; i < wish->selector_count; i++) {
    bool any = false;
    for (size_t f = 0; f < plan->library.count && !any; f++)
      for (size_t v = 0; v < plan->library.files[f]->variant_count && !any; v++)
        any = file_is_wanted(wish->selectors[i], plan->library.files[f],
                             &plan->library.files[f]->variants[v]);
    if (!any) nothing_selected(plan, wish, wish->selectors[i]);
    all = all && any;
  }
  return all;
}

static bool read_files(struct cli_plan *plan, const struct cli_wish *wish) {
  struct scn_errors errors;
  bool ok = true, library = wish->selector_count == 0;
  scn_errors_init(&errors);
  for (size_t i = 0; i < wish->selector_count; i++) {
    if (is_path(wish->selectors[i]))
      ok = scn_library_add(&plan->library, wish->selectors[i], &errors) && ok;
    else
      library = true;
  }
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  if (!ok || !library) return ok;
  return cli_read_library(&plan->library, NULL);
}

/* ---- rules that scenarios name ---- */

static void complain_rule(const struct scn_file *file, const char *id, const char *why,
                          struct scn_errors *errors) {
  const char *at = strstr(file->text, id);
  uint32_t line = at ? 1 : 0, column = at ? 1 : 0;
  for (const char *p = file->text; at && p < at; p++) {
    column = *p == '\n' ? 1 : column + 1;
    if (*p == '\n') line++;
  }
  scn_errors_add(errors, file->path, file->text, line, column, (uint32_t)strlen(id), "covers: %s",
                 why);
}

/* One that does not exist, or that nothing looks for, could never be exercised. */
static bool can_be_covered(const struct scn_file *file, const char *id, struct scn_errors *errors) {
  const struct rule *rule = rule_find(id);
  const char *near = rule ? NULL : rule_nearest(id);
  char why[200];
  if (rule && rule_check_of(rule)) return true;
  if (rule)
    snprintf(why, sizeof why, "rule %s is planned, and not implemented yet", id);
  else
    snprintf(why, sizeof why, "there is no rule \"%s\"%s%s%s", id, near ? "; did you mean " : "",
             near ? near : "", near ? "?" : "");
  complain_rule(file, id, why, errors);
  return false;
}

/* The loader knows no catalogue. */
static bool rules_exist(const struct scn_library *library, struct scn_errors *errors) {
  size_t before = errors->total;
  for (size_t f = 0; f < library->count; f++)
    for (size_t i = 0; i < library->files[f]->cover_count; i++)
      can_be_covered(library->files[f], library->files[f]->covers[i], errors);
  return errors->total == before;
}

/* ---- combinations with --set ---- */

static const char *setting_of(const struct cli_wish *wish, const char *key) {
  for (size_t i = wish->setting_count; i-- > 0;)
    if (scn_same_setting(wish->settings[i].key, key)) return wish->settings[i].value;
  return NULL;
}

struct combination {
  struct scn_setting settings[64];
  size_t count;
};

/* The variant's settings with those of --set on top, which also may add new ones. */
static void combine(const struct scn_variant *v, const struct cli_wish *wish,
                    struct combination *c) {
  c->count = 0;
  for (size_t i = 0; i < v->setting_count && c->count < 64; i++) {
    const char *value = setting_of(wish, v->settings[i].key);
    c->settings[c->count] = v->settings[i];
    if (value) c->settings[c->count].value = value;
    c->count++;
  }
  for (size_t i = 0; i < wish->setting_count && c->count < 64; i++) {
    bool known = false;
    for (size_t k = 0; k < c->count; k++)
      known = known || scn_same_setting(c->settings[k].key, wish->settings[i].key);
    if (!known) c->settings[c->count++] = wish->settings[i];
  }
}

static void name_combination(const char *id, const struct combination *c, struct txt_buffer *name) {
  txt_print(name, "%s", id);
  for (size_t i = 0; i < c->count; i++)
    txt_print(name, "%s%s=%s", i ? "," : "[", c->settings[i].key, c->settings[i].value);
  if (c->count) txt_print(name, "]");
}

static bool planned_already(const struct cli_plan *plan, const char *name) {
  for (size_t i = 0; i < plan->count; i++)
    if (strcmp(plan->runs[i].scenario->name, name) == 0) return true;
  return false;
}

/* ---- runs ---- */

static void add_path(struct txt_buffer *out, const char *path, bool anywhere) {
  struct txt_buffer whole = {0};
  if (anywhere) cli_whole_path(&whole, path);
  txt_word(out, whole.data ? whole.data : path);
  txt_free(&whole);
}

static char *reproduction(const struct scn_file *file, bool by_path,
                          const struct scn_scenario *scenario, uint64_t seed,
                          const struct cli_wish *wish) {
  struct txt_buffer out = {0};
  txt_print(&out, "chorus run ");
  if (by_path)
    add_path(&out, file->path, wish->anywhere);
  else
    txt_word(&out, file->id);
  for (size_t i = 0; i < scenario->setting_count; i++) {
    struct txt_buffer setting = {0};
    txt_print(&setting, "%s=%s", scenario->settings[i].key, scenario->settings[i].value);
    txt_print(&out, " --set ");
    txt_word(&out, setting.data);
    txt_free(&setting);
  }
  txt_print(&out, " --seed %llu%s", (unsigned long long)seed, wish->extra);
  return out.data;
}

static bool file_name_taken(const struct cli_plan *plan, const char *name) {
  for (size_t i = 0; i < plan->count; i++)
    if (plan->runs[i].file && strcmp(plan->runs[i].file, name) == 0) return true;
  return false;
}

/* A name that any file system takes, and that no other run has. */
static char *file_name(const struct cli_plan *plan, const char *name, uint64_t seed,
                       bool with_seed) {
  struct txt_buffer out = {0};
  txt_print(&out, "%.150s", name);
  for (char *p = out.data; p && *p; p++) {
    if (*p == '[' || *p == ',') *p = '+';
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.=+", *p))
      *p = '_';
  }
  while (out.length && out.data[out.length - 1] == '_') out.data[--out.length] = '\0';
  if (with_seed) txt_print(&out, "+seed=%llu", (unsigned long long)seed);
  size_t stem = out.length;
  for (unsigned n = 2; out.data && file_name_taken(plan, out.data); n++) {
    out.length = stem;
    txt_print(&out, "-%u", n);
  }
  return out.data;
}

static void free_run(struct cli_planned *run) {
  scn_free(run->scenario);
  free(run->file);
  free(run->reproduce);
}

static bool add_run(struct cli_plan *plan, const struct cli_planned *run) {
  if (plan->count == CLI_RUNS_MOST) {
    plan->too_many = true;
    return false;
  }
  if ((plan->count & (plan->count - 1)) == 0) {
    size_t capacity = plan->count ? 2 * plan->count : 1;
    struct cli_planned *grown = realloc(plan->runs, capacity * sizeof *grown);
    if (!grown) return false;
    plan->runs = grown;
  }
  plan->runs[plan->count++] = *run;
  return true;
}

/* A sweep over seeds keeps its seeds; a seed that the file gives gives way to --seed. */
static uint64_t first_seed(const struct scn_scenario *s, const struct cli_wish *wish) {
  for (size_t i = 0; i < s->setting_count; i++)
    if (strcmp(s->settings[i].key, "seed") == 0) return s->seed;
  return s->has_seed && !wish->has_seed ? s->seed : wish->seed;
}

static bool add_repeats(struct cli_plan *plan, const struct cli_wish *wish,
                        const struct scn_file *file, bool by_path, const struct combination *c,
                        const char *name, struct scn_errors *errors) {
  for (uint64_t k = 0; k < wish->repeat; k++) {
    struct scn_scenario *s = scn_load(file, name, c->settings, c->count, errors);
    if (!s) return false;
    uint64_t seed = first_seed(s, wish) + k;
    struct cli_planned run = {.scenario = s, .seed = seed};
    run.file = file_name(plan, name, seed, wish->repeat > 1);
    run.reproduce = reproduction(file, by_path, s, seed, wish);
    if (run.file && run.reproduce && add_run(plan, &run)) continue;
    free_run(&run);
    return false;
  }
  return true;
}

static bool add_variant(struct cli_plan *plan, const struct cli_wish *wish,
                        const struct scn_file *file, const struct scn_variant *variant,
                        struct scn_errors *errors) {
  struct combination c;
  struct txt_buffer name = {0};
  bool by_path = false;
  for (size_t i = 0; i < wish->selector_count; i++)
    by_path = by_path || strcmp(wish->selectors[i], file->path) == 0;
  combine(variant, wish, &c);
  name_combination(file->id, &c, &name);
  bool ok = name.data != NULL;
  if (ok && !planned_already(plan, name.data))
    ok = add_repeats(plan, wish, file, by_path, &c, name.data, errors);
  txt_free(&name);
  return ok;
}

static bool add_file(struct cli_plan *plan, const struct cli_wish *wish, struct scn_file *file,
                     struct scn_errors *errors) {
  file->own_resources = wish->own_resources;
  for (size_t v = 0; v < file->variant_count; v++)
    if (is_wanted(wish, file, &file->variants[v]) &&
        !add_variant(plan, wish, file, &file->variants[v], errors))
      return false;
  return true;
}

bool cli_plan_make(struct cli_plan *plan, const struct cli_wish *wish) {
  struct scn_errors errors;
  *plan = (struct cli_plan){.runs = NULL};
  if (!read_files(plan, wish) || !each_selects(plan, wish)) return false;
  scn_errors_init(&errors);
  bool ok = rules_exist(&plan->library, &errors);
  for (size_t f = 0; f < plan->library.count && !plan->too_many; f++)
    ok = add_file(plan, wish, plan->library.files[f], &errors) && ok;
  if (plan->too_many)
    fprintf(stderr,
            "chorus %s: more than %d runs, whose results would take more than 7 GB of memory: ask "
            "for fewer at a time (--repeat, --set, selectors), or for random ones (run --fuzz)\n",
            wish->command, CLI_RUNS_MOST);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  if (ok && plan->count == 0) {
    fprintf(stderr, "chorus %s: there are no scenarios\n", wish->command);
    return false;
  }
  return ok;
}

void cli_plan_keep(struct cli_plan *plan, chorus_time longest) {
  size_t kept = 0;
  for (size_t i = 0; i < plan->count; i++) {
    if (plan->runs[i].scenario->end > longest)
      free_run(&plan->runs[i]);
    else
      plan->runs[kept++] = plan->runs[i];
  }
  plan->count = kept;
}

void cli_plan_free(struct cli_plan *plan) {
  for (size_t i = 0; i < plan->count; i++) free_run(&plan->runs[i]);
  free(plan->runs);
  scn_library_free(&plan->library);
}
