/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others would capture of a run, who know nothing of it: no statements, no events, no names.
 * A rule that fails the reference in such a capture would fail correct stacks as well.
 */
#ifndef CHORUS_RUN_ELSEWHERE_H
#define CHORUS_RUN_ELSEWHERE_H

#include "run/run.h"

enum run_view {
  RUN_VIEW_NODES,    /* our own capture with its statements, only without the events */
  RUN_VIEW_MEDIUM,   /* each packet once, as it was sent */
  RUN_VIEW_ONE_NODE, /* what one node sent and received */
  RUN_VIEW_MERGED,   /* the captures of all nodes merged into one file */
  RUN_VIEWS
};

/*
 * Whether |view| of |scenario| can be judged soundly. A restart, or a tester who plays others, is
 * seen in no capture; a network whose copies come seconds later is told from no deviation.
 */
bool run_view_tells(const struct scn_scenario *scenario, enum run_view view);
/* Puts what |view| shows of |capture| into |to|, which is reset. ONE_NODE: of node |node|. False:
 * no memory. */
bool run_view_copy(struct cap_writer *to, const struct cap_writer *capture, enum run_view view,
                   size_t node);
/* Judges what |capture| holds. False: no memory. */
bool run_view_judge(struct judge *judge, const struct cap_writer *capture);

#endif
