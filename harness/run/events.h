/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of application events in JSON Lines (docs/events.md). */
#ifndef CHORUS_RUN_EVENTS_H
#define CHORUS_RUN_EVENTS_H

#include "chorus/node.h"

const char *run_event_name(enum chorus_event_type type); /* "deliver", "token-freed", ... */
bool run_event_parse_name(const char *name, enum chorus_event_type *type);

#endif
