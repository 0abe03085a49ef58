/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs on several threads. Which thread does what has no influence on any result. */
#ifndef CHORUS_RUN_POOL_H
#define CHORUS_RUN_POOL_H

#include "run/run.h"

/* Does job |index|; false: no further job is begun. Called on any thread, with its own engine. */
typedef bool (*run_job)(void *context, struct run_engine *engine, size_t index);

/*
 * Does jobs 0 to |count| - 1 on |workers| threads (1: on this one), beginning them in this order.
 * Returns false without memory for the first thread.
 */
bool run_pool(run_job job, void *context, size_t count, unsigned workers);

#endif
