/* SPDX-License-Identifier: BSD-2-Clause */
/* Composing the path and query of a URI from options (RFC 7252, section 6.5). */
#ifndef REF_PATH_H
#define REF_PATH_H

#include "codec.h"

/* One octet of a path segment, or of a query argument, as 1 or 3 characters; returns how many. */
size_t ref_path_octet(char text[3], uint8_t octet, bool query);

/*
 * Path and query of |options|, as "/a%20b?x=1"; "/" without any. Cut to |size| with its final zero,
 * which |size| 0 leaves out; returns the whole length, as snprintf() does.
 */
size_t ref_path_compose(const struct ref_option_list *options, char *text, size_t size);

/* Whether |path|, without query, is written as composing writes it. */
bool ref_path_is_composed(const char *path);

#endif
