/* SPDX-License-Identifier: BSD-2-Clause */
/* Group addresses with a meaning of their own. */
#ifndef CHORUS_RULES_ADDRESS_H
#define CHORUS_RULES_ADDRESS_H

#include "chorus/types.h"

/* FF0X::|last| with permanent assignment (flags 0), any scope. */
static inline bool rule_is_well_known_ipv6(const struct chorus_endpoint *e, uint8_t last) {
  static const uint8_t zero[13] = {0};
  const uint8_t *a = e->address;
  return a[0] == 0xff && (a[1] & 0xf0u) == 0 && memcmp(a + 2, zero, sizeof zero) == 0 &&
         a[15] == last;
}

static inline bool rule_is_ipv4(const struct chorus_endpoint *e, uint8_t a, uint8_t b, uint8_t c,
                                uint8_t d) {
  const uint8_t wanted[4] = {a, b, c, d};
  return chorus_is_ipv4(e) && memcmp(e->address + 12, wanted, sizeof wanted) == 0;
}

/* "All CoAP Nodes" (RFC 7252, section 12.8), any port. */
static inline bool rule_is_all_coap_nodes(const struct chorus_endpoint *e) {
  return rule_is_well_known_ipv6(e, 0xfd) || rule_is_ipv4(e, 224, 0, 1, 187);
}

/* Groups that every host is in whether it wants or not: all nodes, all hosts, broadcast. */
static inline bool rule_is_all_nodes(const struct chorus_endpoint *e) {
  return rule_is_well_known_ipv6(e, 0x01) || rule_is_ipv4(e, 224, 0, 0, 1) ||
         chorus_is_broadcast(e);
}

#endif
