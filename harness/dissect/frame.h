/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a captured frame to UDP datagrams and ICMP errors: link layer, IPv4 and IPv6 with extension
 * headers, reassembly of fragments (per interface), UDP with its checksum.
 */
#ifndef CHORUS_DISSECT_FRAME_H
#define CHORUS_DISSECT_FRAME_H

#include "chorus/types.h"

enum dis_direction { DIS_DIRECTION_UNKNOWN = 0, DIS_INBOUND, DIS_OUTBOUND };

enum dis_frame_kind {
  DIS_FRAME_OTHER =
      0,          /* well-formed, and nothing that rules look at (ARP, TCP, MLD, a fragment kept) */
  DIS_FRAME_UDP,  /* a whole UDP datagram, possibly reassembled just now */
  DIS_FRAME_ICMP, /* ICMP or ICMPv6 error that quotes a UDP datagram */
  DIS_FRAME_DAMAGED, /* right up to IP or UDP, whose checksum or length is wrong: a receiver drops
                        it */
  DIS_FRAME_UNREADABLE, /* shorter than its headers say, unknown link type, cut by the snap length
                         */
};

struct dis_frame {
  enum dis_frame_kind kind;
  const char *why;               /* DAMAGED, UNREADABLE: what is wrong; static text */
  struct chorus_endpoint source; /* IP source (and UDP port) */
  struct chorus_endpoint destination;
  uint8_t hop_limit;
  bool fragmented; /* the datagram came in fragments; payload is valid until the next call */
  bool offloaded;  /* the UDP checksum is the bare pseudo-header sum: left to a network card */
  uint8_t source_mac[8], destination_mac[8]; /* where the link layer shows them */
  /* 0: the link layer shows none, or zeros. Linux cooked captures: the source's only. */
  uint8_t mac_length;
  enum dis_direction direction; /* Linux cooked captures show it */
  uint32_t interface_index;     /* Linux cooked v2: ifindex; else 0 */
  const uint8_t
      *payload; /* UDP payload, or the quoted packet's UDP payload as far as it is there */
  size_t length;
  uint8_t icmp_type, icmp_code; /* ICMP; |icmp_v6| tells which numbers */
  bool icmp_v6;
  struct chorus_endpoint quoted_source,
      quoted_destination; /* ICMP: endpoints of the quoted datagram */
};

struct dis_reassembly; /* fragments waiting for their siblings, all interfaces of one capture */

struct dis_reassembly *dis_reassembly_new(void); /* NULL: no memory */
void dis_reassembly_free(struct dis_reassembly *reassembly);

/* Datagrams given up for want of a fragment, so far. */
uint64_t dis_reassembly_expired(const struct dis_reassembly *reassembly);
/* Datagrams that still wait for a fragment: at the end of a capture, given up as well. */
uint64_t dis_reassembly_waiting(const struct dis_reassembly *reassembly);

/*
 * Reads one frame of link type |link_type| (a LINKTYPE_ value: 0 null, 1 Ethernet with VLAN tags,
 * 101 raw IP, 108 loop, 113 and 276 Linux cooked, 228 IPv4, 229 IPv6). |original_length| is the
 * length on the wire. A UDP checksum that equals the bare pseudo-header sum (transmit offload) or
 * is
 * 0 over IPv4 counts as right, and so does an IPv4 header checksum of 0 (offload as well).
 * |interface| tells captures' interfaces apart. Fills |frame|.
 */
void dis_frame_read(struct dis_reassembly *reassembly, uint32_t link_type, uint32_t interface,
                    chorus_time time, const uint8_t *data, size_t length, size_t original_length,
                    struct dis_frame *frame);

#endif
