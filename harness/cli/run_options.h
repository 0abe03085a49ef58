/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHORUS_CLI_RUN_OPTIONS_H
#define CHORUS_CLI_RUN_OPTIONS_H

#include "cli/cli.h"
#include "run/run.h"

enum { CLI_MAX_SETTINGS = 32, CLI_MAX_SELECTORS = 256 };

/* What was asked of `chorus run`. Texts belong to the command line. */
struct cli_run_options {
  const char *selectors[CLI_MAX_SELECTORS];
  size_t selector_count;
  struct scn_setting settings[CLI_MAX_SETTINGS];
  size_t setting_count;
  uint64_t seed, repeat, jobs, fuzz;
  bool has_seed;
  enum jdg_profile profile;
  bool strict, json, no_report;
  const char *waivers, *out, *today;
  enum run_backend backend;
  enum krn_attachment attachment;
  uint64_t dilation;
  chorus_time longest; /* real ns: longer runs are left out of a backend in real time */
  char today_text[16];
};

/* Makes the folder and those above it; false with the message out. */
bool cli_make_folder(const char *path);
/* Writes capture and events of a run; false with the message out. */
bool cli_save_run(const char *folder, const char *file, const struct run_outcome *outcome);

#endif
