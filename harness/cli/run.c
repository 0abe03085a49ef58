/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus run */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/fuzz.h"
#include "cli/listing.h"
#include "cli/plan.h"
#include "cli/python.h"
#include "cli/run_options.h"
#include "cli/run_stacks.h"
#include "run/results.h"
#include "run/waivers.h"
#include "text/text.h"

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
  ROLE,
  CLIENT,
  SERVER,
};

static const struct cli_option run_options[] = {
    [BACKEND] = {"--backend", "NAME", "sim (virtual time), kernel (namespaces, real time) (sim)"},
    [SUT] = {"--sut", "MANIFEST",
             "a stack in place of the reference: a manifest, or a name (libcoap)"},
    [SEED] = {"--seed", "N", "seed of all randomness (1)"},
    [REPEAT] = {"--repeat", "K", "run K times, with seeds N, N+1, ..."},
    [JOBS] = {"--jobs", "N", "runs at the same time (processors; kernel: 128, with stacks 16)"},
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
    [ROLE] = {"--role", "ROLE", "of --sut: client or server (by topic)"},
    [CLIENT] = {"--client", "MANIFEST", "the stack that plays the clients"},
    [SERVER] = {"--server", "MANIFEST", "the stack that plays the servers"},
    {NULL, NULL, NULL},
};

static bool take_backend(const struct cli_parser *p, enum net_backend *backend) {
  static const char *const later[] = {"ns3", "wire"};
  for (int b = NET_SIM; b <= NET_KERNEL; b++)
    if (strcmp(p->value, net_backend_name((enum net_backend)b)) == 0) {
      *backend = (enum net_backend)b;
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

static bool take_role(const struct cli_parser *p, const char **role) {
  *role = p->value;
  if (strcmp(p->value, "client") == 0 || strcmp(p->value, "server") == 0) return true;
  cli_usage(p, "--role is client or server, not \"%s\"", p->value);
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

static bool take_today(const struct cli_parser *p, const char **today) {
  *today = p->value;
  if (run_is_date(p->value)) return true;
  cli_usage(p, "--today wants a day such as 2027-01-31, not \"%s\"", p->value);
  return false;
}

static bool add_selector(const struct cli_parser *p, struct cli_run_options *o) {
  return cli_append(p, "selectors", o->selectors, CLI_MAX_SELECTORS, &o->selector_count);
}

static bool take(struct cli_parser *p, int option, struct cli_run_options *o) {
  switch (option) {
    case CLI_POSITIONAL: return add_selector(p, o);
    case BACKEND: return o->has_backend = take_backend(p, &o->backend);
    case SUT: o->sut = p->value; return true;
    case ROLE: return take_role(p, &o->sut_role);
    case CLIENT: o->client = p->value; return true;
    case SERVER: o->server = p->value; return true;
    case SEED: return o->has_seed = cli_number(p, "--seed", 0, UINT64_MAX, &o->seed);
    case REPEAT: return cli_number(p, "--repeat", 1, 1000000, &o->repeat);
    case JOBS: return cli_number(p, "--jobs", 1, 256, &o->jobs);
    case PROFILE: return cli_profile(p, &o->profile);
    case SET: return cli_add_setting(p, o->settings, &o->setting_count, CLI_MAX_SETTINGS);
    case STRICT: return o->strict = true;
    case WAIVERS: o->waivers = p->value; return true;
    case OUT: o->out = p->value; return true;
    case JSON: return o->json = true;
    case FUZZ: return cli_number(p, "--fuzz", 1, UINT32_MAX, &o->fuzz);
    case TODAY: return take_today(p, &o->today);
    case NO_REPORT: return o->no_report = true;
    case DILATE: return cli_number(p, "--dilate", 1, 1000, &o->dilation);
    case LONGEST: return cli_duration(p, "--longest", &o->longest);
    case ATTACH: return take_attachment(p, &o->attachment);
    default: return false;
  }
}

/* Runs in real time wait more than they work; programs work more than the reference. */
enum { REAL_TIME_JOBS = 128, REAL_TIME_JOBS_OF_STACKS = 16 };

/* What follows from several options together. */
static int settle(const struct cli_parser *p, struct cli_run_options *o) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  bool real_time = o->backend != NET_SIM;
  bool stacks = o->sut || o->client || o->server;
  if ((o->sut && (o->client || o->server)) || (o->sut_role && !o->sut)) {
    cli_usage(p, o->sut ? "--sut, or --client and --server" : "--role says what --sut plays");
    return CLI_BAD;
  }
  if (o->fuzz && stacks) {
    cli_usage(p, "--fuzz runs the reference");
    return CLI_BAD;
  }
  if (!o->jobs && real_time) o->jobs = stacks ? REAL_TIME_JOBS_OF_STACKS : REAL_TIME_JOBS;
  if (!o->jobs) o->jobs = processors > 0 && processors < 256 ? (uint64_t)processors : 1;
  if (!real_time && (o->dilation || o->attachment != KRN_AUTO || o->longest)) {
    cli_usage(p, "--dilate, --longest and --attach belong to --backend kernel");
    return CLI_BAD;
  }
  if (!o->longest) o->longest = CLI_LONGEST;
  if (!o->fuzz) return CLI_END;
  if (o->selector_count || o->setting_count) {
    cli_usage(p, "--fuzz makes its own scenarios: no selector and no --set with it");
    return CLI_BAD;
  }
  if (!real_time) return CLI_END;
  cli_usage(p, "--fuzz runs on the backend sim");
  return CLI_BAD;
}

static int parse(int count, char **arguments, struct cli_run_options *o, struct cli_parser *p) {
  *p = (struct cli_parser){
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
  for (int option; (option = cli_next(p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD || !take(p, option, o)) return CLI_BAD;
  }
  if (!o->today) {
    cli_today(o->today_text, sizeof o->today_text);
    o->today = o->today_text;
  }
  return CLI_END;
}

/* ---- afterwards ---- */

static bool write_results(const struct cli_run_options *o, const json_t *results) {
  char path[4096];
  if (o->json) {
    json_dumpf(results, stdout, JSON_INDENT(1));
    fputc('\n', stdout);
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

static int finish(const struct cli_run_options *o, const struct cli_batch *batch, json_t *waivers,
                  json_t *runs) {
  bool interrupted = cli_interrupted(batch->interrupt);
  json_t *results = run_results(jdg_profile_name(o->profile), net_backend_name(o->backend), runs,
                                waivers, interrupted);
  bool written = write_results(o, results);
  if (!o->json && written) print_results(o, results);
  const char *verdict =
      json_string_value(json_object_get(json_object_get(results, "summary"), "verdict"));
  int code = cli_exit_code(verdict ? verdict : "error", o->strict);
  json_decref(results);
  if (interrupted) {
    fprintf(stderr, "chorus run: interrupted; what was captured so far is complete\n");
    return CLI_INTERRUPTED;
  }
  if (batch->no_memory) fprintf(stderr, "chorus run: no memory\n");
  return !written || batch->io_failed || batch->no_memory ? CLI_ERROR : code;
}

static int run_plan(const struct cli_run_options *o, const struct cli_plan *plan,
                    struct run_waivers *waivers, struct cli_interrupt *interrupt) {
  struct cli_batch batch = {.command = "run",
                            .plan = plan,
                            .interrupt = interrupt,
                            .profile = o->profile,
                            .strict = o->strict,
                            .backend = o->backend,
                            .attachment = o->attachment,
                            .dilation = (uint32_t)o->dilation,
                            .jobs = (unsigned)o->jobs,
                            .out = o->out};
  json_t *runs = cli_batch_run(&batch);
  if (!runs) return CLI_ERROR;
  json_t *used = waivers ? run_waivers_apply(waivers, runs, o->today) : NULL;
  return finish(o, &batch, used, runs);
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

/* What of the real network a run depends on. */
static void real_options(const struct cli_run_options *o, struct txt_buffer *text) {
  if (o->backend != NET_KERNEL) return;
  txt_print(text, " --backend kernel");
  if (o->dilation) txt_print(text, " --dilate %u", (unsigned)o->dilation);
  if (o->longest != CLI_LONGEST)
    txt_print(text, " --longest %llums", (unsigned long long)(o->longest / CHORUS_MILLISECOND));
  if (o->attachment != KRN_AUTO)
    txt_print(text, " --attach %s", krn_attachment_name(o->attachment));
}

static void extra_options(const struct cli_run_options *o, struct txt_buffer *text) {
  if (o->profile != JDG_DIJK_03) txt_print(text, " --profile %s", jdg_profile_name(o->profile));
  if (o->strict) txt_print(text, " --strict");
  real_options(o, text);
  if (o->sut) cli_stack_option(text, "--sut", o->sut);
  if (o->sut_role) txt_print(text, " --role %s", o->sut_role);
  if (o->client) cli_stack_option(text, "--client", o->client);
  if (o->server) cli_stack_option(text, "--server", o->server);
}

/* Takes runs out of the plan that last too long in real time, and says so. */
static bool leave_out_long(const struct cli_run_options *o, struct cli_plan *plan) {
  chorus_time limit = o->longest * (o->dilation ? o->dilation : 1);
  size_t all = plan->count;
  if (o->backend == NET_SIM) return true;
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

/* The role of --sut is the topic's unless it is said: then any server may be the stack. */
static bool servers_are_stacks(const struct cli_run_options *o) {
  bool as_client = o->sut_role && strcmp(o->sut_role, "client") == 0;
  return o->server || (o->sut && !as_client);
}

static int run_scenarios(struct cli_run_options *o, const struct cli_run_stacks *stacks) {
  struct txt_buffer extra = {0};
  struct run_waivers *waivers;
  struct cli_plan plan;
  if (!read_waivers(o, &waivers)) return CLI_USAGE;
  if (!cli_batch_enter("run", o->backend)) return CLI_ERROR;
  extra_options(o, &extra);
  struct cli_wish wish = {.command = "run",
                          .selectors = o->selectors,
                          .selector_count = o->selector_count,
                          .settings = o->settings,
                          .setting_count = o->setting_count,
                          .seed = o->seed,
                          .has_seed = o->has_seed,
                          .repeat = o->repeat,
                          .own_resources = servers_are_stacks(o),
                          .anywhere = o->sut || o->client || o->server,
                          .extra = extra.data ? extra.data : ""};
  struct cli_interrupt *interrupt = cli_interrupt_watch();
  int code = CLI_USAGE;
  if (cli_plan_make(&plan, &wish) && leave_out_long(o, &plan)) {
    cli_run_stacks_assign(stacks, &plan);
    if (!o->out && !o->json) o->out = "chorus-results";
    code = !o->out || cli_make_folder("run", o->out) ? run_plan(o, &plan, waivers, interrupt)
                                                     : CLI_ERROR;
  }
  cli_plan_free(&plan);
  txt_free(&extra);
  run_waivers_free(waivers);
  return code;
}

static int run_asked(struct cli_run_options *o, const struct cli_parser *p) {
  struct cli_run_stacks stacks;
  int code = CLI_USAGE;
  if (cli_run_stacks_load(&stacks, o) &&
      cli_run_stacks_backend(&stacks, o->has_backend, &o->backend) &&
      cli_run_stacks_dilate(&stacks, o->dilation) && settle(p, o) == CLI_END)
    code = o->fuzz ? cli_fuzz(o) : run_scenarios(o, &stacks);
  cli_run_stacks_free(&stacks);
  return code;
}

int cli_run(int count, char **arguments) {
  struct cli_run_options o;
  struct cli_parser parser;
  int parsed = parse(count, arguments, &o, &parser);
  int code = CLI_OK;
  if (parsed == CLI_BAD) code = CLI_USAGE;
  if (parsed == CLI_END) code = run_asked(&o, &parser);
  for (size_t i = 0; i < o.setting_count; i++) free((char *)(uintptr_t)o.settings[i].key);
  return code;
}
