/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that are unknown, surplus, or not for this endpoint (RFC 7252, sections 5.4 and 5.7). */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/message.h"

/* Numbers from here on are for experiments (RFC 7252, section 12.2): a server knows none by itself.
 */
#define EXPERIMENTAL_OPTION 65000u

/* ---- COAP-5.4.1-01 ---- */

/* Elsewhere nobody is seen to receive a group request: what was sent tells. */
static bool asked_with_elective(struct jdg_look *look) {
  const struct jdg_request *q = look->leg->request;
  if (rule_noted_state(look, q->serial, NULL)) return true;
  return !look->certain && q->elective && q->type == DIS_NON && !q->proxied &&
         jdg_answers_group(look);
}

static void judge_elective_response(struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (!leg || look->copy || leg->receptions > 1) return;
  if (rule_token_in_doubt(leg->request, look->now) || !asked_with_elective(look)) return;
  if (look->coap->code == RULE_CODE_4_02)
    jdg_break(look, look->frame, "response as without the elective option",
              "response 4.02 (Bad Option), mid=0x%04x", look->coap->mid);
  else
    jdg_pass(look);
}

static void judge_elective_arrival(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (!look->host->has_events || !a->certain || a->due != JDG_DELIVER) return;
  if (!rule_noted_state(look, a->frame, NULL) || rule_restarted_since(look->host, a->time)) return;
  if (a->delivered)
    jdg_pass(look);
  else
    jdg_break(look, a->frame, "delivered as without the elective option",
              "not delivered, mid=0x%04x", a->mid);
}

void rule_coap_5_4_1_01(struct jdg_look *look) {
  switch (look->hook) {
    case JDG_ON_REQUEST_RECEIVED:
      if (look->copy || !look->request || look->request->proxied) return;
      if (look->reception->bad == JDG_GOOD && dis_options_unknown_elective(look->coap))
        rule_note_state(look, look->request->serial, 0);
      return;
    case JDG_ON_RESPONSE_RECEIVED:
      if (look->copy || look->arrival->due != JDG_DELIVER) return;
      if (dis_options_unknown_elective(look->coap)) rule_note_state(look, look->frame, 0);
      return;
    case JDG_ON_RESPONSE_SENT: judge_elective_response(look); return;
    default: judge_elective_arrival(look); return;
  }
}

/* ---- COAP-5.4.1-02 ---- */

static bool has_unknown_critical(const struct jdg_reception *r) {
  if (!r || r->bad != JDG_BAD_OPTION || r->duplicate_of_known) return false;
  return !dis_option_known(r->culprit) && !(r->request && r->request->proxied);
}

/* Processed nevertheless: wrong, unless the option is one that this server happens to know. */
static void processed_anyway(struct jdg_look *look, uint64_t frame, const char *how) {
  const struct jdg_reception *r = look->reception;
  if (r->culprit >= EXPERIMENTAL_OPTION)
    jdg_break(look, frame, "rejected for its unknown critical option", "%s, option %u, mid=0x%04x",
              how, r->culprit, r->mid);
  else
    jdg_inconclusive(look, "The server may know the critical option.");
}

static void judge_critical_response(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!has_unknown_critical(r) || !look->leg || !rule_answers_reception(look)) return;
  bool bad_option = look->coap->code == RULE_CODE_4_02;
  char text[48], code[16];
  snprintf(text, sizeof text, "response %s", dis_code_text(look->coap->code, code));
  if (r->type == DIS_NON && bad_option)
    jdg_break(look, look->frame, "silence (or RST by unicast) for a NON",
              "%s, option %u, mid=0x%04x", text, r->culprit, look->coap->mid);
  else if (bad_option)
    jdg_pass(look);
  else if (r->type == DIS_NON || dis_class(look->coap->code) == 2)
    processed_anyway(look, look->frame, text);
}

static void judge_critical_window(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!has_unknown_critical(r) || r->type != DIS_NON || r->executed || r->responses || r->acks)
    return;
  if (!r->group || !r->rsts) jdg_pass(look);
}

void rule_coap_5_4_1_02(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  switch (look->hook) {
    case JDG_ON_RESPONSE_SENT: judge_critical_response(look); return;
    case JDG_ON_WINDOW: judge_critical_window(look); return;
    case JDG_ON_EMPTY_SENT:
      if (has_unknown_critical(r) && r->certain && look->coap->type == DIS_RST && r->group)
        rule_reset_to_group(look, "silence for a NON to a group");
      return;
    default: break;
  }
  if (look->event->type == CHORUS_EVENT_EXECUTE && has_unknown_critical(r))
    processed_anyway(look, look->frame, "request executed");
}

/* ---- COAP-5.4.5-01 ---- */

/* Of the options of RFC 7252 one is repeatable in requests alone (section 5.10.6.1). */
static bool repeatable_in(const struct dis_coap *m, uint16_t number) {
  return dis_option_repeatable(number) && (number != DIS_ETAG || dis_is_request(m));
}

static const struct dis_option *surplus(const struct dis_coap *m) {
  for (unsigned i = 1; i < m->option_count; i++) {
    uint16_t number = m->options[i].number;
    if (number == m->options[i - 1].number && dis_option_known(number) && !repeatable_in(m, number))
      return &m->options[i];
  }
  return NULL;
}

static void judge_surplus_sent(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (m->errors || m->option_count == 0) return;
  const struct dis_option *option = surplus(m);
  char name[24];
  if (!option)
    jdg_pass(look);
  else if (rule_surely_coap(look))
    jdg_break(look, look->frame, "every option that is not repeatable once", "%s twice or more",
              dis_option_name(option->number, name));
}

/* What of a request with a surplus option has to be kept in mind. */
enum { SURPLUS_CRITICAL = 1u << 8, SURPLUS_NO_RESPONSE = 1u << 9 };

static void note_surplus(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (look->copy || !r->request || r->request->proxied || look->coap->option_count < 2) return;
  const struct dis_option *option = surplus(look->coap), *first;
  if (!option) return;
  if (r->bad == JDG_BAD_OPTION && r->culprit == option->number) {
    rule_note_state(look, r->request->serial, SURPLUS_CRITICAL);
  } else if (r->bad == JDG_GOOD && option->number == DIS_NO_RESPONSE) {
    dis_option_count(look->coap, DIS_NO_RESPONSE, &first);
    uint32_t value = first->length == 1 ? first->value[0] : 0;
    if (first->length <= 1) rule_note_state(look, r->request->serial, SURPLUS_NO_RESPONSE | value);
  }
}

static void judge_surplus_critical(struct jdg_look *look) {
  char code[16];
  const char *text = dis_code_text(look->coap->code, code);
  bool non = look->reception->type == DIS_NON;
  if (!non && look->coap->code == RULE_CODE_4_02)
    jdg_pass(look);
  else if (non || dis_class(look->coap->code) == 2)
    jdg_break(look, look->frame,
              non ? "silence (or RST by unicast) for a NON with a surplus critical option"
                  : "response 4.02 to a surplus critical option",
              "response %s, mid=0x%04x", text, look->coap->mid);
}

/* The first No-Response option counts, the second one is as if unknown: ignored, being elective. */
static void judge_surplus_no_response(struct jdg_look *look, unsigned value) {
  const struct jdg_request *q = look->leg->request;
  const struct jdg_ics_resource *resource = jdg_resource(look->host, q);
  if (!resource || resource->no_response != JDG_YES || q->observe != DIS_ABSENT) return;
  if (look->host->ics.nr_policy != JDG_NR_ALWAYS) return;
  char code[16];
  bool disclaimed = value & 1u << (dis_class(look->coap->code) - 1);
  if (disclaimed)
    jdg_break(look, look->frame, "the first of two No-Response options obeyed",
              "response %s, which the first (%u) asks to withhold",
              dis_code_text(look->coap->code, code), value & 0xffu);
  else
    jdg_pass(look);
}

static void judge_surplus_response(struct jdg_look *look) {
  uint32_t what;
  if (!look->leg || !look->reception || !rule_answers_reception(look)) return;
  if (!rule_noted_state(look, look->leg->request->serial, &what)) return;
  if (what & SURPLUS_CRITICAL)
    judge_surplus_critical(look);
  else
    judge_surplus_no_response(look, what & 0xffu);
}

static bool noted_critical(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  uint32_t what;
  if (!r || r->bad != JDG_BAD_OPTION || !r->request || r->duplicate_of_known) return false;
  return rule_noted_state(look, r->request->serial, &what) && (what & SURPLUS_CRITICAL);
}

void rule_coap_5_4_5_01(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  switch (look->hook) {
    case JDG_ON_SENT: judge_surplus_sent(look); return;
    case JDG_ON_REQUEST_RECEIVED: note_surplus(look); return;
    case JDG_ON_RESPONSE_SENT: judge_surplus_response(look); return;
    case JDG_ON_WINDOW:
      if (noted_critical(look) && r->type == DIS_NON && !r->executed && !r->responses)
        jdg_pass(look);
      return;
    default: break;
  }
  if (look->event->type == CHORUS_EVENT_EXECUTE && noted_critical(look))
    jdg_break(look, look->frame, "a request with a surplus critical option is rejected",
              "request executed, mid=0x%04x", r->mid);
}

/* ---- COAP-5.7.2-01 ---- */

/* A proxy request of options that every endpoint recognises (RFC 7252, section 5.10). */
static bool plain_proxy_request(const struct dis_coap *m) {
  bool uri = dis_option_count(m, DIS_PROXY_URI, NULL) != 0;
  for (unsigned i = 0; i < m->option_count; i++) {
    uint16_t number = m->options[i].number;
    bool proxy = number == DIS_PROXY_URI || number == DIS_PROXY_SCHEME;
    if (!proxy && (uri || !dis_option_universal(number))) return false;
  }
  return true;
}

/* Who asks somebody in turn may be a proxy: what is answered from now on can be another's answer.
 */
static void may_forward(const struct jdg_look *look) {
  struct rule_notes *notes = jdg_state_if_any(look);
  if (notes) *notes = (struct rule_notes){0};
}

/* An answer apart from the ACK took time, as an answer from elsewhere does. */
static bool may_be_relayed(const struct jdg_look *look) {
  return look->request->type == DIS_CON && look->coap->type != DIS_ACK;
}

void rule_coap_5_7_2_01(struct jdg_look *look) {
  const struct jdg_request *q = look->request;
  if (look->hook == JDG_ON_REQUEST_SENT) {
    may_forward(look);
    return;
  }
  if (look->copy || !q || !q->proxied || q->group) return;
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (look->reception->bad == JDG_GOOD && plain_proxy_request(look->coap))
      rule_note_state(look, q->serial, 0);
    return;
  }
  if (!rule_noted_state(look, q->serial, NULL) || rule_token_in_doubt(q, look->now)) return;
  if (look->coap->code == RULE_CODE_5_05)
    jdg_pass(look);
  else if (look->coap->code == RULE_CODE_4_02 && !may_be_relayed(look))
    jdg_break(look, look->frame, "response 5.05 (Proxying Not Supported)",
              "response 4.02 (Bad Option), mid=0x%04x", look->coap->mid);
}

/* ---- OBS-2-01 ---- */

void rule_obs_2_01(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (look->copy || (m->code != RULE_CODE_GET && m->code != RULE_CODE_FETCH)) return;
  const struct dis_option *option;
  unsigned count = dis_option_count(m, DIS_OBSERVE, &option);
  if (count == 0) return;
  if (count > 1)
    jdg_break(look, look->frame, "one Observe option", "%u Observe options", count);
  else if (option->length == 0 || (option->length == 1 && option->value[0] == 1))
    jdg_pass(look);
  else
    jdg_break(look, look->frame, "Observe 0 (no octet) or 1 (one octet)",
              "Observe of %u octets, the first 0x%02x", option->length, option->value[0]);
}
