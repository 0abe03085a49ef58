/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/message.h"

#include <stdio.h>

void rule_note(struct rule_notes *notes, uint64_t key, uint32_t value) {
  unsigned i = 0;
  while (i < RULE_NOTES && notes->notes[i].key != key) i++;
  if (i == RULE_NOTES) i = notes->next++ % RULE_NOTES;
  notes->notes[i].key = key;
  notes->notes[i].value = value;
}

bool rule_noted(const struct rule_notes *notes, uint64_t key, uint32_t *value) {
  if (notes->next == 0 || key == 0) return false;
  for (unsigned i = 0; i < RULE_NOTES; i++) {
    if (notes->notes[i].key != key) continue;
    if (value) *value = notes->notes[i].value;
    return true;
  }
  return false;
}

void rule_note_state(struct jdg_look *look, uint64_t key, uint32_t value) {
  struct rule_notes *notes = jdg_state(look, sizeof *notes);
  if (notes && key) rule_note(notes, key, value);
}

bool rule_noted_state(struct jdg_look *look, uint64_t key, uint32_t *value) {
  const struct rule_notes *notes = jdg_state(look, sizeof *notes);
  return notes && rule_noted(notes, key, value);
}

bool rule_surely_coap(const struct jdg_look *look) {
  uint16_t from = look->frame_info->source.port, to = look->frame_info->destination.port;
  if (from == CHORUS_COAPS_PORT || to == CHORUS_COAPS_PORT) return false;
  if (look->certain) return true;
  if (from != CHORUS_COAP_PORT && to != CHORUS_COAP_PORT) return false;
  /* DTLS records begin with 20 to 63 (RFC 7983, section 7): no octet that CoAP version 1 begins
   * with. Those with a version in plain sight (below 32) have 254 for its first half. */
  const struct dis_coap *m = look->coap;
  uint8_t first = m->length ? m->data[0] : 0;
  if (first < 20 || first > 63) return true;
  return first < 32 && m->length >= 4 && m->data[1] != 254;
}

bool rule_restarted_since(const struct jdg_host *host, chorus_time since) {
  return host->restarted_at != 0 && host->restarted_at >= since;
}

bool rule_token_in_doubt(const struct jdg_request *request, chorus_time now) {
  const struct jdg_request *old = request->previous;
  return old && now < old->last_time + RULE_NON_LIFETIME + RULE_MAX_LATENCY;
}

/* Of a Token that is too long, the answer may repeat what fits: so much of it is no chance. */
#define CUT_TOKEN 4u

/*
 * In a capture made elsewhere, a response that no request explains may answer one that was not
 * captured, unless it repeats what stood in the message: the Token, or of an Empty one the ID.
 */
static bool repeats(const struct jdg_look *look, const struct jdg_reception *r) {
  const struct dis_coap *m = look->coap;
  if (look->now > r->time + look->host->ics.leisure + look->host->ics.processing) return false;
  if (r->errors & DIS_ERROR_TOKEN_LENGTH)
    return m->token_length >= CUT_TOKEN && memcmp(m->token, r->token, m->token_length) == 0;
  if (m->token_length != r->token_length) return false;
  if (r->token_length) return memcmp(m->token, r->token, r->token_length) == 0;
  return r->code == 0 && !(r->errors & DIS_ERROR_VERSION) && m->mid == r->mid;
}

bool rule_answers_reception(const struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r || r->duplicate_of_known || look->copy) return false;
  if (!look->leg) return look->certain ? look->now <= r->window_end : repeats(look, r);
  if (rule_token_in_doubt(look->leg->request, look->now)) return false;
  return look->leg == r->leg && r->leg->receptions == 1;
}

void rule_reset_to_group(struct jdg_look *look, const char *expected) {
  /* Who cannot tell that a message came by multicast may answer as usual; to be able to is a
   * SHOULD. */
  if (look->host->ics.mcast_aware == JDG_NO) return;
  if (look->host->ics.mcast_aware == JDG_YES)
    jdg_break(look, look->frame, expected, "RST, mid=0x%04x", look->reception->mid);
  else
    jdg_warn(look, look->frame, expected, "RST, mid=0x%04x", look->reception->mid);
}
