/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers return the Token as it came (RFC 7252, section 5.3.1). */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/client.h"
#include "rules/message.h"

/* Tokens that do not survive to be read as a number or as text: none, and a leading zero. */
static bool fragile(const uint8_t *token, size_t length) {
  return length == 0 || token[0] == 0;
}

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
  unsigned strays; /* one after the other, without a response that fits in between */
  uint32_t passes; /* at the last of them */
  uint16_t mid;    /* of the request before it */
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

static void break_token(struct jdg_look *look, const struct asked *a) {
  char was[24], is[24], expected[32];
  snprintf(expected, sizeof expected, "Token %s", rule_token_text(a->token, a->token_length, was));
  jdg_break(look, look->frame, expected, "Token %s, mid=0x%04x",
            rule_token_text(look->coap->token, look->coap->token_length, is), look->coap->mid);
}

/*
 * A capture made elsewhere may lack the request that a response is for: it began later, or lost it.
 * What speaks against that is a Token that is the end or the beginning of the one asked with, or
 * so many in a row that none of the server's responses fits the request before it.
 */
#define STRAYS_IN_A_ROW 3u
#define STRAYS_OF_SOME  6u /* of a server that was seen to do it right, too */
#define TELLING_OCTETS  2u /* fewer agree by chance */

static bool is_part(const struct asked *a, const struct dis_coap *m) {
  size_t long_one = a->token_length, short_one = m->token_length;
  const uint8_t *whole = a->token, *part = m->token;
  if (short_one > long_one) {
    size_t length = long_one;
    long_one = short_one;
    short_one = length;
    whole = m->token;
    part = a->token;
  }
  if (short_one == long_one || short_one < TELLING_OCTETS) return false;
  return memcmp(whole, part, short_one) == 0 ||
         memcmp(whole + long_one - short_one, part, short_one) == 0;
}

/* The latest request of the receiver of the response, to the server or to a group. */
static bool latest_request(const struct jdg_look *look, const struct asking *s, struct asked *a) {
  const struct chorus_endpoint *client = &look->frame_info->destination;
  const struct jdg_reception *g = jdg_group_message_of(look, client);
  a->used = false;
  for (unsigned i = 1; i <= ASKED && !a->used; i++) {
    const struct asked *slot = &s->slots[(s->next - i) % ASKED];
    if (slot->used && chorus_same_endpoint(&slot->source, client)) *a = *slot;
  }
  if (!g || g->bad != JDG_GOOD || (a->used && a->time >= g->time)) return a->used;
  *a = (struct asked){.source = *client,
                      .time = g->time,
                      .mid = g->mid,
                      .type = g->type,
                      .token_length = g->token_length,
                      .used = true};
  memcpy(a->token, g->token, a->token_length);
  return true;
}

/* The request that the server must have meant, if it meant one that was seen. */
static bool pending(const struct jdg_look *look, const struct asking *s, struct asked *a) {
  chorus_time wait = look->host->ics.leisure + look->host->ics.processing;
  if (!latest_request(look, s, a) || look->now - a->time > wait) return false;
  const struct jdg_request *q = jdg_request_of(look, &a->source, a->token, a->token_length);
  return q && q->observe == DIS_ABSENT && !jdg_has_answered(look, q);
}

static void count_stray(struct jdg_look *look, struct asking *s, const struct asked *a) {
  if (s->strays && s->passes != jdg_passes(look)) s->strays = 0;
  if (s->strays && s->mid == a->mid) return;
  s->strays++;
  s->passes = jdg_passes(look);
  s->mid = a->mid;
  if (s->strays >= (jdg_passes(look) ? STRAYS_OF_SOME : STRAYS_IN_A_ROW))
    break_token(look, a);
  else
    jdg_inconclusive(look, "The capture may lack the request that has the Token of the response.");
}

/* |all|: any Token counts, and not only one that is fragile. */
static void judge_stray_elsewhere(struct jdg_look *look, struct asking *s, bool all) {
  struct asked a;
  if (look->coap->type == DIS_ACK || !pending(look, s, &a)) return;
  if (is_part(&a, look->coap)) {
    if (all || fragile(a.token, a.token_length)) break_token(look, &a);
  } else if (all) {
    count_stray(look, s, &a);
  }
}

static void judge_stray(struct jdg_look *look, bool all) {
  /* A notification may belong to an observation that is older than the memory of the judge. */
  if (look->copy || dis_option_count(look->coap, DIS_OBSERVE, NULL)) return;
  struct asking *s = jdg_state(look, sizeof *s);
  const struct asked *a = s ? distorted(look, s) : NULL;
  if (a)
    break_token(look, a);
  else if (s && !look->certain)
    judge_stray_elsewhere(look, s, all);
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
    judge_stray(look, true);
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
    judge_stray(look, false);
  }
}
