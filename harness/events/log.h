/* SPDX-License-Identifier: BSD-2-Clause */
/* Application events read back from JSON Lines, for judging a capture together with them. */
#ifndef CHORUS_EVENTS_LOG_H
#define CHORUS_EVENTS_LOG_H

#include "chorus/node.h"

struct run_logged_event {
  chorus_time time;
  char *node;
  struct chorus_event event; /* strings belong to the log */
};

struct run_log {
  struct run_logged_event *list;
  size_t count;
};

/* Reads |path|. false: |message| says what is wrong, with the line. */
bool run_log_read(struct run_log *log, const char *path, char *message, size_t size);
void run_log_free(struct run_log *log);

#endif
