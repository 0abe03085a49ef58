/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Token book of a client: which Tokens are in use, and which wait until MIN_TOKEN_REUSE_TIME
 * has passed since the last message that carried them (seed section 2.3.1). It survives a restart,
 * as if in stable storage: otherwise a restarted client with short Tokens would reuse them too
 * early.
 */
#ifndef REF_TOKEN_H
#define REF_TOKEN_H

#include "chorus/policy.h"

struct ref_token_entry {
  struct ref_token_entry *next, *previous; /* |previous| among the retired only */
  chorus_time free_at;                     /* ns; CHORUS_NEVER: in use */
  uint8_t length;
  uint8_t token[8];
};

#define REF_TOKEN_MARK_BITS 10

struct ref_tokens {
  struct ref_token_entry *active;           /* of requests that go on */
  struct ref_token_entry *oldest, *latest;  /* retired, in the order in which they get free */
  uint16_t marks[1 << REF_TOKEN_MARK_BITS]; /* entries by a hash of the Token: 0 tells without a
                                               search */
  uint64_t serial;                          /* Tokens handed out so far */
  uint8_t *busy; /* bit per Token of up to two octets, on the heap when there are such */
  uint8_t *used; /* likewise: was handed out before */
};

void ref_tokens_init(struct ref_tokens *t);
void ref_tokens_free(struct ref_tokens *t);

/* What a policy sees of the book. */
struct ref_token_view ref_tokens_view(const struct ref_tokens *t);

bool ref_tokens_is_free(const struct ref_tokens *t, const uint8_t *token, uint8_t length);

/* Takes a Token; false without memory. */
bool ref_tokens_take(struct ref_tokens *t, const uint8_t *token, uint8_t length);

/* The request of a Token is over: it is free again at |free_at|, ns. */
void ref_tokens_retire(struct ref_tokens *t, const uint8_t *token, uint8_t length,
                       chorus_time free_at);

/* When the next retired Token gets free, ns, or CHORUS_NEVER. */
static inline chorus_time ref_tokens_next(const struct ref_tokens *t) {
  return t->oldest ? t->oldest->free_at : CHORUS_NEVER;
}

/* Takes out one entry that is free by |now|; the caller frees it. NULL: none. */
struct ref_token_entry *ref_tokens_expire(struct ref_tokens *t, chorus_time now);

#endif
