/* SPDX-License-Identifier: BSD-2-Clause */
/* Application events as JSON Lines (docs/events.md). */
#ifndef CHORUS_EVENTS_H
#define CHORUS_EVENTS_H

#include "chorus/node.h"
#include "text/text.h"

const char *run_event_name(enum chorus_event_type type); /* "deliver", "token-freed", ... */
bool run_event_parse_name(const char *name, enum chorus_event_type *type);

/* One event as a line of JSON. */
void run_event_line(struct run_text *out, chorus_time time, const char *node,
                    const struct chorus_event *event);

#endif
