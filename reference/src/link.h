/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links in responses and where they lead: the CoRE Link Format (RFC 6690, section 2) and Location-*
 * (RFC 7252, section 5.10.7), resolved as RFC 3986, section 5.2, says. Nothing allocates.
 */
#ifndef REF_LINK_H
#define REF_LINK_H

#include "codec.h"

/* Links that are longer cannot be followed. Octets, with the zero octet. */
enum { REF_LINK_TARGET_MAX = 512, REF_LINK_URI_MAX = 640 };

/*
 * Writes the target of a link of |m| to |target|, as it stands there: in a 2.05 of Content-Format
 * 40 that of the first link with the target |wanted| (NULL: of the first one), in a 2.01 what the
 * Location-* options make up. Links with an anchor are passed over: they are not relative to the
 * response (RFC 6690, section 2.1). False: there is none.
 */
bool ref_link_take(const struct ref_message *m, const char *wanted,
                   char target[REF_LINK_TARGET_MAX]);

/*
 * Writes to |uri| what |target| means where |base| is the endpoint in the Base URI. A relative
 * reference is one to the origin of the representation, whatever its path (RFC 6690, section 2.1);
 * the path of a Location-* is absolute anyway. A fragment is left out: it is not for the server.
 */
const char *ref_link_resolve(const char *target, const struct chorus_endpoint *base,
                             char uri[REF_LINK_URI_MAX]);

#endif
