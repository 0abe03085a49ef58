/* SPDX-License-Identifier: BSD-2-Clause */
/* Judging a capture with the statements that it holds and the events that were logged beside it. */
#ifndef CHORUS_RUN_OFFLINE_H
#define CHORUS_RUN_OFFLINE_H

#include "events/log.h"
#include "judge/judge.h"
#include "statement/statement.h"

/* What there is beside a capture. Members may be NULL, but for |errors|. */
struct run_companions {
  const struct evt_log *log;               /* events, in order of time */
  const struct stm_statements *statements; /* of nodes: they go before those of the capture */
  struct scn_errors *errors;               /* complaints about statements in the capture */
};

/*
 * As jdg_capture(), with events in between: those of an instant come after its packets; those of
 * nodes that no interface names are passed over. It is over with the last packet or event, or when
 * the capture says that it ended, whichever is later. A statement (ICS) in the comment of a node's
 * interface is the node's, unless |companions| states the node by its name or address.
 */
enum cap_status run_judge_capture(struct judge *judge, const char *path,
                                  const struct run_companions *companions, char *message,
                                  size_t size);
/* The same of a capture that is open. */
enum cap_status run_judge_reader(struct judge *judge, struct cap_reader *reader,
                                 const struct run_companions *companions);

#endif
