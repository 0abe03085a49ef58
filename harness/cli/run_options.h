/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHORUS_CLI_RUN_OPTIONS_H
#define CHORUS_CLI_RUN_OPTIONS_H

#include "cli/cli.h"
#include "run/run.h"

enum { CLI_MAX_SETTINGS = 32, CLI_MAX_SELECTORS = 256 };

/* What was asked of `chorus run`. Texts belong to the command line. */
/* Without --longest, of real time. */
#define CLI_LONGEST (60 * CHORUS_SECOND)

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
  const char *sut, *sut_role;  /* one stack; its role, or NULL: by the scenario's topic */
  const char *client, *server; /* stacks by role */
  bool has_backend;
  enum net_backend backend;
  enum krn_attachment attachment;
  uint64_t dilation;
  chorus_time longest; /* real ns: longer runs are left out of a backend in real time */
  char today_text[16];
};

#endif
