/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Membership reports, as a snooping switch reads them (RFC 4541): IGMP versions 1 to 3 (RFC 1112,
 * RFC 2236, RFC 3376) and MLD versions 1 and 2 (RFC 2710, RFC 3810).
 */
#ifndef KRN_SNOOP_H
#define KRN_SNOOP_H

#include "frame.h"

/*
 * Calls |change| for each group that the report says something about. A host that wants some
 * sources only counts as a member. Malformed records end the report.
 */
void krn_snoop(const struct krn_frame *report,
               void (*change)(void *context, const struct chorus_endpoint *group, bool member),
               void *context);

#endif
