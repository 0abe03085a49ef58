/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet frames of real hosts (RFC 894, RFC 2464): what they carry, and how they are addressed.
 */
#ifndef KRN_FRAME_H
#define KRN_FRAME_H

#include "chorus/types.h"

#define KRN_ETHERNET_HEADER 14u
#define KRN_FRAME_MAX       (KRN_ETHERNET_HEADER + 65575u)

enum krn_frame_kind {
  KRN_FRAME_FOREIGN, /* no IP, or broken */
  KRN_FRAME_PACKET,  /* for other hosts */
  KRN_FRAME_ERROR,   /* for other hosts, an ICMP error */
  KRN_FRAME_REPORT,  /* a membership report (IGMP; MLD) */
  KRN_FRAME_UPKEEP   /* neighbour and router discovery */
};

struct krn_frame {
  enum krn_frame_kind kind;
  struct chorus_endpoint source, destination; /* ports of UDP, where they are to be seen */
  const uint8_t *packet;                      /* IP, without padding */
  uint32_t length;
  const uint8_t *body; /* behind the IP header; in a first part, behind options too */
  uint32_t body_length;
  bool v4;
  bool fragment;
  uint8_t protocol; /* of |body| */
  uint8_t hop_limit;
};

void krn_frame_parse(const uint8_t *octets, size_t length, struct krn_frame *frame);

/* The Ethernet header of a packet to |destination|, which may be a group, for the host |mac|. */
void krn_frame_header(uint8_t header[KRN_ETHERNET_HEADER],
                      const struct chorus_endpoint *destination, const uint8_t mac[6]);

#endif
