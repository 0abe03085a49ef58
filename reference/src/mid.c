/* SPDX-License-Identifier: BSD-2-Clause */
#include "mid.h"

#include "chorus/policy.h"

static bool block_free(const struct ref_mids *m, unsigned block, chorus_time now) {
  uint64_t last = m->used[block];
  return last == 0 || now / CHORUS_SECOND > last - 1 + REF_EXCHANGE_LIFETIME / CHORUS_SECOND;
}

/* The |nth| free block from |from| on, or REF_MID_BLOCKS if there are not that many. */
static unsigned nth_free(const struct ref_mids *m, chorus_time now, unsigned from, unsigned nth) {
  for (unsigned i = 0; i < REF_MID_BLOCKS; i++) {
    unsigned block = (from + i) % REF_MID_BLOCKS;
    if (block_free(m, block, now) && nth-- == 0) return block;
  }
  return REF_MID_BLOCKS;
}

static unsigned oldest(const struct ref_mids *m) {
  unsigned best = 0;
  for (unsigned i = 1; i < REF_MID_BLOCKS; i++)
    if (m->used[i] < m->used[best]) best = i;
  return best;
}

static uint32_t mark_of(chorus_time now) {
  return (uint32_t)((now + CHORUS_SECOND - 1) / CHORUS_SECOND + 1);
}

/* The block that |next| lies in is left. */
static void leave_block(struct ref_mids *m, uint16_t last) {
  if (m->current) m->used[last / REF_MID_BLOCK] = m->current;
  m->current = 0;
  m->inside = false;
}

void ref_mids_touch(struct ref_mids *m, chorus_time now, uint16_t mid) {
  if (m->inside && mid / REF_MID_BLOCK == m->next / REF_MID_BLOCK)
    m->current = mark_of(now);
  else
    m->used[mid / REF_MID_BLOCK] = mark_of(now);
}

void ref_mids_start(struct ref_mids *m, chorus_time now, uint64_t random) {
  unsigned count = 0;
  if (m->inside) leave_block(m, m->next);
  for (unsigned i = 0; i < REF_MID_BLOCKS; i++) count += block_free(m, i, now);
  unsigned pick = count ? (unsigned)((random >> 32) % count) : 0;
  unsigned block = count ? nth_free(m, now, 0, pick) : oldest(m);
  m->next = (uint16_t)(block * REF_MID_BLOCK + random % REF_MID_BLOCK);
  m->inside = true;
}

bool ref_mids_take(struct ref_mids *m, chorus_time now, uint16_t *mid) {
  if (!m->inside) {
    unsigned block = nth_free(m, now, m->next / REF_MID_BLOCK, 0);
    if (block == REF_MID_BLOCKS) return false;
    m->next = (uint16_t)(block * REF_MID_BLOCK);
    m->inside = true;
  }
  *mid = m->next++;
  m->current = mark_of(now);
  if (m->next % REF_MID_BLOCK == 0) leave_block(m, *mid);
  return true;
}
