/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies that server and client share. */
#ifndef REF_POLICY_COMMON_H
#define REF_POLICY_COMMON_H

#include "chorus/policy.h"

bool ref_common_version(const struct ref_env *env, uint8_t version);
/* 2 to 3 s at first, then twice the last (RFC 7252, section 4.2). */
chorus_time ref_common_retransmit(const struct ref_env *env, unsigned attempt,
                                  chorus_time previous);

#endif
