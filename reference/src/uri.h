/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposing a URI into a destination and options (RFC 7252, section 6.4). */
#ifndef REF_URI_H
#define REF_URI_H

#include "codec.h"

struct ref_uri {
  struct chorus_endpoint destination;
  bool secure; /* coaps */
};

/*
 * Reads |text|, adds Uri-Path and Uri-Query to |options|. The host has to be an address literal, so
 * Uri-Host never appears, and the destination port is the URI's, so Uri-Port never does either.
 * CHORUS_OK, or CHORUS_BAD_ARGUMENT with a static |why|.
 */
int ref_uri_parse(const char *text, struct ref_uri *uri, struct ref_option_list *options,
                  const char **why);

/* The URI that was parsed last, with its text behind it. */
struct ref_uri_memory {
  struct ref_uri uri;
  struct ref_option_list options;
  char text[];
};

/*
 * The same, but what |*memory| holds is not parsed again; what is parsed is remembered there. NULL
 * at first, free() at the end.
 */
int ref_uri_recall(struct ref_uri_memory **memory, const char *text, struct ref_uri *uri,
                   struct ref_option_list *options, const char **why);

#endif
