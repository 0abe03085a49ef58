/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/batch.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/progress.h"
#include "run/pool.h"
#include "run/results.h"
#include "text/text.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

enum { STARTS_AT_ONCE = 4 }; /* programs need the processor to start, and little later */

#define PATIENCE (60 * CHORUS_SECOND) /* for all nodes of a real network to be ready */

/* ---- files ---- */

bool cli_make_folder(const char *command, const char *path) {
  char part[4096];
  snprintf(part, sizeof part, "%s", path);
  for (char *p = part + 1; *p; p++) {
    if (*p != '/') continue;
    *p = '\0';
    mkdir(part, 0777);
    *p = '/';
  }
  if (mkdir(part, 0777) == 0 || errno == EEXIST) return true;
  fprintf(stderr, "chorus %s: cannot make the folder %s: %s\n", command, path, strerror(errno));
  return false;
}

bool cli_save_run(const char *command, const char *folder, const char *file,
                  const struct run_outcome *outcome) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.pcapng", folder, file);
  bool ok = cap_writer_save(outcome->capture, path) == CAP_OK;
  if (ok) {
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, file);
    ok = run_write_file(path, outcome->events, outcome->events_length);
  }
  if (!ok) fprintf(stderr, "chorus %s: cannot write %s: %s\n", command, path, strerror(errno));
  return ok;
}

/* ---- one run ---- */

struct working {
  struct cli_batch *batch;
  json_t **results; /* by run */
  struct cli_progress progress;
  sem_t starts;
  atomic_bool io_failed, no_memory;
};

/* Whom the run is about: the reference, one stack, or a client against a server. */
static void name_stacks(const struct cli_planned *run, struct run_about *about,
                        struct txt_buffer *name, struct txt_buffer *version) {
  static const char *const roles[] = {"client", "server"};
  const struct cli_stack *client = run->stacks[SCN_CLIENT], *server = run->stacks[SCN_SERVER];
  for (int role = SCN_CLIENT; role <= SCN_SERVER; role++) {
    const struct cli_stack *stack = run->stacks[role];
    if (!stack) continue;
    about->stacks[role] = (struct run_stack_name){stack->manifest->name, stack->version};
    about->sut_role = roles[role];
    txt_print(name, "%s%s", name->length ? " > " : "", stack->manifest->name);
    txt_print(version, "%s%s", version->length ? " > " : "", stack->version);
  }
  if (client && server) about->sut_role = "pair";
  about->sut_name = name->length ? name->data : "chorus-reference";
  about->sut_version = version->length ? version->data : CHORUS_VERSION;
}

static json_t *describe(const struct cli_batch *batch, const struct cli_planned *run,
                        const struct run_outcome *outcome) {
  struct txt_buffer capture = {0}, events = {0}, name = {0}, version = {0};
  bool kept = batch->out && !outcome->gap;
  txt_print(&capture, "%s.pcapng", run->file);
  txt_print(&events, "%s.jsonl", run->file);
  struct run_about about = {.profile = batch->profile,
                            .seed = run->seed,
                            .capture = kept ? capture.data : NULL,
                            .events = kept ? events.data : NULL,
                            .reproduce = run->reproduce};
  name_stacks(run, &about, &name, &version);
  json_t *result = run_result(run->scenario, &about, outcome);
  txt_free(&capture);
  txt_free(&events);
  txt_free(&name);
  txt_free(&version);
  return result;
}

static void take_turn(void *context, bool begin) {
  struct working *w = context;
  if (!begin) {
    sem_post(&w->starts);
    return;
  }
  while (sem_wait(&w->starts) != 0 && errno == EINTR) {
  }
}

static struct run_options options_of(struct working *w, const struct cli_planned *run) {
  const struct cli_batch *batch = w->batch;
  struct run_options o = {.seed = run->seed,
                          .profile = batch->profile,
                          .strict = batch->strict,
                          .record = true,
                          .backend = batch->backend,
                          .attachment = batch->attachment,
                          .dilation = batch->dilation,
                          .patience = PATIENCE,
                          .deciding = run->deciding,
                          .interrupted = cli_interrupted,
                          .interrupted_context = batch->interrupt};
  for (int role = SCN_CLIENT; role <= SCN_SERVER; role++)
    o.stacks[role] = run->stacks[role] ? run->stacks[role]->manifest : NULL;
  if (batch->backend != NET_SIM) {
    o.starting = take_turn;
    o.starting_context = w;
  }
  return o;
}

static bool do_run(void *context, struct run_engine *engine, size_t index) {
  struct working *w = context;
  const struct cli_planned *run = &w->batch->plan->runs[index];
  const struct run_options options = options_of(w, run);
  struct run_outcome outcome;
  if (cli_interrupted(w->batch->interrupt)) return false;
  if (!run_execute(engine, run->scenario, &options, &outcome)) {
    atomic_store(&w->no_memory, true);
    return false;
  }
  w->results[index] = describe(w->batch, run, &outcome);
  cli_progress_step(&w->progress, run_verdict_name(outcome.verdict), run->file);
  if (!w->batch->out || outcome.gap) return true;
  if (cli_save_run(w->batch->command, w->batch->out, run->file, &outcome)) return true;
  atomic_store(&w->io_failed, true);
  return false;
}

/* ---- all of them ---- */

json_t *cli_batch_run(struct cli_batch *batch) {
  struct working w = {.batch = batch};
  size_t count = batch->plan->count;
  w.results = calloc(count + 1, sizeof *w.results);
  json_t *runs = json_array();
  if (!w.results || !runs) return NULL;
  if (sem_init(&w.starts, 0, STARTS_AT_ONCE) != 0) return NULL;
  cli_progress_begin(&w.progress, batch->command, count, batch->backend != NET_SIM);
  if (!run_pool(do_run, &w, count, batch->jobs)) atomic_store(&w.no_memory, true);
  cli_progress_end(&w.progress);
  sem_destroy(&w.starts);
  for (size_t i = 0; i < count; i++)
    if (w.results[i]) json_array_append_new(runs, w.results[i]);
  free(w.results);
  batch->io_failed = atomic_load(&w.io_failed);
  batch->no_memory = atomic_load(&w.no_memory);
  return runs;
}

bool cli_batch_enter(const char *command, enum net_backend backend) {
  char why[512];
  if (backend == NET_SIM || krn_enter(why, sizeof why)) return true;
  fprintf(stderr, "chorus %s: %s\n", command, why);
  return false;
}

int cli_exit_code(const char *verdict, bool strict) {
  switch (run_verdict_parse(verdict)) {
    case JDG_ERROR: return CLI_ERROR;
    case JDG_FAIL: return CLI_FAILED;
    case JDG_INCONCLUSIVE: return strict ? CLI_INCONCLUSIVE : CLI_OK;
    default: return CLI_OK;
  }
}

void cli_today(char *text, size_t size) {
  time_t now = time(NULL);
  struct tm day;
  if (!gmtime_r(&now, &day) || !strftime(text, size, "%Y-%m-%d", &day))
    snprintf(text, size, "1970-01-01");
}
