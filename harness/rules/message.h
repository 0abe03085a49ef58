/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules on messages and their matching (RFC 7252, sections 3 to 5) have in common. */
#ifndef CHORUS_RULES_MESSAGE_H
#define CHORUS_RULES_MESSAGE_H

#include "judge/model.h"
#include "rules/constants.h"
#include "rules/text.h"

#define RULE_CODE_GET   0x01u
#define RULE_CODE_POST  0x02u
#define RULE_CODE_PUT   0x03u
#define RULE_CODE_FETCH 0x05u
#define RULE_CODE_PATCH 0x06u
#define RULE_CODE_4_00  0x80u
#define RULE_CODE_4_02  0x82u
#define RULE_CODE_5_05  0xa5u

/* A small memory of a rule, for use with jdg_state(): the oldest note makes room for a new one. */
#define RULE_NOTES 16u
struct rule_notes {
  struct {
    uint64_t key; /* a request's serial or a frame number; 0: unused */
    uint32_t value;
  } notes[RULE_NOTES];
  unsigned next;
};

/* Writes down |value| for |key|, in the place of what was noted for |key| before. */
void rule_note(struct rule_notes *notes, uint64_t key, uint32_t value);
/* Whether something was noted for |key|; |value| (may be NULL) gets it. */
bool rule_noted(const struct rule_notes *notes, uint64_t key, uint32_t *value);

/* jdg_state() of the size of rule_notes, and rule_note() in it. */
void rule_note_state(struct jdg_look *look, uint64_t key, uint32_t value);
bool rule_noted_state(struct jdg_look *look, uint64_t key, uint32_t *value);

/*
 * Whether the datagram is CoAP beyond doubt, so that its format can be held against it: in captures
 * made elsewhere other protocols share ports with CoAP (DTLS at 5684, reused ephemeral ports).
 */
bool rule_surely_coap(const struct jdg_look *look);

/* Whether |host| started anew at |since| or later: what it knew before is nobody's fault to forget.
 */
bool rule_restarted_since(const struct jdg_host *host, chorus_time since);

/*
 * The Token was in use for another request so recently that its answers may still be sent (seed,
 * section 2.3.1).
 */
bool rule_token_in_doubt(const struct jdg_request *request, chorus_time now);

/* The response in the look answers exactly the message in look->reception, and no other. */
bool rule_answers_reception(const struct jdg_look *look);

/* A RST went to the sender of a group message (section 8.1): graded by what the server can know. */
void rule_reset_to_group(struct jdg_look *look, const char *expected);

#endif
