/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading of the CoRE Link Format (RFC 6690, section 2) as far as rules need it. No allocation. */
#ifndef CHORUS_RULES_LINK_FORMAT_H
#define CHORUS_RULES_LINK_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule_text {
  const uint8_t *at;
  size_t length;
};

struct rule_link {
  struct rule_text target;     /* between "<" and ">" */
  struct rule_text attributes; /* what follows, up to the comma: ";rt=x;if=y" */
};

/*
 * Takes the next link off |rest|. False at the end, or at something that is no link: then |rest| is
 * not empty. Blanks and line breaks between links are let pass.
 */
bool rule_link_next(struct rule_text *rest, struct rule_link *link);

/*
 * Whether a link matches "name=value" (section 4.1): "href" is the target, any other name an
 * attribute; a value that ends in "*" is a prefix; one of several values separated by blanks
 * counts.
 */
bool rule_link_matches(const struct rule_link *link, struct rule_text name, struct rule_text value);

#endif
