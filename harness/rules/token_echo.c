/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers return the Token as it came (RFC 7252, section 5.3.1). */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/client.h"
#include "rules/message.h"

/* A response that fits no request can be a distorted answer to one that came so recently. */
#define ANSWER_TIME RULE_MAX_TRANSMIT_WAIT
#define ASKED       8u

struct asked {
  struct chorus_endpoint source;
  chorus_time time;
  uint16_t mid;
  uint8_t type, token_length, token[8];
  bool used;
};

struct asking {
  struct asked slots[ASKED];
  unsigned next;
};

static void ask(struct jdg_look *look) {
  struct asking *s = jdg_state(look, sizeof *s);
  if (!s) return;
  struct asked *a = &s->slots[s->next++ % ASKED];
  *a = (struct asked){.source = look->frame_info->source,
                      .time = look->now,
                      .mid = look->coap->mid,
                      .type = look->coap->type,
                      .token_length = look->coap->token_length,
                      .used = true};
  memcpy(a->token, look->coap->token, a->token_length);
}

/* What follows a malformed message may be an answer to that, with whatever it has for a Token. */
static void forget_asked(struct jdg_look *look) {
  struct asking *s = look->coap->errors ? jdg_state(look, sizeof *s) : NULL;
  for (unsigned i = 0; s && i < ASKED; i++)
    if (chorus_same_endpoint(&s->slots[i].source, &look->frame_info->source))
      s->slots[i].used = false;
}

/* The message that the response in the look was sent for, with another Token. */
static const struct asked *distorted(const struct jdg_look *look, const struct asking *s) {
  const struct dis_coap *m = look->coap;
  for (unsigned i = 1; i <= ASKED; i++) {
    const struct asked *a = &s->slots[(s->next - i) % ASKED];
    if (!a->used || look->now - a->time > ANSWER_TIME) continue;
    if (!chorus_same_endpoint(&a->source, &look->frame_info->destination)) continue;
    /* A piggybacked response names its message; another one can only be for the latest. */
    if (m->type == DIS_ACK && (a->type != DIS_CON || a->mid != m->mid)) continue;
    if (m->type != DIS_ACK && !look->certain) continue;
    return a;
  }
  return NULL;
}

static void judge_stray(struct jdg_look *look) {
  /* A notification may belong to an observation that is older than the memory of the judge. */
  if (look->copy || dis_option_count(look->coap, DIS_OBSERVE, NULL)) return;
  const struct asking *s = jdg_state(look, sizeof *s);
  const struct asked *a = s ? distorted(look, s) : NULL;
  if (!a) return;
  char was[24], is[24], expected[32];
  snprintf(expected, sizeof expected, "Token %s", rule_token_text(a->token, a->token_length, was));
  jdg_break(look, look->frame, expected, "Token %s, mid=0x%04x",
            rule_token_text(look->coap->token, look->coap->token_length, is), look->coap->mid);
}

/* Tokens that do not survive to be read as a number or as text: none, and a leading zero. */
static bool fragile(const uint8_t *token, size_t length) {
  return length == 0 || token[0] == 0;
}

static bool well_formed_request(const struct jdg_look *look) {
  return look->leg && !look->copy && look->coap->errors == 0;
}

void rule_coap_5_3_1_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_RECEIVED) {
    forget_asked(look);
  } else if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (well_formed_request(look)) ask(look);
  } else if (look->leg) {
    if (!look->copy) jdg_pass(look);
  } else {
    judge_stray(look);
  }
}

void rule_coap_5_3_1_04(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (look->hook == JDG_ON_RECEIVED) {
    forget_asked(look);
  } else if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (well_formed_request(look) && fragile(m->token, m->token_length)) ask(look);
  } else if (look->leg) {
    if (!look->copy && fragile(m->token, m->token_length)) jdg_pass(look);
  } else {
    judge_stray(look);
  }
}
