/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus run */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/listing.h"
#include "cli/plan.h"
#include "cli/progress.h"
#include "cli/python.h"
#include "cli/run_options.h"
#include "run/pool.h"
#include "run/results.h"
#include "run/text.h"
#include "run/waivers.h"
#include "scenario/units.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

/* ---- options ---- */

enum {
  BACKEND,
  SUT,
  SEED,
  REPEAT,
  JOBS,
  PROFILE,
  SET,
  STRICT,
  WAIVERS,
  OUT,
  JSON,
  FUZZ,
  TODAY,
  NO_REPORT,
  DILATE,
  LONGEST,
  ATTACH,
};

static const struct cli_option run_options[] = {
    [BACKEND] = {"--backend", "NAME", "sim (virtual time), kernel (namespaces, real time) (sim)"},
    [SUT] = {"--sut", "MANIFEST", "(not part of this version yet)"},
    [SEED] = {"--seed", "N", "seed of all randomness (1)"},
    [REPEAT] = {"--repeat", "K", "run K times, with seeds N, N+1, ..."},
    [JOBS] = {"--jobs", "N", "runs at the same time (number of processors)"},
    [PROFILE] = {"--profile", "P", "dijk-03, rfc7390 or bis-18 (dijk-03)"},
    [SET] = {"--set", "KEY=VALUE", "set a parameter, an axis or a place (nodes.s.count=9)"},
    [STRICT] = {"--strict", NULL, "a broken SHOULD fails"},
    [WAIVERS] = {"--waivers", "FILE", "known deviations"},
    [OUT] = {"--out", "DIR", "folder for captures, events and results (chorus-results)"},
    [JSON] = {"--json", NULL, "results on standard output; files only with --out"},
    [FUZZ] = {"--fuzz", "N", "N random scenarios, all from --seed"},
    [TODAY] = {"--today", "DATE", "the day by which waivers expire"},
    [NO_REPORT] = {"--no-report", NULL, "no HTML"},
    [DILATE] = {"--dilate", "N", "kernel: N virtual seconds in a real one (1)"},
    [LONGEST] = {"--longest", "TIME", "kernel: leave out runs of more real time (60s)"},
    [ATTACH] = {"--attach", "HOW", "kernel: auto, tap or packet (auto)"},
    {NULL, NULL, NULL},
};

static bool add_setting(const struct cli_parser *p, struct cli_run_options *o) {
  char *equals = strchr(p->value, '=');
  if (!equals || equals == p->value || o->setting_count == CLI_MAX_SETTINGS) {
    cli_usage(p, "--set wants KEY=VALUE, not \"%s\"", p->value);
    return false;
  }
  struct scn_setting *s = &o->settings[o->setting_count++];
  s->key = strndup(p->value, (size_t)(equals - p->value));
  s->value = equals + 1;
  return s->key != NULL;
}

static bool take_backend(const struct cli_parser *p, enum run_backend *backend) {
  static const char *const later[] = {"ns3", "wire"};
  for (int b = RUN_SIM; b <= RUN_KERNEL; b++)
    if (strcmp(p->value, run_backend_name((enum run_backend)b)) == 0) {
      *backend = (enum run_backend)b;
      return true;
    }
  for (size_t i = 0; i < 2; i++)
    if (strcmp(p->value, later[i]) == 0) {
      cli_usage(p, "the backend %s is not part of this version yet", p->value);
      return false;
    }
  cli_usage(p, "there is no backend \"%s\"; there are sim and kernel", p->value);
  return false;
}

static bool take_attachment(const struct cli_parser *p, enum krn_attachment *attachment) {
  for (int a = KRN_AUTO; a <= KRN_PACKET; a++)
    if (strcmp(p->value, krn_attachment_name((enum krn_attachment)a)) == 0) {
      *attachment = (enum krn_attachment)a;
      return true;
    }
  cli_usage(p, "--attach is auto, tap or packet, not \"%s\"", p->value);
  return false;
}

static bool take_longest(const struct cli_parser *p, chorus_time *longest) {
  if (scn_duration(p->value, longest) && *longest > 0) return true;
  cli_usage(p, "--longest wants a time such as 90s, not \"%s\"", p->value);
  return false;
}

static bool add_selector(struct cli_run_options *o, const char *selector) {
  if (o->selector_count == CLI_MAX_SELECTORS) return false;
  o->selectors[o->selector_count++] = selector;
  return true;
}

static bool take(struct cli_parser *p, int option, struct cli_run_options *o) {
  switch (option) {
    case CLI_POSITIONAL: return add_selector(o, p->value);
    case BACKEND: return take_backend(p, &o->backend);
    case SUT: cli_usage(p, "--sut is not part of this version yet"); return false;
    case SEED: return o->has_seed = cli_number(p, "--seed", 0, UINT64_MAX, &o->seed);
    case REPEAT: return cli_number(p, "--repeat", 1, 1000000, &o->repeat);
    case JOBS: return cli_number(p, "--jobs", 1, 256, &o->jobs);
    case PROFILE: return cli_profile(p, &o->profile);
    case SET: return add_setting(p, o);
    case STRICT: return o->strict = true;
    case WAIVERS: o->waivers = p->value; return true;
    case OUT: o->out = p->value; return true;
    case JSON: return o->json = true;
    case FUZZ: return cli_number(p, "--fuzz", 1, UINT32_MAX, &o->fuzz);
    case TODAY: o->today = p->value; return true;
    case NO_REPORT: return o->no_report = true;
    case DILATE: return cli_number(p, "--dilate", 1, 1000, &o->dilation);
    case LONGEST: return take_longest(p, &o->longest);
    case ATTACH: return take_attachment(p, &o->attachment);
    default: return false;
  }
}

/* The only place that looks at a clock: a waiver's last day. */
static void take_today(struct cli_run_options *o) {
  time_t now = time(NULL);
  struct tm day;
  if (!o->today && gmtime_r(&now, &day) &&
      strftime(o->today_text, sizeof o->today_text, "%Y-%m-%d", &day))
    o->today = o->today_text;
  if (!o->today) o->today = "1970-01-01";
}

enum { REAL_TIME_JOBS = 16 }; /* these runs wait more than they work */

/* What follows from several options together. */
static int settle(const struct cli_parser *p, struct cli_run_options *o) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  bool real_time = o->backend != RUN_SIM;
  if (!o->jobs && real_time) o->jobs = REAL_TIME_JOBS;
  if (!o->jobs) o->jobs = processors > 0 && processors < 256 ? (uint64_t)processors : 1;
  if (!real_time && (o->dilation || o->attachment != KRN_AUTO || o->longest)) {
    cli_usage(p, "--dilate, --longest and --attach belong to --backend kernel");
    return CLI_BAD;
  }
  if (!o->longest) o->longest = 60 * CHORUS_SECOND;
  if (!o->fuzz) return CLI_END;
  if (o->selector_count || o->setting_count) {
    cli_usage(p, "--fuzz makes its own scenarios: no selector and no --set with it");
    return CLI_BAD;
  }
  if (!real_time) return CLI_END;
  cli_usage(p, "--fuzz runs on the backend sim");
  return CLI_BAD;
}

static int parse(int count, char **arguments, struct cli_run_options *o) {
  struct cli_parser p = {
      .command = "run",
      .usage = "[SELECTOR...] [options]",
      .about =
          "Runs scenarios on an emulated network and judges what is seen. A SELECTOR is a\n"
          "scenario id, a topic folder, a rule id, a glob over these, or the path of a .yaml\n"
          "file; without one, all scenarios run.",
      .options = run_options,
      .arguments = arguments,
      .count = count};
  *o = (struct cli_run_options){.seed = 1, .repeat = 1, .profile = JDG_DIJK_03};
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD || !take(&p, option, o)) return CLI_BAD;
  }
  take_today(o);
  return settle(&p, o);
}

/* ---- files ---- */

bool cli_make_folder(const char *path) {
  char part[4096];
  snprintf(part, sizeof part, "%s", path);
  for (char *p = part + 1; *p; p++) {
    if (*p != '/') continue;
    *p = '\0';
    mkdir(part, 0777);
    *p = '/';
  }
  if (mkdir(part, 0777) == 0 || errno == EEXIST) return true;
  fprintf(stderr, "chorus run: cannot make the folder %s: %s\n", path, strerror(errno));
  return false;
}

bool cli_save_run(const char *folder, const char *file, const struct run_outcome *outcome) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.pcapng", folder, file);
  bool ok = cap_writer_save(outcome->capture, path) == CAP_OK;
  if (ok) {
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, file);
    ok = run_write_file(path, outcome->events, outcome->events_length);
  }
  if (!ok) fprintf(stderr, "chorus run: cannot write %s: %s\n", path, strerror(errno));
  return ok;
}

/* ---- running ---- */

#define PATIENCE (60 * CHORUS_SECOND) /* for all nodes of a real network to be ready */

struct running {
  const struct cli_run_options *options;
  const struct cli_plan *plan;
  json_t **results; /* by run */
  struct cli_interrupt *interrupt;
  struct cli_progress progress;
  atomic_bool io_failed, no_memory;
};

static json_t *describe(const struct running *r, const struct cli_planned *run,
                        const struct run_outcome *outcome) {
  struct run_text capture = {0}, events = {0};
  run_text_print(&capture, "%s.pcapng", run->file);
  run_text_print(&events, "%s.jsonl", run->file);
  struct run_about about = {.profile = r->options->profile,
                            .seed = run->seed,
                            .sut_name = "chorus-reference",
                            .sut_version = CHORUS_VERSION,
                            .capture = r->options->out ? capture.data : NULL,
                            .events = r->options->out ? events.data : NULL,
                            .reproduce = run->reproduce};
  json_t *result = run_result(run->scenario, &about, outcome);
  run_text_free(&capture);
  run_text_free(&events);
  return result;
}

static bool do_run(void *context, struct run_engine *engine, size_t index) {
  struct running *r = context;
  const struct cli_planned *run = &r->plan->runs[index];
  struct run_options options = {.seed = run->seed,
                                .profile = r->options->profile,
                                .strict = r->options->strict,
                                .record = true,
                                .backend = r->options->backend,
                                .attachment = r->options->attachment,
                                .dilation = (uint32_t)r->options->dilation,
                                .patience = PATIENCE,
                                .interrupted = cli_interrupted,
                                .interrupted_context = r->interrupt};
  struct run_outcome outcome;
  if (cli_interrupted(r->interrupt)) return false;
  if (!run_execute(engine, run->scenario, &options, &outcome)) {
    atomic_store(&r->no_memory, true);
    return false;
  }
  r->results[index] = describe(r, run, &outcome);
  cli_progress_step(&r->progress, run_verdict_name(outcome.verdict), run->scenario->name);
  if (!r->options->out || cli_save_run(r->options->out, run->file, &outcome)) return true;
  atomic_store(&r->io_failed, true);
  return false;
}

static json_t *gather(struct running *r) {
  json_t *runs = json_array();
  for (size_t i = 0; i < r->plan->count; i++)
    if (r->results[i]) json_array_append_new(runs, r->results[i]);
  return runs;
}

/* ---- afterwards ---- */

static bool write_results(const struct cli_run_options *o, const json_t *results) {
  char path[4096];
  if (o->json) {
    json_dumpf(results, stdout, JSON_INDENT(1));
    fputc('\n', stdout);
    if (fflush(stdout) != 0) {
      fprintf(stderr, "chorus run: cannot write the results: %s\n", strerror(errno));
      return false;
    }
  }
  if (!o->out) return true;
  snprintf(path, sizeof path, "%s/results.json", o->out);
  if (run_write_json(results, path)) return true;
  fprintf(stderr, "chorus run: cannot write %s: %s\n", path, strerror(errno));
  return false;
}

static void print_results(const struct cli_run_options *o, const json_t *results) {
  bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  const json_t *runs = json_object_get(results, "runs");
  char path[4096], report[4096];
  cli_list_rules(runs, stdout, colours);
  fputc('\n', stdout);
  cli_list_findings(runs, stdout, colours);
  cli_list_counts(results, stdout);
  snprintf(path, sizeof path, "%s/results.json", o->out);
  snprintf(report, sizeof report, "%s/report", o->out);
  printf("results  %s\n", path);
  if (!o->no_report && cli_write_report(path, report)) printf("report   %s/index.html\n", report);
}

static int exit_code(const struct cli_run_options *o, const json_t *results) {
  const char *name =
      json_string_value(json_object_get(json_object_get(results, "summary"), "verdict"));
  enum jdg_verdict verdict = run_verdict_parse(name ? name : "error");
  if (verdict == JDG_ERROR) return CLI_ERROR;
  if (verdict == JDG_FAIL) return CLI_FAILED;
  return verdict == JDG_INCONCLUSIVE && o->strict ? CLI_INCONCLUSIVE : CLI_OK;
}

static int finish(const struct cli_run_options *o, struct running *r, json_t *waivers,
                  json_t *runs) {
  bool interrupted = cli_interrupted(r->interrupt);
  json_t *results = run_results(jdg_profile_name(o->profile), run_backend_name(o->backend), runs,
                                waivers, interrupted);
  bool written = write_results(o, results);
  if (!o->json && written) print_results(o, results);
  int code = exit_code(o, results);
  json_decref(results);
  if (interrupted) {
    fprintf(stderr, "chorus run: interrupted; what was captured so far is complete\n");
    return CLI_INTERRUPTED;
  }
  if (atomic_load(&r->no_memory)) fprintf(stderr, "chorus run: no memory\n");
  bool failed = !written || atomic_load(&r->io_failed) || atomic_load(&r->no_memory);
  return failed ? CLI_ERROR : code;
}

static int run_plan(const struct cli_run_options *o, const struct cli_plan *plan,
                    struct run_waivers *waivers, struct cli_interrupt *interrupt) {
  struct running r = {.options = o, .plan = plan, .interrupt = interrupt};
  r.results = calloc(plan->count, sizeof(json_t *));
  if (!r.results) return CLI_ERROR;
  cli_progress_begin(&r.progress, "run", plan->count, o->backend != RUN_SIM);
  if (!run_pool(do_run, &r, plan->count, (unsigned)o->jobs)) atomic_store(&r.no_memory, true);
  cli_progress_end(&r.progress);
  json_t *runs = gather(&r);
  json_t *used = waivers ? run_waivers_apply(waivers, runs, o->today) : NULL;
  free(r.results);
  return finish(o, &r, used, runs);
}

static bool read_waivers(const struct cli_run_options *o, struct run_waivers **waivers) {
  struct scn_errors errors;
  *waivers = NULL;
  if (!o->waivers) return true;
  scn_errors_init(&errors);
  *waivers = run_waivers_read(o->waivers, &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  return *waivers != NULL;
}

static void extra_options(const struct cli_run_options *o, char *text, size_t size) {
  char dilate[40] = "";
  if (o->dilation) snprintf(dilate, sizeof dilate, " --dilate %u", (unsigned)o->dilation);
  snprintf(text, size, "%s%s%s%s%s", o->profile == JDG_DIJK_03 ? "" : " --profile ",
           o->profile == JDG_DIJK_03 ? "" : jdg_profile_name(o->profile),
           o->strict ? " --strict" : "", o->backend == RUN_KERNEL ? " --backend kernel" : "",
           dilate);
}

/* Takes runs out of the plan that last too long in real time, and says so. */
static bool leave_out_long(const struct cli_run_options *o, struct cli_plan *plan) {
  chorus_time limit = o->longest * (o->dilation ? o->dilation : 1);
  size_t all = plan->count;
  if (o->backend == RUN_SIM) return true;
  cli_plan_keep(plan, limit);
  if (plan->count < all)
    fprintf(stderr,
            "chorus run: %zu of %zu runs left out: they last longer than %llu s of real time "
            "(--longest, --dilate)\n",
            all - plan->count, all, (unsigned long long)(o->longest / CHORUS_SECOND));
  if (plan->count) return true;
  fprintf(stderr, "chorus run: no run is left\n");
  return false;
}

static bool enter_backend(const struct cli_run_options *o) {
  char why[512];
  if (o->backend == RUN_SIM || krn_enter(why, sizeof why)) return true;
  fprintf(stderr, "chorus run: %s\n", why);
  return false;
}

static int run_scenarios(struct cli_run_options *o) {
  char extra[128];
  struct run_waivers *waivers;
  struct cli_plan plan;
  extra_options(o, extra, sizeof extra);
  struct cli_wish wish = {.command = "run",
                          .selectors = o->selectors,
                          .selector_count = o->selector_count,
                          .settings = o->settings,
                          .setting_count = o->setting_count,
                          .seed = o->seed,
                          .has_seed = o->has_seed,
                          .repeat = o->repeat,
                          .extra = extra};
  if (!read_waivers(o, &waivers)) return CLI_USAGE;
  if (!enter_backend(o)) return CLI_ERROR;
  struct cli_interrupt *interrupt = cli_interrupt_watch();
  int code = CLI_USAGE;
  if (cli_plan_make(&plan, &wish) && leave_out_long(o, &plan)) {
    if (!o->out && !o->json) o->out = "chorus-results";
    code = !o->out || cli_make_folder(o->out) ? run_plan(o, &plan, waivers, interrupt) : CLI_ERROR;
  }
  cli_plan_free(&plan);
  run_waivers_free(waivers);
  return code;
}

int cli_run(int count, char **arguments) {
  struct cli_run_options o;
  int parsed = parse(count, arguments, &o);
  int code = CLI_OK;
  if (parsed == CLI_BAD) code = CLI_USAGE;
  if (parsed == CLI_END) code = o.fuzz ? cli_fuzz(&o) : run_scenarios(&o);
  for (size_t i = 0; i < o.setting_count; i++) free((char *)(uintptr_t)o.settings[i].key);
  return code;
}
