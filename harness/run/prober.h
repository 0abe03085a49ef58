/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prober: a node beside those of the scenario that asks servers under test whether they live,
 * before the first step and after the last. It sends Confirmable GETs to the root and is content
 * with any answer (RFC 7252, section 4.2). The judge does not see it: the record is closed then.
 */
#ifndef CHORUS_RUN_PROBER_H
#define CHORUS_RUN_PROBER_H

#include "chorus/node.h"

struct run_prober;

/* |targets| are copied. NULL: no memory. */
struct run_prober *run_prober_new(const struct chorus_endpoint *targets, size_t count);
void run_prober_free(struct run_prober *prober);
struct chorus_node run_prober_node(struct run_prober *prober);

/* Begins to ask target |i| (again); repeats the question every second until it is answered. */
void run_prober_ask(struct run_prober *prober, size_t i);
/*
 * The same before time begins, when nothing is repeated by itself: asks unless it did less than
 * half a second before |clock| (krn_clock(), real ns). A program may not serve yet when it is asked
 * first.
 */
void run_prober_insist(struct run_prober *prober, size_t i, chorus_time clock);
bool run_prober_answered(const struct run_prober *prober, size_t i);

/* The address that it has in a network of this IP version. */
struct chorus_endpoint run_prober_address(unsigned ip);

#endif
