/* SPDX-License-Identifier: BSD-2-Clause */
/* Non-confirmable messages: never acknowledged, answered in kind, copied within limits. */
#include "rules/checks.h"
#include "rules/client.h"
#include "rules/message.h"
#include "rules/server.h"

static bool non_reception(const struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  return r && r->type == DIS_NON && r->mid == look->coap->mid && !r->duplicate_of_known;
}

static bool non_arrival(const struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  return a && a->type == DIS_NON && a->mid == look->coap->mid;
}

/* The request of the leg was a NON in all its transmissions. */
static bool non_request(const struct jdg_leg *leg) {
  return leg && leg->request->type == DIS_NON && leg->request->followups == 0;
}

static bool acknowledges_non(const struct jdg_look *look) {
  return look->coap->type == DIS_ACK && (non_reception(look) || non_arrival(look));
}

/* ---- COAP-4.3-01 ---- */

void rule_coap_4_3_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_ARRIVAL_DUE) {
    const struct jdg_arrival *a = look->arrival;
    if (a->type == DIS_NON && a->certain && !a->acks) jdg_pass(look);
    return;
  }
  if (acknowledges_non(look)) {
    jdg_break(look, look->frame, "no ACK for a NON", "ACK, mid=0x%04x", look->coap->mid);
    return;
  }
  if (look->hook == JDG_ON_RESPONSE_SENT && look->coap->type != DIS_ACK && non_request(look->leg))
    jdg_pass(look);
}

/* ---- COAP-4.3-04 ---- */

static void judge_copies(struct jdg_look *look, chorus_time span) {
  char text[32];
  if (span <= RULE_MAX_TRANSMIT_SPAN) {
    jdg_pass(look);
  } else if (!look->certain && span <= RULE_MAX_TRANSMIT_SPAN + rule_time_slack(look)) {
    jdg_inconclusive(look,
                     "The capture was not made at the sender: the copy may have been delayed.");
  } else {
    jdg_warn(look, look->frame, "copies within 45 s of the first transmission",
             "copy of mid=0x%04x after %s", look->coap->mid, jdg_time_text(span, text));
  }
}

/* Ambiguity 12: a group is no endpoint, so that the rate towards it is only remarked upon. */
static void remark_on_rate(struct jdg_look *look) {
  struct jdg_request *q = look->request;
  uint64_t seconds = (look->now - q->first_time) / CHORUS_SECOND;
  uint64_t octets = (uint64_t)q->size * (q->transmissions - 1);
  if (q->responders || octets <= seconds * RULE_PROBING_RATE || !jdg_once(look, &q->marks)) return;
  jdg_remark(look, look->frame,
             "Copies without any response amount to %llu octets in %llu s: more than PROBING_RATE.",
             (unsigned long long)octets, (unsigned long long)seconds);
}

void rule_coap_4_3_04(struct jdg_look *look) {
  if (look->coap->type != DIS_NON || look->relation != JDG_COPY || !look->request) return;
  chorus_time since = jdg_request_mid_since(look->request, look->coap->mid);
  judge_copies(look, since == CHORUS_NEVER ? look->gap : look->now - since);
  if (look->group) remark_on_rate(look);
}

/* ---- COAP-5.2.2-01, COAP-5.2.3-01 ---- */

/* Of so many that acknowledge nothing, a capture cannot have missed what each of them answers. */
#define STRAY_ACKS 3u

/* A capture made elsewhere: responses in ACKs to a request that only ever was a NON. */
static bool answers_in_stray_acks(struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (look->certain || look->copy || look->coap->type != DIS_ACK || !non_request(leg)) return false;
  const struct jdg_request *q = leg->request;
  if (jdg_request_has_mid(q, look->coap->mid) || rule_token_in_doubt(q, look->now)) return false;
  uint32_t count = 0;
  rule_noted_state(look, q->serial, &count);
  rule_note_state(look, q->serial, ++count);
  return count >= STRAY_ACKS;
}

void rule_coap_5_2_2_01(struct jdg_look *look) {
  if (acknowledges_non(look) || answers_in_stray_acks(look))
    jdg_break(look, look->frame, "response in a NON or CON message of its own",
              "response in an ACK, mid=0x%04x", look->coap->mid);
  else if (look->coap->type != DIS_ACK && non_request(look->leg) && !look->copy)
    jdg_pass(look);
}

void rule_coap_5_2_3_01(struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (look->copy || !non_request(leg) || !look->reception || look->reception->type != DIS_NON)
    return;
  /* The type of a notification is the server's choice (RFC 7641, section 3.5). */
  if (dis_option_count(look->coap, DIS_OBSERVE, NULL) || leg->observing) return;
  if (look->coap->type == DIS_CON && rule_perhaps_to_unseen(look)) return;
  if (look->coap->type == DIS_CON)
    jdg_break(look, look->frame, "response type NON", "response type CON, mid=0x%04x",
              look->coap->mid);
  else if (look->coap->type == DIS_NON)
    jdg_pass(look);
}
