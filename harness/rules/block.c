/* SPDX-License-Identifier: BSD-2-Clause */
/* Block options (RFC 7959, sections 2.2 to 2.4 and 2.8). */
#include "rules/checks.h"
#include "rules/message.h"
#include "rules/server.h"

#define SZX_RESERVED 7u

struct block {
  uint32_t number;
  bool more;
  unsigned szx;
};

static bool block_of(const struct dis_coap *m, uint16_t option, struct block *b) {
  uint32_t value;
  if (m->errors || dis_option_uint(m, option, 3, &value) != DIS_PRESENT) return false;
  *b = (struct block){value >> 4, (value & 8u) != 0, value & 7u};
  return true;
}

static size_t block_size(unsigned szx) {
  return (size_t)16 << szx;
}

/*
 * The response answers the only message that the server got for the request. An ACK of another
 * Message ID does not: all blocks may have one Token, and a capture may lack requests.
 */
static bool sole_answer(const struct jdg_look *look) {
  if (!look->leg || look->copy || look->leg->receptions != 1) return false;
  const struct jdg_request *q = look->leg->request;
  if (look->coap->type == DIS_ACK && !jdg_request_has_mid(q, look->coap->mid)) return false;
  return !rule_token_in_doubt(q, look->now);
}

/*
 * The block size exponent that the request asks for. Elsewhere nobody is seen to receive a group
 * request, so that nothing was noted: what was sent tells.
 */
static bool asked_size(struct jdg_look *look, uint32_t *szx) {
  const struct jdg_request *q = look->leg->request;
  if (rule_noted_state(look, q->serial, szx)) return true;
  if (look->certain || q->block2 != DIS_PRESENT || q->type != DIS_NON || q->rejectable)
    return false;
  *szx = q->block2_value & 7u;
  return jdg_answers_group(look);
}

/* ---- BLK-2.2-01 ---- */

static bool reserved_size(const struct dis_coap *m, bool *used) {
  struct block b2 = {0}, b1 = {0};
  bool has2 = block_of(m, DIS_BLOCK2, &b2), has1 = block_of(m, DIS_BLOCK1, &b1);
  *used = has2 || has1;
  return (has2 && b2.szx == SZX_RESERVED) || (has1 && b1.szx == SZX_RESERVED);
}

static void judge_reserved_response(struct jdg_look *look) {
  uint32_t szx;
  if (!sole_answer(look) || !asked_size(look, &szx) || szx != SZX_RESERVED) return;
  char code[16];
  if (look->coap->code == RULE_CODE_4_00)
    jdg_pass(look);
  else if (dis_class(look->coap->code) == 2)
    jdg_break(look, look->frame, "response 4.00 to SZX 7", "response %s, mid=0x%04x",
              dis_code_text(look->coap->code, code), look->coap->mid);
}

void rule_blk_2_2_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    judge_reserved_response(look);
    return;
  }
  bool used, reserved = reserved_size(look->coap, &used);
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (reserved && !look->copy && look->request)
      rule_note_state(look, look->request->serial, SZX_RESERVED);
    return;
  }
  if (reserved && rule_surely_coap(look))
    jdg_break(look, look->frame, "SZX 0 to 6", "SZX 7, mid=0x%04x", look->coap->mid);
  else if (used && !reserved)
    jdg_pass(look);
}

/* ---- BLK-2.3-01, BLK-2.3-02 ---- */

/* What is wrong with the payload of a block that others follow; says nothing if it is right. */
static bool wrong_payload(struct jdg_look *look, const struct block *b) {
  if (!b->more || look->coap->payload_length == block_size(b->szx)) return false;
  jdg_break(look, look->frame, "a payload of the block size while more blocks follow",
            "payload of %zu octets, block size %zu, NUM %u", look->coap->payload_length,
            block_size(b->szx), b->number);
  return true;
}

void rule_blk_2_3_01(struct jdg_look *look) {
  struct block b;
  if (look->copy || !block_of(look->coap, DIS_BLOCK2, &b)) return;
  if (b.szx == SZX_RESERVED || !b.more) return;
  if (!wrong_payload(look, &b)) jdg_pass(look);
}

void rule_blk_2_3_02(struct jdg_look *look) {
  struct block b;
  if (look->copy || !block_of(look->coap, DIS_BLOCK2, &b)) return;
  if (b.more)
    jdg_break(look, look->frame, "Block2 with M 0 in a request", "M 1, NUM %u, SZX %u", b.number,
              b.szx);
  else
    jdg_pass(look);
}

/* ---- BLK-2.4-01 ---- */

static void judge_size(struct jdg_look *look, unsigned asked) {
  struct block b;
  size_t length = look->coap->payload_length;
  if (block_of(look->coap, DIS_BLOCK2, &b)) {
    if (b.szx > asked)
      jdg_break(look, look->frame, "the block size asked for or a smaller one",
                "SZX %u, asked for %u", b.szx, asked);
    else
      jdg_pass(look);
  } else if (length > block_size(asked)) {
    jdg_break(look, look->frame, "the block size asked for or a smaller one",
              "payload of %zu octets without Block2, asked for %zu", length, block_size(asked));
  } else {
    jdg_pass(look);
  }
}

void rule_blk_2_4_01(struct jdg_look *look) {
  struct block b;
  uint32_t asked;
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (look->copy || !look->request || !block_of(look->coap, DIS_BLOCK2, &b)) return;
    if (b.szx != SZX_RESERVED) rule_note_state(look, look->request->serial, b.szx);
    return;
  }
  if (!sole_answer(look) || dis_class(look->coap->code) != 2) return;
  /* Later notifications are the matter of RFC 7959, section 2.6. */
  if (look->leg->responses > 1 && dis_option_count(look->coap, DIS_OBSERVE, NULL)) return;
  if (asked_size(look, &asked) && asked != SZX_RESERVED) judge_size(look, asked);
}

/* ---- GC-2.3.4-10, GC-2.3.6-03, BLK-2.8-02 ---- */

static bool reads(const struct jdg_request *q) {
  return q->code == RULE_CODE_GET || q->code == RULE_CODE_FETCH;
}

/*
 * What a group request for a later block gets is not defined, and who asks for one by unicast under
 * the Token of the group request gets it: also in a message that must not carry a request.
 */
static void note_later_block(struct jdg_look *look) {
  uint32_t value;
  if (look->copy || !look->request) return;
  if (dis_option_uint(look->coap, DIS_BLOCK2, 3, &value) == DIS_PRESENT && value >> 4 != 0)
    rule_note_state(look, look->request->serial, 0);
}

void rule_gc_2_3_4_10(struct jdg_look *look) {
  struct block b;
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    note_later_block(look);
    return;
  }
  if (look->copy || !jdg_answers_group(look) || !block_of(look->coap, DIS_BLOCK2, &b)) return;
  const struct jdg_request *q = look->leg->request;
  if (!reads(q) || b.szx == SZX_RESERVED || dis_class(look->coap->code) != 2) return;
  bool later = q->block2 == DIS_PRESENT && q->block2_value >> 4 != 0;
  if (later || rule_noted_state(look, q->serial, NULL)) return;
  if (b.number != 0)
    jdg_break(look, look->frame, "the first block (NUM 0)", "NUM %u, mid=0x%04x", b.number,
              look->coap->mid);
  else if (!wrong_payload(look, &b))
    jdg_pass(look);
}
