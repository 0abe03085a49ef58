/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus interop: every stack against the conformance scenarios, every client against every server.
 */
#include "cli/interop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/listing.h"
#include "cli/python.h"
#include "cli/run_options.h"
#include "run/results.h"
#include "run/waivers.h"
#include "text/text.h"

enum { MAX_SELECTORS = 64, MAX_STACKS = 64, JOBS = 72 };

/* Rules that judge by samples: with chance on their side, runs may differ. */
static const char *const statistical[] = {
    "GC-2.3.4-06", "GC-2.3.4-07", "COAP-8.2-03", "COAP-8.2-04", "COAP-8.2-05",
};

struct interop_options {
  const char *stacks[MAX_STACKS];
  size_t stack_count;
  const char *selectors[MAX_SELECTORS];
  size_t selector_count;
  uint64_t ip; /* 4 or 6; 0: both */
  uint64_t seed, jobs;
  enum jdg_profile profile;
  chorus_time longest;
  bool strict, json, no_report;
  const char *out;
};

enum { SELECT, SEED, INTEROP_JOBS, PROFILE, STRICT, OUT, JSON, NO_REPORT, LONGEST, IP };

static const struct cli_option interop_options[] = {
    [SELECT] = {"--select", "SELECTOR", "only these scenarios, topics or rules (several times)"},
    [SEED] = {"--seed", "N", "seed of the network's randomness (1)"},
    [INTEROP_JOBS] = {"--jobs", "N", "runs at the same time (72: they wait more than they work)"},
    [PROFILE] = {"--profile", "P", "dijk-03, rfc7390 or bis-18 (dijk-03)"},
    [STRICT] = {"--strict", NULL, "a broken SHOULD fails"},
    [OUT] = {"--out", "DIR", "folder for captures, events and results (chorus-interop)"},
    [JSON] = {"--json", NULL, "results on standard output"},
    [NO_REPORT] = {"--no-report", NULL, "no HTML"},
    [LONGEST] = {"--longest", "TIME", "leave out longer runs, but for the topic sampled (210s)"},
    [IP] = {"--ip", "4|6", "only this IP version"},
    {NULL, NULL, NULL},
};

static bool take_ip(const struct cli_parser *p, struct interop_options *o) {
  if (!cli_number(p, "--ip", 4, 6, &o->ip)) return false;
  if (o->ip != 5) return true;
  cli_usage(p, "--ip is 4 or 6");
  return false;
}

static bool take(struct cli_parser *p, int option, struct interop_options *o) {
  switch (option) {
    case CLI_POSITIONAL: return cli_append(p, "stacks", o->stacks, MAX_STACKS, &o->stack_count);
    case SELECT: return cli_append(p, "selectors", o->selectors, MAX_SELECTORS, &o->selector_count);
    case SEED: return cli_number(p, "--seed", 0, UINT64_MAX, &o->seed);
    case INTEROP_JOBS: return cli_number(p, "--jobs", 1, 256, &o->jobs);
    case PROFILE: return cli_profile(p, &o->profile);
    case STRICT: return o->strict = true;
    case OUT: o->out = p->value; return true;
    case JSON: return o->json = true;
    case NO_REPORT: return o->no_report = true;
    case LONGEST: return cli_duration(p, "--longest", &o->longest);
    case IP: return take_ip(p, o);
    default: return false;
  }
}

static int parse(int count, char **arguments, struct interop_options *o) {
  struct cli_parser p = {
      .command = "interop",
      .usage = "[STACK...] [options]   or   setup [STACK...]",
      .about =
          "Runs stacks under test on the real IP stack: each against the conformance scenarios of\n"
          "its roles, and every client against every server. A STACK is a manifest, or the name "
          "of\n"
          "one of our adapters; without one, all adapters whose stacks are installed.\n"
          "`chorus interop setup` installs them from the package registries.",
      .options = interop_options,
      .arguments = arguments,
      .count = count};
  *o = (struct interop_options){.seed = 1,
                                .jobs = JOBS,
                                .profile = JDG_DIJK_03,
                                .longest = 210 * CHORUS_SECOND,
                                .out = "chorus-interop"};
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD || !take(&p, option, o)) return CLI_BAD;
  }
  return CLI_END;
}

/* ---- the plan ---- */

/* All runs; scenarios belong to |base|, and are shared by the runs of all stacks. */
struct interop_plan {
  struct cli_plan base, all;
  bool no_memory;
};

static void add_run(struct interop_plan *plan, const struct cli_planned *model,
                    const struct cli_stack *client, const struct cli_stack *server) {
  struct txt_buffer file = {0}, reproduce = {0};
  struct cli_planned run = {.scenario = model->scenario,
                            .seed = model->seed,
                            .stacks = {client, server},
                            .deciding = client && server ? RUN_INTEROP_DECIDES : RUN_RULES_DECIDE};
  txt_print(&reproduce, "%s", model->reproduce);
  if (model->scenario->end > CLI_LONGEST)
    txt_print(&reproduce, " --longest %llus",
              (unsigned long long)((model->scenario->end + CHORUS_SECOND - 1) / CHORUS_SECOND));
  if (client) txt_print(&file, "%s%s+", client->manifest->name, server ? "" : "-client");
  if (server) txt_print(&file, "%s%s+", server->manifest->name, client ? "" : "-server");
  txt_print(&file, "%s", model->file);
  if (client) cli_stack_option(&reproduce, "--client", client->name);
  if (server) cli_stack_option(&reproduce, "--server", server->name);
  run.file = file.data;
  run.reproduce = reproduce.data;
  if ((plan->all.count & (plan->all.count - 1)) == 0) {
    size_t capacity = plan->all.count ? 2 * plan->all.count : 1;
    struct cli_planned *grown = realloc(plan->all.runs, capacity * sizeof *grown);
    if (!grown) {
      plan->no_memory = true;
      return;
    }
    plan->all.runs = grown;
  }
  plan->all.runs[plan->all.count++] = run;
}

static bool plays(const struct cli_stack *stack, enum scn_role role) {
  return cli_stack_available(stack) && sut_part_for(stack->manifest, role);
}

static void add_pairs(struct interop_plan *plan, const struct cli_planned *model,
                      const struct cli_stack *stacks, size_t count) {
  for (size_t c = 0; c < count; c++)
    for (size_t s = 0; s < count; s++)
      if (plays(&stacks[c], SCN_CLIENT) && plays(&stacks[s], SCN_SERVER))
        add_run(plan, model, &stacks[c], &stacks[s]);
}

static void add_all(struct interop_plan *plan, const struct cli_planned *model,
                    const struct cli_stack *stacks, size_t count) {
  const char *topic = model->scenario->topic;
  bool client = strcmp(topic, "client") == 0;
  if (strcmp(topic, "interop") == 0) {
    add_pairs(plan, model, stacks, count);
    return;
  }
  for (size_t i = 0; i < count; i++)
    if (plays(&stacks[i], client ? SCN_CLIENT : SCN_SERVER))
      add_run(plan, model, client ? &stacks[i] : NULL, client ? NULL : &stacks[i]);
}

/* The longest first, so that none is left alone at the end; else in the order of the plan. */
static int by_length(const void *a, const void *b) {
  const struct cli_planned *x = a, *y = b;
  chorus_time p = x->scenario->end, q = y->scenario->end;
  if (p != q) return p < q ? 1 : -1;
  return strcmp(x->file, y->file);
}

static bool is_wanted(const struct interop_options *o, const struct scn_scenario *s) {
  if (o->ip && s->network.ip != o->ip) return false;
  return s->end <= o->longest || strcmp(s->topic, "sampled") == 0;
}

static bool make_plan(struct interop_plan *plan, const struct interop_options *o,
                      const struct cli_stack *stacks, size_t count) {
  static const char *const topics[] = {"client",  "server",        "message", "discovery",
                                       "sampled", "amplification", "interop"};
  char extra[80];
  snprintf(extra, sizeof extra, " --backend kernel%s%s%s",
           o->profile == JDG_DIJK_03 ? "" : " --profile ",
           o->profile == JDG_DIJK_03 ? "" : jdg_profile_name(o->profile),
           o->strict ? " --strict" : "");
  struct cli_wish wish = {
      .command = "interop",
      .selectors = o->selector_count ? o->selectors : topics,
      .selector_count = o->selector_count ? o->selector_count : sizeof topics / sizeof *topics,
      .seed = o->seed,
      .repeat = 1,
      .own_resources = true,
      .anywhere = true,
      .extra = extra};
  if (!cli_plan_make(&plan->base, &wish)) return false;
  for (size_t i = 0; i < plan->base.count; i++)
    if (is_wanted(o, plan->base.runs[i].scenario))
      add_all(plan, &plan->base.runs[i], stacks, count);
  if (plan->all.count)
    qsort(plan->all.runs, plan->all.count, sizeof *plan->all.runs, by_length);
  else
    fprintf(stderr, "chorus interop: no run is left\n");
  return plan->all.count > 0 && !plan->no_memory;
}

static void free_plan(struct interop_plan *plan) {
  for (size_t i = 0; i < plan->all.count; i++) {
    free(plan->all.runs[i].file);
    free(plan->all.runs[i].reproduce);
  }
  free(plan->all.runs);
  cli_plan_free(&plan->base);
}

/* ---- results ---- */

static json_t *roles_of(const struct sut_manifest *manifest) {
  json_t *roles = json_array();
  for (int role = 0; role < SUT_ROLES; role++)
    if (manifest->parts[role]) json_array_append_new(roles, json_string(sut_role_names[role]));
  return roles;
}

static json_t *describe(const struct cli_stack *stacks, size_t count) {
  json_t *list = json_array(), *rules = json_array();
  for (size_t i = 0; i < count; i++) {
    const struct cli_stack *s = &stacks[i];
    bool available = cli_stack_available(s);
    json_t *o = json_pack("{s:s, s:s?, s:s, s:o, s:s, s:b, s:s?}", "name", s->manifest->name,
                          "version", available ? s->version : NULL, "adapter", s->name, "roles",
                          roles_of(s->manifest), "manifest", s->manifest->path, "available",
                          available, "why", available ? NULL : s->why);
    json_array_append_new(list, o);
  }
  for (size_t i = 0; i < sizeof statistical / sizeof *statistical; i++)
    json_array_append_new(rules, json_string(statistical[i]));
  return json_pack("{s:o, s:o}", "stacks", list, "statistical", rules);
}

static json_t *apply_waivers(const struct cli_stack *stacks, size_t count, json_t *runs) {
  json_t *all = json_array();
  char today[16];
  cli_today(today, sizeof today);
  for (size_t i = 0; i < count; i++) {
    struct scn_errors errors;
    char *text = cli_stack_available(&stacks[i]) ? sut_waivers_text(stacks[i].manifest) : NULL;
    if (!text) continue;
    scn_errors_init(&errors);
    struct run_waivers *waivers =
        run_waivers_parse(stacks[i].manifest->path, text, strlen(text), &errors);
    json_t *used = waivers ? run_waivers_apply(waivers, runs, today) : NULL;
    if (used) json_array_extend(all, used);
    json_decref(used);
    run_waivers_free(waivers);
    scn_errors_free(&errors);
    free(text);
  }
  return all;
}

static int report(const struct interop_options *o, json_t *results) {
  char path[4096], folder[4096];
  snprintf(path, sizeof path, "%s/results.json", o->out);
  snprintf(folder, sizeof folder, "%s/report", o->out);
  if (!run_write_json(results, path)) {
    fprintf(stderr, "chorus interop: cannot write %s: %s\n", path, strerror(errno));
    return CLI_ERROR;
  }
  if (o->json) {
    json_dumpf(results, stdout, JSON_INDENT(1));
    fputc('\n', stdout);
    return CLI_OK;
  }
  cli_list_stacks(results, stdout);
  cli_list_counts(results, stdout);
  printf("results  %s\n", path);
  if (!o->no_report && cli_write_report(path, folder)) printf("report   %s/index.html\n", folder);
  return CLI_OK;
}

static int finish(const struct interop_options *o, const struct cli_batch *batch,
                  const struct cli_stack *stacks, size_t count, json_t *runs) {
  bool interrupted = cli_interrupted(batch->interrupt);
  json_t *waivers = apply_waivers(stacks, count, runs);
  json_t *results = run_results(jdg_profile_name(o->profile), net_backend_name(NET_KERNEL), runs,
                                waivers, interrupted);
  json_object_set_new(results, "interop", describe(stacks, count));
  int written = report(o, results);
  const json_t *summary = json_object_get(results, "summary");
  const char *verdict = json_string_value(json_object_get(summary, "verdict"));
  int code = cli_exit_code(verdict ? verdict : "error", o->strict);
  json_decref(results);
  if (interrupted) {
    fprintf(stderr, "chorus interop: interrupted; what was captured so far is complete\n");
    return CLI_INTERRUPTED;
  }
  return written != CLI_OK || batch->io_failed || batch->no_memory ? CLI_ERROR : code;
}

static int run_all(const struct interop_options *o, const struct cli_stack *stacks, size_t count) {
  struct interop_plan plan = {.no_memory = false};
  if (!cli_batch_enter("interop", NET_KERNEL)) return CLI_ERROR;
  struct cli_batch batch = {.command = "interop",
                            .plan = &plan.all,
                            .interrupt = cli_interrupt_watch(),
                            .profile = o->profile,
                            .strict = o->strict,
                            .backend = NET_KERNEL,
                            .jobs = (unsigned)o->jobs,
                            .out = o->out};
  int code = CLI_USAGE;
  if (make_plan(&plan, o, stacks, count)) {
    json_t *runs = cli_make_folder("interop", o->out) ? cli_batch_run(&batch) : NULL;
    code = runs ? finish(o, &batch, stacks, count, runs) : CLI_ERROR;
  }
  free_plan(&plan);
  return code;
}

/* ---- stacks ---- */

/* Says which stacks are left out; false when nothing is left. */
static bool any_available(const struct cli_stack *stacks, size_t count, bool named) {
  size_t available = 0, missing = 0;
  for (size_t i = 0; i < count; i++) {
    if (cli_stack_available(&stacks[i])) {
      available++;
      continue;
    }
    missing++;
    fprintf(stderr, "chorus interop: left out: %s\n", stacks[i].why);
  }
  if (available == 0) fprintf(stderr, "chorus interop: no stack is installed\n");
  return available > 0 && !(named && missing);
}

int cli_interop(int count, char **arguments) {
  struct interop_options o;
  struct cli_stack stacks[MAX_STACKS];
  if (count > 0 && strcmp(arguments[0], "setup") == 0)
    return cli_interop_setup(count - 1, arguments + 1);
  int parsed = parse(count, arguments, &o);
  if (parsed == CLI_HELP) return CLI_OK;
  if (parsed == CLI_BAD) return CLI_USAGE;
  bool named = o.stack_count > 0;
  size_t loaded = 0;
  bool ok = cli_stacks_load(stacks, MAX_STACKS, &loaded, "interop", o.stacks, o.stack_count);
  int code = CLI_USAGE;
  if (ok) code = any_available(stacks, loaded, named) ? run_all(&o, stacks, loaded) : CLI_ERROR;
  for (size_t i = 0; i < loaded; i++) cli_stack_free(&stacks[i]);
  return code;
}
