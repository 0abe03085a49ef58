/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of resources, as people and stacks write them: the text of a URI, in which what needs no
 * percent-encoding may have it and what needs it may lack it. There is one way of writing that
 * everything compares and prints: that in which RFC 7252, section 6.5, composes a path from
 * options. "/a b" and "/a%20b" are the latter, "/a%2Fb" is one segment, "/a/b" two.
 */
#ifndef CHORUS_SCENARIO_PATH_H
#define CHORUS_SCENARIO_PATH_H

#include "scenario/document.h"

/* Octets of a path that a resource of the reference may have, composed. */
enum { SCN_PATH_MAX = 511 };

/*
 * Writes |path|, with its query if it has one, as it is composed. A "%" without two digits stands
 * for itself. Cut to |size| with its final zero; returns the whole length, as snprintf() does.
 */
size_t scn_path_compose(const char *path, char *text, size_t size);

/* The same into the arena. NULL, with a complaint at |at|, of what is no path. */
const char *scn_path(struct scn_document *d, const scn_value *at, const char *path);
/* That of a resource, which has no query, and no segments that are never sent. */
const char *scn_resource_path(struct scn_document *d, const scn_value *at, const char *path);

/* Undoes percent-encoding of |length| characters into |to|, which has room for them; the octets. */
size_t scn_percent_decode(const char *text, size_t length, uint8_t *to);
/* Whether each "%" is followed by two hexadecimal digits. */
bool scn_percent_valid(const char *text);

#endif
