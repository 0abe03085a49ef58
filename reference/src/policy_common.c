/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_common.h"

bool ref_common_version(const struct ref_env *env, uint8_t version) {
  (void)env;
  return version == 1;
}

chorus_time ref_common_retransmit(const struct ref_env *env, unsigned attempt,
                                  chorus_time previous) {
  (void)attempt;
  if (previous) return 2 * previous;
  chorus_time spread = REF_ACK_TIMEOUT_MAX - REF_ACK_TIMEOUT;
  return REF_ACK_TIMEOUT + ref_random_below(env, REF_RANDOM_RETRANSMIT, spread + 1);
}
