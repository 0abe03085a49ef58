/* SPDX-License-Identifier: BSD-2-Clause */
/* CoRE Link Format (RFC 6690): matching one link against a query filter (section 4.1). */
#ifndef REF_WELLKNOWN_H
#define REF_WELLKNOWN_H

#include "chorus/types.h"

/*
 * Whether the link <|path|>;|attributes| matches |query| ("rt=light*", percent-decoded, |length|
 * octets). |attributes| may be NULL. A query without "=" matches nothing.
 */
bool ref_link_matches(const char *path, const char *attributes, const char *query, size_t length);

#endif
