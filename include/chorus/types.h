/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plain types that every room of Chorus speaks: time, addresses and endpoints.
 *
 * There is no code behind this header and no CoAP in it. Time is an integer number of nanoseconds
 * since the start of the run; nothing that includes this header asks a clock.
 */
#ifndef CHORUS_TYPES_H
#define CHORUS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Nanoseconds since the start of the run (virtual time), or since the Unix epoch in a capture. */
typedef uint64_t chorus_time;

#define CHORUS_NEVER       UINT64_MAX
#define CHORUS_NANOSECOND  UINT64_C(1)
#define CHORUS_MICROSECOND UINT64_C(1000)
#define CHORUS_MILLISECOND UINT64_C(1000000)
#define CHORUS_SECOND      UINT64_C(1000000000)

#define CHORUS_COAP_PORT  5683u /* RFC 7252, section 12.6 */
#define CHORUS_COAPS_PORT 5684u /* RFC 7252, section 12.7 */

/*
 * An IP address and a UDP port. IPv4 addresses are held in their IPv4-mapped form (::ffff:a.b.c.d,
 * RFC 4291, section 2.5.5.2), so that one comparison serves both versions.
 */
struct chorus_endpoint {
  uint8_t address[16]; /* network byte order */
  uint32_t zone;       /* link that a link-local address belongs to, 1 and up; 0: none */
  uint16_t port;       /* host byte order; 0: any */
  uint16_t reserved;   /* always 0, so that the whole can be hashed */
};

static const uint8_t chorus_v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static inline bool chorus_is_ipv4(const struct chorus_endpoint *e) {
  return memcmp(e->address, chorus_v4_prefix, sizeof chorus_v4_prefix) == 0;
}

/* Whether the address is the limited broadcast address of IPv4 (255.255.255.255). */
static inline bool chorus_is_broadcast(const struct chorus_endpoint *e) {
  static const uint8_t all_ones[4] = {0xff, 0xff, 0xff, 0xff};
  return chorus_is_ipv4(e) && memcmp(e->address + 12, all_ones, 4) == 0;
}

/* Whether the address lies in ff00::/8 or 224.0.0.0/4. */
static inline bool chorus_is_multicast(const struct chorus_endpoint *e) {
  if (chorus_is_ipv4(e)) return (e->address[12] & 0xf0u) == 0xe0u;
  return e->address[0] == 0xff;
}

/* Whether a datagram to this endpoint may reach several hosts: multicast, or IPv4 broadcast. */
static inline bool chorus_is_group(const struct chorus_endpoint *e) {
  return chorus_is_multicast(e) || chorus_is_broadcast(e);
}

static inline bool chorus_is_unspecified(const struct chorus_endpoint *e) {
  static const uint8_t zero[16] = {0};
  if (chorus_is_ipv4(e)) return memcmp(e->address + 12, zero, 4) == 0;
  return memcmp(e->address, zero, sizeof zero) == 0;
}

/* Whether the address lies in fe80::/10 (RFC 4291, section 2.5.6) or 169.254.0.0/16 (RFC 3927). */
static inline bool chorus_is_link_local(const struct chorus_endpoint *e) {
  if (chorus_is_ipv4(e)) return e->address[12] == 169 && e->address[13] == 254;
  return e->address[0] == 0xfe && (e->address[1] & 0xc0u) == 0x80u;
}

/*
 * The scope of an IPv6 multicast address (RFC 7346, section 2), 1 to 15. IPv4 has no scope field:
 * 224.0.0.0/24 counts as link-local (2), 239.255.0.0/16 as site-local (5), 239.192.0.0/14 as
 * organization-local (8; RFC 2365, section 6), everything else as global (14). 0: not multicast.
 */
static inline unsigned chorus_multicast_scope(const struct chorus_endpoint *e) {
  if (chorus_is_broadcast(e)) return 2;
  if (!chorus_is_multicast(e)) return 0;
  if (!chorus_is_ipv4(e)) return e->address[1] & 0x0fu;
  const uint8_t *a = e->address + 12;
  if (a[0] == 224 && a[1] == 0 && a[2] == 0) return 2;
  if (a[0] == 239 && a[1] == 255) return 5;
  if (a[0] == 239 && (a[1] & 0xfcu) == 192) return 8;
  return 14;
}

static inline bool chorus_same_address(const struct chorus_endpoint *a,
                                       const struct chorus_endpoint *b) {
  return memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* Same address and port. Zones are compared only where both are given. */
static inline bool chorus_same_endpoint(const struct chorus_endpoint *a,
                                        const struct chorus_endpoint *b) {
  if (a->port != b->port || !chorus_same_address(a, b)) return false;
  return a->zone == 0 || b->zone == 0 || a->zone == b->zone;
}

#endif
