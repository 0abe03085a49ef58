/* SPDX-License-Identifier: BSD-2-Clause */
/* Application events read back from JSON Lines, for judging a capture together with them. */
#ifndef CHORUS_EVENTS_LOG_H
#define CHORUS_EVENTS_LOG_H

#include "chorus/node.h"

struct evt_logged {
  chorus_time time;
  char *node;
  struct chorus_event event; /* strings belong to the log */
};

struct evt_log {
  struct evt_logged *list;
  size_t count;
};

/* Reads |path|. false: |message| says what is wrong, with the line. */
bool evt_log_read(struct evt_log *log, const char *path, char *message, size_t size);
void evt_log_free(struct evt_log *log);

#endif
