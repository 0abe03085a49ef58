/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random scenarios: everything that the language can say about networks, nodes and what they do, as
 * a function of one number. What comes out is a scenario file like any other.
 */
#ifndef CHORUS_RUN_FUZZ_H
#define CHORUS_RUN_FUZZ_H

#include <stdint.h>

#include "text/text.h"

/* Writes the scenario of |seed| as YAML; check |out|->no_memory. */
void run_fuzz_scenario(uint64_t seed, struct txt_buffer *out);

#endif
