/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus run --fuzz */
#include "cli/fuzz.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/listing.h"
#include "rules/rules.h"
#include "run/elsewhere.h"
#include "run/fuzz.h"
#include "run/pool.h"
#include "run/results.h"

struct fuzzing {
  const struct cli_run_options *options;
  struct cli_interrupt *interrupt;
  pthread_mutex_t lock; /* of what follows */
  uint64_t done, activations;
  uint64_t *exercised; /* by rule: runs in which it looked */
  size_t first_bad;    /* lowest index that failed, or SIZE_MAX */
  bool broken;         /* the generator wrote something that cannot be loaded */
};

static struct scn_scenario *load(uint64_t seed, struct txt_buffer *text,
                                 struct scn_errors *errors) {
  char path[40];
  run_fuzz_scenario(seed, text);
  snprintf(path, sizeof path, "fuzz-%" PRIu64 ".yaml", seed);
  struct scn_file *file = scn_file_parse(path, text->data, text->length, errors);
  if (!file) return NULL;
  struct scn_scenario *s = scn_load(file, NULL, NULL, 0, errors);
  scn_file_free(file);
  return s;
}

static struct run_options options_of(const struct fuzzing *f, uint64_t seed) {
  return (struct run_options){
      .seed = seed, .profile = f->options->profile, .strict = f->options->strict, .record = true};
}

/* The reference has to be right in what is merely recommended, too. */
static bool is_bad(enum jdg_verdict verdict) {
  return verdict == JDG_FAIL || verdict == JDG_ERROR || verdict == JDG_WARN;
}

/* ---- the same run as others would capture it ---- */

struct outside {
  struct judge *judge;
  struct cap_writer *capture;
};

static void outside_free(struct outside *o) {
  jdg_free(o->judge);
  cap_writer_free(o->capture);
}

static enum jdg_verdict worst_of(struct judge *judge) {
  enum jdg_verdict worst = JDG_NOT_EXERCISED;
  for (size_t i = 0; i < jdg_result_count(judge); i++)
    worst = run_worst(worst, jdg_result_get(judge, i)->verdict);
  return worst;
}

/* Judges one view of the run, each seed another. NOT_EXERCISED where the view cannot tell. */
static enum jdg_verdict judge_outside(const struct fuzzing *f, const struct scn_scenario *s,
                                      uint64_t seed, const struct run_outcome *run,
                                      struct outside *o) {
  struct jdg_config config = {.profile = f->options->profile, .strict = f->options->strict};
  enum run_view view = (enum run_view)(seed % RUN_VIEWS);
  const struct cap_writer *seen = run->capture;
  if (!run_view_tells(s, view)) return JDG_NOT_EXERCISED;
  o->judge = jdg_new(&config);
  o->capture = cap_writer_new(NULL);
  bool done = o->judge && o->capture;
  if (done && view != RUN_VIEW_NODES) {
    done = run_view_copy(o->capture, run->capture, view, (size_t)(seed / RUN_VIEWS));
    seen = o->capture;
  }
  return done && run_view_judge(o->judge, seen) ? worst_of(o->judge) : JDG_ERROR;
}

static enum jdg_verdict verdict_outside(const struct fuzzing *f, const struct scn_scenario *s,
                                        uint64_t seed, const struct run_outcome *run) {
  struct outside o = {NULL, NULL};
  enum jdg_verdict verdict = judge_outside(f, s, seed, run, &o);
  outside_free(&o);
  return verdict;
}

/* ---- one run ---- */

static void count_rules(struct fuzzing *f, struct judge *judge) {
  for (size_t i = 0; i < jdg_result_count(judge); i++) {
    const struct jdg_result *r = jdg_result_get(judge, i);
    f->activations += r->activations;
    size_t index = (size_t)(r->rule - rule_get(0));
    if (r->activations && index < rule_count()) f->exercised[index]++;
  }
}

static bool do_fuzz(void *context, struct run_engine *engine, size_t index) {
  struct fuzzing *f = context;
  uint64_t seed = f->options->seed + index;
  struct txt_buffer text = {0};
  struct scn_errors errors;
  struct run_outcome outcome = {.verdict = JDG_ERROR};
  if (cli_interrupted(f->interrupt)) return false;
  scn_errors_init(&errors);
  struct scn_scenario *s = load(seed, &text, &errors);
  struct run_options options = options_of(f, seed);
  bool ran = s && run_execute(engine, s, &options, &outcome);
  bool bad = is_bad(outcome.verdict) || is_bad(verdict_outside(f, s, seed, &outcome));
  pthread_mutex_lock(&f->lock);
  if (!s) scn_errors_print(&errors, stderr);
  if (!s) f->broken = true;
  f->done++;
  if (ran) count_rules(f, outcome.judge);
  if (bad && index < f->first_bad) f->first_bad = index;
  pthread_mutex_unlock(&f->lock);
  scn_free(s);
  scn_errors_free(&errors);
  txt_free(&text);
  return !bad;
}

/* ---- the one that failed, once more, with everything kept ---- */

/* Puts what others would see and find in place of what the run itself saw and found. */
static void show_outside(const struct fuzzing *f, const struct scn_scenario *s, uint64_t seed,
                         struct run_outcome *run, struct outside *o) {
  run->verdict = judge_outside(f, s, seed, run, o);
  if (o->judge) run->judge = o->judge;
  if (seed % RUN_VIEWS != RUN_VIEW_NODES && o->capture) run->capture = o->capture;
}

/* The command that does one random run again. */
static void name_again(const struct cli_run_options *o, uint64_t seed, char *text, size_t size) {
  bool named = o->profile != JDG_DIJK_03;
  snprintf(text, size, "chorus run --fuzz 1 --seed %" PRIu64 "%s%s%s", seed,
           named ? " --profile " : "", named ? jdg_profile_name(o->profile) : "",
           o->strict ? " --strict" : "");
}

static json_t *rerun(struct fuzzing *f, struct run_engine *engine, const struct scn_scenario *s,
                     uint64_t seed, const struct txt_buffer *text, bool *saved) {
  struct run_options options = options_of(f, seed);
  struct run_outcome outcome;
  struct outside outside = {NULL, NULL};
  char command[120], capture[64], events[64], path[4096];
  const char *out = f->options->out;
  if (!run_execute(engine, s, &options, &outcome)) return NULL;
  if (!is_bad(outcome.verdict)) show_outside(f, s, seed, &outcome, &outside);
  name_again(f->options, seed, command, sizeof command);
  snprintf(capture, sizeof capture, "%s.pcapng", s->id);
  snprintf(events, sizeof events, "%s.jsonl", s->id);
  struct run_about about = {.profile = f->options->profile,
                            .seed = seed,
                            .sut_name = "chorus-reference",
                            .capture = out ? capture : NULL,
                            .events = out ? events : NULL,
                            .reproduce = command};
  json_t *run = run_result(s, &about, &outcome);
  if (out) {
    snprintf(path, sizeof path, "%s/%s.yaml", out, s->id);
    *saved = cli_make_folder("run", out) && cli_save_run("run", out, s->id, &outcome) &&
             run_write_file(path, text->data, text->length);
  }
  outside_free(&outside);
  return run;
}

static int report(struct fuzzing *f, const json_t *results) {
  char path[4096];
  if (f->options->json) {
    json_dumpf(results, stdout, JSON_INDENT(1));
    fputc('\n', stdout);
  } else {
    cli_list_findings(json_object_get(results, "runs"), stdout,
                      isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
  }
  if (!f->options->out) return CLI_OK;
  snprintf(path, sizeof path, "%s/results.json", f->options->out);
  return run_write_json(results, path) ? CLI_OK : CLI_ERROR;
}

static int show_failure(struct fuzzing *f) {
  uint64_t seed = f->options->seed + f->first_bad;
  struct txt_buffer text = {0};
  struct scn_errors errors;
  bool saved = true;
  scn_errors_init(&errors);
  struct scn_scenario *s = load(seed, &text, &errors);
  struct run_engine *engine = run_engine_new();
  json_t *run = s && engine ? rerun(f, engine, s, seed, &text, &saved) : NULL, *runs = json_array();
  if (run) json_array_append_new(runs, run);
  json_t *results = run_results(jdg_profile_name(f->options->profile), "sim", runs, NULL, false);
  int wrote = report(f, results);
  const char *verdict = run ? json_string_value(json_object_get(run, "verdict")) : NULL;
  int code = verdict && strcmp(verdict, "error") != 0 ? CLI_FAILED : CLI_ERROR;
  json_decref(results);
  run_engine_free(engine);
  scn_free(s);
  scn_errors_free(&errors);
  txt_free(&text);
  return wrote == CLI_OK && saved ? code : CLI_ERROR;
}

static void print_totals(const struct fuzzing *f) {
  size_t looked = 0, implemented = 0;
  for (size_t i = 0; i < rule_count(); i++) {
    looked += f->exercised[i] > 0;
    implemented += rule_check_of(rule_get(i)) != NULL;
  }
  FILE *stream = f->options->json ? stderr : stdout;
  bool bad = f->first_bad != SIZE_MAX;
  fprintf(stream,
          "%" PRIu64 " random runs from seed %" PRIu64 ", %zu of %zu rules exercised, %" PRIu64
          " activations: %s",
          f->done, f->options->seed, looked, implemented, f->activations,
          bad ? "failed" : "no fail");
  if (bad) {
    char command[120];
    name_again(f->options, f->options->seed + f->first_bad, command, sizeof command);
    fprintf(stream, "; again: %s", command);
  }
  fputc('\n', stream);
}

int cli_fuzz(const struct cli_run_options *options) {
  struct fuzzing f = {.options = options, .first_bad = SIZE_MAX};
  pthread_mutex_init(&f.lock, NULL);
  f.interrupt = cli_interrupt_watch();
  f.exercised = calloc(rule_count() + 1, sizeof *f.exercised);
  if (!f.exercised) return CLI_ERROR;
  int code = CLI_OK;
  bool ok = run_pool(do_fuzz, &f, options->fuzz, (unsigned)options->jobs);
  if (f.first_bad != SIZE_MAX) code = show_failure(&f);
  print_totals(&f);
  if (code == CLI_OK && cli_interrupted(f.interrupt)) code = CLI_INTERRUPTED;
  if (!ok || f.broken) code = CLI_ERROR;
  free(f.exercised);
  pthread_mutex_destroy(&f.lock);
  return code;
}
