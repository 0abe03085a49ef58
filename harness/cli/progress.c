/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { PARTS = 10 };

void cli_progress_begin(struct cli_progress *p, const char *command, size_t total, bool wanted) {
  *p = (struct cli_progress){
      .command = command, .total = total, .wanted = wanted, .every = isatty(STDERR_FILENO)};
  pthread_mutex_init(&p->lock, NULL);
}

static bool is_tenth(const struct cli_progress *p) {
  return p->done * PARTS / p->total != (p->done - 1) * PARTS / p->total;
}

void cli_progress_step(struct cli_progress *p, const char *verdict, const char *name) {
  pthread_mutex_lock(&p->lock);
  p->done++;
  if (p->wanted && p->every)
    fprintf(stderr, "[%zu/%zu] %-12s %s\n", p->done, p->total, verdict, name);
  else if (p->wanted && is_tenth(p))
    fprintf(stderr, "chorus %s: %zu of %zu runs done\n", p->command, p->done, p->total);
  pthread_mutex_unlock(&p->lock);
}

void cli_progress_end(struct cli_progress *p) {
  pthread_mutex_destroy(&p->lock);
}
