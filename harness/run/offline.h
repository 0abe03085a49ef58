/* SPDX-License-Identifier: BSD-2-Clause */
/* Judging a capture together with the application events that were logged beside it. */
#ifndef CHORUS_RUN_OFFLINE_H
#define CHORUS_RUN_OFFLINE_H

#include "events/log.h"
#include "judge/judge.h"

/*
 * As jdg_capture(), with the events of |log| (in order of time) in between: those of an instant
 * come after its packets. Events of nodes that no interface names are passed over. |end|: when the
 * run was over, or 0: with the last packet or event.
 */
enum cap_status run_judge_capture(struct judge *judge, const char *path, const struct run_log *log,
                                  chorus_time end, char *message, size_t size);

#endif
