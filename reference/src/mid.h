/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message IDs (RFC 7252, section 4.4): one sequence for unicast and multicast, a random start, and
 * no value again within EXCHANGE_LIFETIME of its last use, towards anybody.
 *
 * The space is cut into blocks; a block is entered only when its last use is long enough ago. The
 * record survives a restart, as if in stable storage: otherwise a restarted node could repeat a
 * Message ID that its peers still remember.
 */
#ifndef REF_MID_H
#define REF_MID_H

#include "chorus/types.h"

enum { REF_MID_BLOCKS = 32, REF_MID_BLOCK = 65536 / REF_MID_BLOCKS };

struct ref_mids {
  uint32_t
      current; /* last use of the block of |next|, noted in |used| when it is left; 0: as there */
  uint16_t next;
  bool inside;                   /* |next| lies in a block that was entered */
  uint32_t used[REF_MID_BLOCKS]; /* last use, s, rounded up, plus 1; 0: never */
};

/* Starts at a random place: |random| are 64 random bits. At boot and after a restart. */
void ref_mids_start(struct ref_mids *m, chorus_time now, uint64_t random);

/* The next Message ID; false when all of them are still in use. */
bool ref_mids_take(struct ref_mids *m, chorus_time now, uint16_t *mid);

/* Notes that a message with |mid| was sent once more. */
void ref_mids_touch(struct ref_mids *m, chorus_time now, uint16_t mid);

#endif
