/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHORUS_CLI_FUZZ_H
#define CHORUS_CLI_FUZZ_H

#include "cli/run_options.h"

/* chorus run --fuzz N: the reference must never fail, whatever the network does. */
int cli_fuzz(const struct cli_run_options *options);

#endif
