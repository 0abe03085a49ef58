/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks that --sut, --client and --server name, and the runs that they play. */
#ifndef CHORUS_CLI_RUN_STACKS_H
#define CHORUS_CLI_RUN_STACKS_H

#include "cli/plan.h"
#include "cli/run_options.h"

struct cli_run_stacks {
  struct cli_stack any, by_role[2]; /* --sut; --client and --server */
  const char *role;                 /* of --sut, or NULL: by topic */
};

/* Loads them; a stack that is not installed, or does not play its role, is an error with its
 * message.
 */
bool cli_run_stacks_load(struct cli_run_stacks *stacks, const struct cli_run_options *options);
void cli_run_stacks_free(struct cli_run_stacks *stacks);

/*
 * The backend that their rungs ask for, when none was asked for; false with the message out when
 * they need different ones, or another than |*backend| while |given|.
 */
bool cli_run_stacks_backend(const struct cli_run_stacks *stacks, bool given,
                            enum net_backend *backend);
/* Whether their clocks can be dilated, as far as their manifests say; else the message is out. */
bool cli_run_stacks_dilate(const struct cli_run_stacks *stacks, uint64_t dilation);
/* Says of each run who plays it. */
void cli_run_stacks_assign(const struct cli_run_stacks *stacks, struct cli_plan *plan);

#endif
