/* SPDX-License-Identifier: BSD-2-Clause */
#include "token.h"

#include <stdlib.h>

/* Tokens of 0, 1 and 2 octets are numbered: 0, 1 to 256, 257 to 65792. */
enum { SHORT_TOKENS = 1 + 256 + 65536, SHORT_OCTETS = SHORT_TOKENS / 8 + 1 };

static uint32_t short_index(const uint8_t *token, uint8_t length) {
  if (length == 0) return 0;
  if (length == 1) return 1u + token[0];
  return 257u + ((uint32_t)token[0] << 8 | token[1]);
}

static bool bit(const uint8_t *bits, uint32_t index) {
  return bits && bits[index / 8] >> (index % 8) & 1;
}

static bool set_bit(uint8_t **bits, uint32_t index, bool on) {
  if (!*bits) *bits = calloc(1, SHORT_OCTETS);
  if (!*bits) return false;
  uint8_t mask = (uint8_t)(1u << (index % 8));
  if (on)
    (*bits)[index / 8] |= mask;
  else
    (*bits)[index / 8] &= (uint8_t)~mask;
  return true;
}

void ref_tokens_init(struct ref_tokens *t) {
  memset(t, 0, sizeof *t);
}

static void free_list(struct ref_token_entry *e) {
  while (e) {
    struct ref_token_entry *next = e->next;
    free(e);
    e = next;
  }
}

void ref_tokens_free(struct ref_tokens *t) {
  free_list(t->active);
  free_list(t->oldest);
  free(t->busy);
  free(t->used);
  ref_tokens_init(t);
}

static bool same(const struct ref_token_entry *e, const uint8_t *token, uint8_t length) {
  if (e->length == 8 && length == 8) return memcmp(e->token, token, 8) == 0; /* no call for 8 */
  return e->length == length && (length == 0 || memcmp(e->token, token, length) == 0);
}

static uint16_t *mark_of(struct ref_tokens *t, const uint8_t *token, uint8_t length) {
  uint64_t word = length;
  if (length == 8)
    memcpy(&word, token, 8);
  else
    for (uint8_t i = 0; i < length; i++) word = word << 8 | token[i];
  return &t->marks[word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - REF_TOKEN_MARK_BITS)];
}

static bool listed(const struct ref_token_entry *e, const uint8_t *token, uint8_t length) {
  for (; e; e = e->next)
    if (same(e, token, length)) return true;
  return false;
}

bool ref_tokens_is_free(const struct ref_tokens *t, const uint8_t *token, uint8_t length) {
  if (length <= 2) return !bit(t->busy, short_index(token, length));
  if (*mark_of((struct ref_tokens *)t, token, length) == 0) return true;
  return !listed(t->active, token, length) && !listed(t->oldest, token, length);
}

static bool view_is_free(const void *book, const uint8_t *token, uint8_t length) {
  return ref_tokens_is_free(book, token, length);
}

static bool view_was_used(const void *book, const uint8_t *token, uint8_t length) {
  const struct ref_tokens *t = book;
  return length <= 2 && bit(t->used, short_index(token, length));
}

struct ref_token_view ref_tokens_view(const struct ref_tokens *t) {
  return (struct ref_token_view){
      .book = t, .is_free = view_is_free, .was_used = view_was_used, .serial = t->serial};
}

bool ref_tokens_take(struct ref_tokens *t, const uint8_t *token, uint8_t length) {
  struct ref_token_entry *e = malloc(sizeof *e);
  if (!e) return false;
  *e = (struct ref_token_entry){.next = t->active, .free_at = CHORUS_NEVER, .length = length};
  if (length) memcpy(e->token, token, length);
  if (length <= 2) {
    uint32_t index = short_index(token, length);
    if (!set_bit(&t->busy, index, true) || !set_bit(&t->used, index, true)) {
      free(e);
      return false;
    }
  }
  t->active = e;
  ++*mark_of(t, token, length);
  t->serial++;
  return true;
}

/* Retired Tokens mostly get free in the order of retiring: the place is found from the end. */
static void insert_retired(struct ref_tokens *t, struct ref_token_entry *e) {
  struct ref_token_entry *before = t->latest;
  while (before && before->free_at > e->free_at) before = before->previous;
  e->previous = before;
  e->next = before ? before->next : t->oldest;
  if (e->next)
    e->next->previous = e;
  else
    t->latest = e;
  if (before)
    before->next = e;
  else
    t->oldest = e;
}

void ref_tokens_retire(struct ref_tokens *t, const uint8_t *token, uint8_t length,
                       chorus_time free_at) {
  struct ref_token_entry **at = &t->active;
  while (*at && !same(*at, token, length)) at = &(*at)->next;
  struct ref_token_entry *e = *at;
  if (!e) return;
  *at = e->next;
  e->free_at = free_at;
  insert_retired(t, e);
}

struct ref_token_entry *ref_tokens_expire(struct ref_tokens *t, chorus_time now) {
  struct ref_token_entry *e = t->oldest;
  if (!e || e->free_at > now) return NULL;
  t->oldest = e->next;
  if (t->oldest)
    t->oldest->previous = NULL;
  else
    t->latest = NULL;
  --*mark_of(t, e->token, e->length);
  if (e->length <= 2) set_bit(&t->busy, short_index(e->token, e->length), false);
  return e;
}
