/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a long command is, on standard error. */
#ifndef CHORUS_CLI_PROGRESS_H
#define CHORUS_CLI_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct cli_progress {
  const char *command;
  size_t total, done;
  bool wanted, every; /* a line for every run, or ten in all */
  pthread_mutex_t lock;
};

/* |wanted| false: says nothing. On a terminal every run has its line, elsewhere every tenth part.
 */
void cli_progress_begin(struct cli_progress *progress, const char *command, size_t total,
                        bool wanted);
/* One more is done; any thread. */
void cli_progress_step(struct cli_progress *progress, const char *verdict, const char *name);
void cli_progress_end(struct cli_progress *progress);

#endif
