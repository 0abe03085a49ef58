/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulated network for any programs (DESIGN, section 6): every node of a topology is a network
 * namespace, the switch between them does what the file says, commands run in the nodes.
 */
#ifndef CHORUS_EMULATE_H
#define CHORUS_EMULATE_H

#include <stdio.h>

#include "chorus/kernel.h"
#include "emulate/words.h"

struct emulate_options {
  const struct scn_scenario *topology;
  const struct emulate_blocks *blocks;
  uint64_t seed;
  uint32_t dilation; /* virtual seconds per real second; 0: 1 */
  enum krn_attachment attachment;
  bool flood;          /* also when the file does not say so */
  bool keep;           /* stays when the last command has ended */
  chorus_time settle;  /* real ns that a command has to open a socket before the next one starts */
  const char *capture; /* file to write, or NULL */
  const char *preload; /* libfaketime, which has programs follow the dilation; or NULL */
  bool user_namespace; /* krn_enter() made one */
  FILE *notes;         /* what goes wrong, and what was captured */
  bool (*interrupted)(void *context);
  void *context;
};

enum emulate_end { EMULATE_ENDED = 0, EMULATE_INTERRUPTED, EMULATE_FAILED };

/*
 * Runs until the last command has ended, or until interrupted. |*status|: of the last command as of
 * waitpid(), 0 without one. FAILED: a note says why.
 */
enum emulate_end emulate_run(const struct emulate_options *options, int *status);

#endif
