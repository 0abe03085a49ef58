/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the dissector: reassembly of IPv4 and IPv6 fragments (RFC 791, section 3.2; RFC 8200,
 * section 4.5; RFC 5722). Bounded: the oldest datagram is given up for a new one when there are
 * REASSEMBLY_MAX_DATAGRAMS or REASSEMBLY_MAX_OCTETS. So many, since every member of a large group
 * may be waiting for the second half of the same datagram.
 */
#ifndef CHORUS_DISSECT_REASSEMBLY_H
#define CHORUS_DISSECT_REASSEMBLY_H

#include "dissect/frame.h"

#define REASSEMBLY_TIMEOUT \
  (60 * CHORUS_SECOND) /* from the first fragment (RFC 8200, section 4.5) */
#define REASSEMBLY_MAX_DATAGRAMS ((size_t)131072)
#define REASSEMBLY_MAX_OCTETS    ((size_t)256 << 20)

/* What fragments of one datagram have in common. Hashed as octets: no gaps, all of it set. */
struct reassembly_key {
  uint8_t source[16], destination[16];
  uint32_t identification;
  uint32_t interface;
  uint32_t link;     /* interface index that the link layer shows, or 0 */
  uint32_t protocol; /* IPv4: its protocol; IPv6: 256, since the next header does not count */
};
#define REASSEMBLY_IPV6 256u

struct fragment {
  struct reassembly_key key;
  chorus_time time;
  size_t offset; /* octets, a multiple of 8 */
  const uint8_t *data;
  size_t length;
  bool more;
  uint8_t protocol;  /* of what is fragmented, as this fragment says */
  uint8_t hop_limit; /* of this fragment */
};

/* A datagram put together; |data| is valid until the next fragment is added. */
struct reassembled {
  const uint8_t *data;
  size_t length;
  uint8_t protocol;  /* as the first fragment says */
  uint8_t hop_limit; /* of the first fragment */
};

enum reassembly_status {
  REASSEMBLY_KEPT,    /* waiting for others, or a duplicate */
  REASSEMBLY_WHOLE,   /* |whole| is filled */
  REASSEMBLY_LENGTH,  /* dropped: length is no multiple of 8, or ends contradict each other */
  REASSEMBLY_OVERLAP, /* datagram discarded: fragments overlap */
  REASSEMBLY_MEMORY,
};

enum reassembly_status reassembly_add(struct dis_reassembly *reassembly,
                                      const struct fragment *fragment, struct reassembled *whole);

#endif
