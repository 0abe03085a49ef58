/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of messages, and the transmission parameters (RFC 7252, sections 4.6 and 4.8). */
#include "rules/checks.h"
#include "rules/message.h"

/* ---- COAP-4.6-01 ---- */

/*
 * A message of at most 1152 octets goes into any IPv6 packet. An IPv4 path may carry as little as
 * 576 octets, which a sender need not know: the section's note leaves that open.
 */
void rule_coap_4_6_01(struct jdg_look *look) {
  size_t length = look->coap->length;
  bool fragmented = look->frame_info->fragmented;
  if (length > RULE_MAX_MESSAGE_SIZE)
    jdg_break(look, look->frame, "at most 1152 octets where the path MTU is not known",
              "message of %zu octets%s", length, fragmented ? ", in IP fragments" : "");
  else if (!fragmented) /* else: a link that carries less than a sender may assume (1280 octets) */
    jdg_pass(look);
}

/* ---- COAP-4.8-01, COAP-4.8.1-01 ---- */

const struct rule_parameters rule_default_parameters = {
    .ack_timeout = RULE_ACK_TIMEOUT,
    .factor_numerator = RULE_ACK_RANDOM_FACTOR_NUMERATOR,
    .factor_denominator = RULE_ACK_RANDOM_FACTOR_DENOMINATOR,
    .max_retransmit = RULE_MAX_RETRANSMIT,
    .max_latency = RULE_MAX_LATENCY,
    .processing_delay = RULE_PROCESSING_DELAY,
};

/* As far as the judge has a name for the same value, the judge's. */
const struct rule_lifetimes rule_default_lifetimes = {
    .max_transmit_span = JDG_MAX_TRANSMIT_SPAN,
    .max_transmit_wait = RULE_MAX_TRANSMIT_WAIT,
    .max_rtt = RULE_MAX_RTT,
    .exchange_lifetime = JDG_EXCHANGE_LIFETIME,
    .non_lifetime = JDG_NON_LIFETIME,
};

_Static_assert(RULE_MAX_TRANSMIT_SPAN == JDG_MAX_TRANSMIT_SPAN, "one value");
_Static_assert(RULE_EXCHANGE_LIFETIME == JDG_EXCHANGE_LIFETIME, "one value");
_Static_assert(RULE_NON_LIFETIME == JDG_NON_LIFETIME, "one value");
_Static_assert(RULE_MAX_LATENCY == JDG_MAX_LATENCY, "one value");
_Static_assert(RULE_PROCESSING_DELAY == JDG_PROCESSING_DELAY, "one value");
_Static_assert(RULE_DEFAULT_LEISURE == JDG_DEFAULT_LEISURE, "one value");

/* ACK_TIMEOUT * ((2 ** doublings) - 1) * ACK_RANDOM_FACTOR */
static chorus_time backed_off(const struct rule_parameters *p, unsigned doublings) {
  chorus_time sum = p->ack_timeout * ((UINT64_C(1) << doublings) - 1);
  return sum * p->factor_numerator / p->factor_denominator;
}

struct rule_lifetimes rule_derive_lifetimes(const struct rule_parameters *p) {
  struct rule_lifetimes t;
  t.max_transmit_span = backed_off(p, p->max_retransmit);
  t.max_transmit_wait = backed_off(p, p->max_retransmit + 1);
  t.max_rtt = 2 * p->max_latency + p->processing_delay;
  t.exchange_lifetime = t.max_transmit_span + 2 * p->max_latency + p->processing_delay;
  t.non_lifetime = t.max_transmit_span + p->max_latency;
  return t;
}

const char *rule_wrong_lifetime(const struct rule_lifetimes *used,
                                const struct rule_parameters *parameters) {
  struct rule_lifetimes t = rule_derive_lifetimes(parameters);
  if (used->max_transmit_span != t.max_transmit_span) return "MAX_TRANSMIT_SPAN";
  if (used->max_transmit_wait != t.max_transmit_wait) return "MAX_TRANSMIT_WAIT";
  if (used->max_rtt != t.max_rtt) return "MAX_RTT";
  if (used->exchange_lifetime != t.exchange_lifetime) return "EXCHANGE_LIFETIME";
  return used->non_lifetime != t.non_lifetime ? "NON_LIFETIME" : NULL;
}

/* The node is judged by these values: were they wrong, nothing that rests on them would hold. */
void rule_coap_4_8_01(struct jdg_look *look) {
  if (!look->host->ics.declared) return;
  const char *wrong = rule_wrong_lifetime(&rule_default_lifetimes, &rule_default_parameters);
  if (wrong)
    jdg_break(look, 0, "time values that follow from the transmission parameters",
              "the harness uses another %s", wrong);
  else
    jdg_pass(look);
}

void rule_coap_4_8_1_01(struct jdg_look *look) {
  const struct jdg_ics *ics = &look->host->ics;
  if (!ics->declared || ics->nstart == 0) return;
  if (ics->nstart > RULE_NSTART)
    jdg_break(look, 0, "NSTART 1 without further means of congestion control", "NSTART %u",
              ics->nstart);
  else
    jdg_pass(look);
}
