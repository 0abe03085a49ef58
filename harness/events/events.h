/* SPDX-License-Identifier: BSD-2-Clause */
/* Application events as JSON Lines (docs/events.md). */
#ifndef CHORUS_EVENTS_H
#define CHORUS_EVENTS_H

#include "chorus/node.h"
#include "text/text.h"

const char *evt_name(enum chorus_event_type type); /* "deliver", "token-freed", ... */
bool evt_parse_name(const char *name, enum chorus_event_type *type);

/* One event as a line of JSON. */
void evt_line(struct txt_buffer *out, chorus_time time, const char *node,
              const struct chorus_event *event);

#endif
