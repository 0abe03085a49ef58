/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tester: a node that sends exactly the octets that a scenario asks for, right or wrong, and
 * answers by its script. It has no protocol of its own: no retransmission, no acknowledgement, no
 * deduplication. It sends through the network, so that it can lie about its source.
 */
#ifndef CHORUS_RUN_TESTER_H
#define CHORUS_RUN_TESTER_H

#include "network/network.h"
#include "scenario/scenario.h"

struct run_tester;

/* |node| has to outlive the tester. NULL: no memory. */
struct run_tester *run_tester_new(const struct scn_node *node);
void run_tester_free(struct run_tester *tester);
struct chorus_node run_tester_node(struct run_tester *tester);
/* Tells where it sends; before the network starts. */
void run_tester_attach(struct run_tester *tester, struct net_network *network, uint32_t number);
/* Sends now. CHORUS_OK, or why not. */
int run_tester_send(struct run_tester *tester, const struct scn_send *send);

/* What of a message that came in an answer may repeat. */
struct run_received {
  uint8_t type, token_length;
  uint8_t token[8];
  uint16_t mid;
};

/*
 * Writes |message| to |out|; |received| is what it answers, or NULL; |next_mid| counts up where it
 * is used. Returns the length in octets, or 0 when it does not fit.
 */
size_t run_build_message(const struct scn_message *message, const struct run_received *received,
                         uint16_t *next_mid, uint8_t *out, size_t capacity);

#endif
