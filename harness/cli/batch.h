/* SPDX-License-Identifier: BSD-2-Clause */
/* Many runs, several at a time, with their files: what `run` and `interop` share. */
#ifndef CHORUS_CLI_BATCH_H
#define CHORUS_CLI_BATCH_H

#include <jansson.h>

#include "cli/plan.h"
#include "run/run.h"

struct cli_batch {
  const char *command; /* for messages */
  const struct cli_plan *plan;
  struct cli_interrupt *interrupt;
  enum jdg_profile profile;
  bool strict;
  enum net_backend backend;
  enum krn_attachment attachment;
  uint32_t dilation;
  unsigned jobs;
  const char *out; /* folder for captures and events, or NULL */
  /* Afterwards: */
  bool io_failed, no_memory;
};

/* Runs the plan; the list of RUNs, in the order of the plan. NULL: no memory. */
json_t *cli_batch_run(struct cli_batch *batch);

/* The real network needs namespaces: see krn_enter(). False with the message out. */
bool cli_batch_enter(const char *command, enum net_backend backend);

/* The exit code for the verdict of a summary. */
int cli_exit_code(const char *verdict, bool strict);
/* The day by which waivers expire, "2026-11-22" (UTC): the only look at the calendar. */
void cli_today(char *text, size_t size);

/* Makes the folder and those above it; false with the message out. */
bool cli_make_folder(const char *command, const char *path);
/* Writes capture and events of a run; false with the message out. */
bool cli_save_run(const char *command, const char *folder, const char *file,
                  const struct run_outcome *outcome);

#endif
