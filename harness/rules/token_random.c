/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-5.3.1-03: Tokens that cannot be guessed (RFC 7252, section 5.3.1). */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/client.h"

#define ENOUGH_TOKENS   50u /* new requests of one endpoint before Tokens count as a sequence */
#define PORTS           4u  /* clients of one host that are told apart at a time */
#define INTERNET_OCTETS 4u  /* "at least 32 bits of randomness" */

/* Of one source port; Tokens read in network order and in the other one. */
struct sequence {
  uint16_t port;
  uint8_t length;
  unsigned count; /* Tokens of this length, one after the other */
  uint64_t last[2], step[2];
  bool alike[2];
};

struct history {
  struct sequence sequences[PORTS];
  unsigned next_port;
  uint64_t first; /* the first Token since the last start */
  uint8_t first_length;
  bool has_first, fresh_start, told;
  unsigned tokens;
};

static uint64_t number_of(const uint8_t *token, size_t length, bool reversed) {
  uint64_t n = 0;
  for (size_t i = 0; i < length; i++) n = n << 8 | token[reversed ? length - 1 - i : i];
  return n;
}

static uint64_t within(uint64_t difference, uint8_t length) {
  return length == 8 ? difference : difference & ((UINT64_C(1) << 8 * length) - 1);
}

static void begin(struct sequence *s, const struct jdg_request *r) {
  memset(s, 0, sizeof *s);
  s->port = r->source.port;
  s->length = r->token_length;
}

static struct sequence *sequence_of(struct history *h, const struct jdg_request *r) {
  for (unsigned i = 0; i < PORTS; i++)
    if (h->sequences[i].count && h->sequences[i].port == r->source.port) return &h->sequences[i];
  struct sequence *s = &h->sequences[h->next_port++ % PORTS];
  begin(s, r);
  return s;
}

/* Whether all Tokens so far lie at one distance from each other, for at least ENOUGH_TOKENS. */
static bool goes_on(struct sequence *s, const struct jdg_request *r) {
  if (s->length != r->token_length) begin(s, r);
  bool is_sequence = false;
  for (int order = 0; order < 2; order++) {
    uint64_t n = number_of(r->token, r->token_length, order == 1);
    uint64_t step = within(n - s->last[order], r->token_length);
    if (s->count == 1) s->alike[order] = true;
    if (s->count > 1 && step != s->step[order]) s->alike[order] = false;
    s->last[order] = n;
    s->step[order] = step;
    is_sequence |= s->alike[order];
  }
  s->count++;
  if (!is_sequence && s->count > 2) { /* perhaps one begins here */
    uint64_t last[2] = {s->last[0], s->last[1]};
    begin(s, r);
    memcpy(s->last, last, sizeof last);
    s->count = 1;
  }
  return is_sequence && s->count >= ENOUGH_TOKENS;
}

/* Whether the client begins with the Token that it began with before its restart. */
static bool begins_alike(struct history *h, const struct jdg_request *r) {
  uint64_t n = number_of(r->token, r->token_length, false);
  if (h->has_first && !h->fresh_start) return false;
  bool alike = h->has_first && h->first == n && h->first_length == r->token_length;
  h->first = n;
  h->first_length = r->token_length;
  h->has_first = true;
  h->fresh_start = false;
  return alike && r->token_length >= INTERNET_OCTETS; /* shorter ones may agree by chance */
}

static void judge_token(struct jdg_look *look, struct history *h) {
  const struct jdg_request *r = look->request;
  bool alike = begins_alike(h, r);
  struct sequence *s = r->token_length ? sequence_of(h, r) : NULL;
  bool sequence = s && goes_on(s, r);
  if (look->host->ics.internet == JDG_YES && r->token_length < INTERNET_OCTETS)
    jdg_break(look, look->frame, "Token of at least 4 octets", "Token of %u octets",
              (unsigned)r->token_length);
  else if (alike)
    jdg_break(look, look->frame, "another first Token after a restart",
              "the first Token of the run before");
  else if (sequence && !h->told)
    jdg_break(look, look->frame, "Tokens without a pattern",
              "%u Tokens, each at the same distance from the one before", s->count);
  h->told |= sequence;
}

/* The next block of a transfer, under the Token of the block before: no Token was made for it. */
static bool continues_transfer(const struct jdg_look *look) {
  uint32_t block;
  if (look->relation != JDG_REUSE || !look->request->blockwise) return false;
  for (int i = 0; i < 2; i++) {
    uint16_t option = i == 0 ? DIS_BLOCK1 : DIS_BLOCK2;
    if (dis_option_uint(look->coap, option, 3, &block) == DIS_PRESENT && block >> 4 != 0)
      return true;
  }
  return false;
}

void rule_coap_5_3_1_03(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_SENT) {
    if (look->relation != JDG_NEW && look->relation != JDG_REUSE) return;
    if (!rule_own_request(look) || look->request->oscore || continues_transfer(look)) return;
  }
  struct history *h = jdg_state(look, sizeof *h);
  if (!h) return;
  if (look->hook == JDG_ON_EVENT) {
    h->fresh_start |= look->event->type == CHORUS_EVENT_RESTART;
    return;
  }
  judge_token(look, h);
  if (look->request->token_length) h->tokens++; /* empty ones are allowed, and nothing to praise */
  if (h->tokens >= ENOUGH_TOKENS && !h->told) jdg_pass(look);
}
