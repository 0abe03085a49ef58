/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rules on clients have in common: which transmissions are the client's own, what its
 * application is owed of a response, and small tables of what a rule saw before.
 */
#ifndef CHORUS_RULES_CLIENT_H
#define CHORUS_RULES_CLIENT_H

#include "judge/model.h"
#include "rules/text.h"

/*
 * In a capture without a view of the client, the time between two sightings may differ from the
 * time between the transmissions by the network's delay. This much is allowed for it.
 */
#define RULE_SIGHTING_SLACK (20 * CHORUS_SECOND)
#define RULE_LINK_SLACK     CHORUS_SECOND /* the same on the link of the client */
/* Packets closer to each other may stand in the wrong order in such a capture. */
#define RULE_ORDER_SLACK (10 * CHORUS_MILLISECOND)

/* How far a measured time may be off: 0 in a node's own view in virtual time (ns). */
chorus_time rule_time_slack(const struct jdg_look *look);

/* JDG_ON_REQUEST_SENT: the host itself sends this, under an address of its own. */
bool rule_own_request(const struct jdg_look *look);
/* The same, and it is the first transmission of a request to a group. */
bool rule_new_group_request(const struct jdg_look *look);

/*
 * JDG_ON_ARRIVAL_DUE: the client's application is known to wait for responses to this request when
 * this one arrived: it said so, did not end the request, and does not disclaim the Response Code.
 */
bool rule_awaited(const struct jdg_look *look);
/* rule_awaited(), and the response is one to deliver. */
bool rule_owed(const struct jdg_look *look);
/* rule_owed(), to a group request. */
bool rule_owed_by_group(const struct jdg_look *look);
/* Whether the application had ended the request (or lost it in a restart) when the response came.
 */
bool rule_ended_before(const struct jdg_look *look);

/* Text "response NON 2.05 mid=0x1234 from 2001:db8::1" of an arrival, into |text|. */
const char *rule_arrival_text(const struct jdg_arrival *arrival, char text[128]);

/* A Token as one number; Tokens of different lengths differ. */
uint64_t rule_token_key(const uint8_t *token, size_t length);
/* An address, without port and zone, as a number that is good for hashing only. */
uint64_t rule_address_key(const struct chorus_endpoint *endpoint);

#endif
