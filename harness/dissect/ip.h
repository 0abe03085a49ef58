/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the dissector: from an IP packet to a UDP datagram or an ICMP error. */
#ifndef CHORUS_DISSECT_IP_H
#define CHORUS_DISSECT_IP_H

#include "dissect/frame.h"

/* Where and when the packet was seen. */
struct ip_origin {
  struct dis_reassembly *reassembly;
  uint32_t interface;
  chorus_time time;
};

/*
 * Reads the IP packet at |data|, of which |length| octets were captured and |missing| more were on
 * the wire. |version|: 4, 6, or 0 for whatever it says itself. Fills what the link layer left open
 * in |frame|.
 */
void ip_read(const struct ip_origin *origin, unsigned version, const uint8_t *data, size_t length,
             size_t missing, struct dis_frame *frame);

#endif
