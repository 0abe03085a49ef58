/* SPDX-License-Identifier: BSD-2-Clause */
/* Which runs a command line asks for. */
#ifndef CHORUS_CLI_PLAN_H
#define CHORUS_CLI_PLAN_H

#include "cli/cli.h"
#include "cli/stacks.h"
#include "run/run.h"

/* What one plan holds at most: results are kept until the end, some 0.7 MB for each run. */
enum { CLI_RUNS_MOST = 10000 };

struct cli_planned {
  struct scn_scenario *scenario;
  uint64_t seed;
  char *file;                        /* of its capture and events, without ending */
  char *reproduce;                   /* the command for it alone */
  const struct cli_stack *stacks[2]; /* in place of the reference, by enum scn_role; or NULL */
  enum run_deciding deciding;
};

struct cli_plan {
  struct scn_library library;
  struct cli_planned *runs;
  size_t count;
  bool too_many; /* a run more than CLI_RUNS_MOST was wished */
};

struct cli_wish {
  const char *command; /* for messages */
  const char *const *selectors;
  size_t selector_count;
  const struct scn_setting *settings; /* --set */
  size_t setting_count;
  uint64_t seed, repeat;
  bool has_seed;
  bool own_resources; /* servers are stacks under test: see scn_file */
  bool anywhere;      /* the reproduction command names files so that any folder will do */
  const char *extra;  /* further options for the reproduction command, or "" */
};

/* false: the messages are out, and it is a usage error. */
bool cli_plan_make(struct cli_plan *plan, const struct cli_wish *wish);
/* Keeps the runs that end by |longest| (virtual ns). */
void cli_plan_keep(struct cli_plan *plan, chorus_time longest);
void cli_plan_free(struct cli_plan *plan);

#endif
