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
  t->next = CHORUS_NEVER;
}

void ref_tokens_free(struct ref_tokens *t) {
  while (t->first) {
    struct ref_token_entry *e = t->first;
    t->first = e->next;
    free(e);
  }
  free(t->busy);
  free(t->used);
  ref_tokens_init(t);
}

static bool same(const struct ref_token_entry *e, const uint8_t *token, uint8_t length) {
  if (e->length == 8 && length == 8) return memcmp(e->token, token, 8) == 0; /* no call for 8 */
  return e->length == length && (length == 0 || memcmp(e->token, token, length) == 0);
}

bool ref_tokens_is_free(const struct ref_tokens *t, const uint8_t *token, uint8_t length) {
  if (length <= 2) return !bit(t->busy, short_index(token, length));
  for (const struct ref_token_entry *e = t->first; e; e = e->next)
    if (same(e, token, length)) return false;
  return true;
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
  *e = (struct ref_token_entry){.next = t->first, .free_at = CHORUS_NEVER, .length = length};
  if (length) memcpy(e->token, token, length);
  if (length <= 2) {
    uint32_t index = short_index(token, length);
    if (!set_bit(&t->busy, index, true) || !set_bit(&t->used, index, true)) {
      free(e);
      return false;
    }
  }
  t->first = e;
  t->serial++;
  return true;
}

void ref_tokens_retire(struct ref_tokens *t, const uint8_t *token, uint8_t length,
                       chorus_time free_at) {
  for (struct ref_token_entry *e = t->first; e; e = e->next) {
    if (!same(e, token, length) || e->free_at != CHORUS_NEVER) continue;
    e->free_at = free_at;
    if (free_at < t->next) t->next = free_at;
    return;
  }
}

struct ref_token_entry *ref_tokens_expire(struct ref_tokens *t, chorus_time now) {
  if (t->next > now) return NULL;
  struct ref_token_entry **found = NULL;
  t->next = CHORUS_NEVER; /* until one walk over all others has found it */
  for (struct ref_token_entry **at = &t->first; *at; at = &(*at)->next) {
    if (!found && (*at)->free_at <= now)
      found = at;
    else if ((*at)->free_at < t->next)
      t->next = (*at)->free_at;
  }
  if (!found) return NULL;
  struct ref_token_entry *e = *found;
  *found = e->next;
  if (e->length <= 2) set_bit(&t->busy, short_index(e->token, e->length), false);
  return e;
}
