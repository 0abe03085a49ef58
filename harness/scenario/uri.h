/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The URI of a request (RFC 7252, section 6), as far as clients can take it: docs/commands.md. What
 * is good here is good for the reference's client; a test compares the two.
 */
#ifndef CHORUS_SCENARIO_URI_H
#define CHORUS_SCENARIO_URI_H

#include <stddef.h>

#include "chorus/types.h"

enum scn_uri_fault {
  SCN_URI_GOOD = 0,
  SCN_URI_SCHEME,    /* neither coap:// nor coaps:// */
  SCN_URI_LONG,      /* more than 1023 octets */
  SCN_URI_FRAGMENT,  /* a fragment is never requested (section 6.4) */
  SCN_URI_PERCENT,   /* "%" without two hexadecimal digits */
  SCN_URI_BRACKET,   /* an IPv6 address without its brackets, or one of them */
  SCN_URI_PORT,      /* no number from 1 to 65535 */
  SCN_URI_HOST_NAME, /* not the literal of an address */
  SCN_URI_PART,      /* a segment or a query argument of more than 255 octets, or too many */
};

enum { SCN_URI_HOST = 80 };

struct scn_uri {
  size_t scheme_length;
  char host[SCN_URI_HOST];            /* as written, without brackets; from HOST_NAME on */
  struct chorus_endpoint destination; /* of a good one */
  size_t parts, octets;               /* of a good one: Uri-Path and Uri-Query options, and what
                                         they hold */
};

enum scn_uri_fault scn_uri_read(const char *text, struct scn_uri *uri);

#endif
