/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transmission parameters of RFC 7252, section 4.8, and the time values that follow from them
 * (section 4.8.2). Rules take their limits from here; nothing else states them.
 */
#ifndef CHORUS_RULES_CONSTANTS_H
#define CHORUS_RULES_CONSTANTS_H

#include "chorus/types.h"

/* Table 2. ACK_RANDOM_FACTOR is a fraction, as no time is kept in floating point. */
#define RULE_ACK_TIMEOUT                   (2 * CHORUS_SECOND)
#define RULE_ACK_RANDOM_FACTOR_NUMERATOR   3u
#define RULE_ACK_RANDOM_FACTOR_DENOMINATOR 2u
#define RULE_MAX_RETRANSMIT                4u
#define RULE_NSTART                        1u
#define RULE_DEFAULT_LEISURE               (5 * CHORUS_SECOND)
#define RULE_PROBING_RATE                  1u /* octets per second */
/* Section 4.8.2 assumes these of the network and the nodes. */
#define RULE_MAX_LATENCY      (100 * CHORUS_SECOND)
#define RULE_PROCESSING_DELAY RULE_ACK_TIMEOUT
/* Table 3 */
#define RULE_MAX_TRANSMIT_SPAN (45 * CHORUS_SECOND)
#define RULE_MAX_TRANSMIT_WAIT (93 * CHORUS_SECOND)
#define RULE_MAX_RTT           (202 * CHORUS_SECOND)
#define RULE_EXCHANGE_LIFETIME (247 * CHORUS_SECOND)
#define RULE_NON_LIFETIME      (145 * CHORUS_SECOND)

/* In captures made elsewhere no application tells that it gave up: nobody does so soon. */
#define RULE_SOON RULE_ACK_TIMEOUT

/* Section 4.6: bounds when nothing is known about the path. Octets. */
#define RULE_MAX_MESSAGE_SIZE 1152u
#define RULE_MAX_PAYLOAD_SIZE 1024u

/* What an application environment configures (table 2), and what it assumes. */
struct rule_parameters {
  chorus_time ack_timeout;                       /* ns */
  unsigned factor_numerator, factor_denominator; /* ACK_RANDOM_FACTOR, at least 1 */
  unsigned max_retransmit;                       /* at most 20 */
  chorus_time max_latency, processing_delay;     /* ns */
};

/* Table 3, ns. */
struct rule_lifetimes {
  chorus_time max_transmit_span, max_transmit_wait, max_rtt, exchange_lifetime, non_lifetime;
};

/* The parameters and time values that the rules use. */
extern const struct rule_parameters rule_default_parameters;
extern const struct rule_lifetimes rule_default_lifetimes;

/* Section 4.8.2: the time values by their formulas. */
struct rule_lifetimes rule_derive_lifetimes(const struct rule_parameters *parameters);
/* The name of the first value in |used| that does not follow from |parameters|, or NULL. */
const char *rule_wrong_lifetime(const struct rule_lifetimes *used,
                                const struct rule_parameters *parameters);

#endif
