/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/server.h"

#include <stdio.h>

/* Classes that a No-Response value can flag (RFC 7967, section 2.1): bits 1, 3 and 4. */
#define NO_RESPONSE_BIT(class) (1u << ((class) - 1u))

bool rule_has_observe(const struct dis_coap *coap) {
  return dis_option_count(coap, DIS_OBSERVE, NULL) > 0;
}

/* The Token was in use for something else so recently that its answers may still be sent. */
static bool token_in_doubt(const struct jdg_request *request, chorus_time now) {
  return request->previous && now < request->previous->last_time + JDG_TOKEN_DOUBT;
}

bool rule_first_answer(const struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (!jdg_answers_group(look) || look->copy || leg->received == CHORUS_NEVER) return false;
  return leg->responses == 1 && leg->receptions == 1 && leg->copies == 0;
}

bool rule_perhaps_to_unseen(const struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (look->certain || !leg) return false;
  const struct jdg_ics *ics = &look->host->ics;
  chorus_time in_time = leg->request->last_time + ics->leisure + ics->processing;
  return leg->responses > 1 || look->now > in_time + jdg_delta(look);
}

/* A request that a server has to look at: plain, well-formed, from somebody who can be answered. */
static bool plain(const struct jdg_reception *r) {
  if (!r->leg || !r->request || !r->certain || !r->group) return false;
  if (r->bad != JDG_GOOD || r->duplicate_of_known || r->type != DIS_NON) return false;
  if (r->code < 1 || r->code > 4) return false; /* GET POST PUT DELETE: known to every server */
  const struct jdg_request *q = r->request;
  if (q->proxied || q->oscore || q->blockwise || q->observe != DIS_ABSENT) return false;
  return !chorus_is_group(&r->source) && !chorus_is_unspecified(&r->source) && r->source.port != 0;
}

/* Nothing else can have held the answer up, taken it along or been mixed up with it. */
static bool alone(struct jdg_look *look, const struct jdg_reception *r) {
  const struct jdg_request *q = r->request;
  if (!r->isolated || r->recent > RULE_UNLIMITED_RATE) return false;
  if (r->leg->last_received > r->last_time) return false; /* a repeat came within the window */
  if (r->server->restarted_at >= r->time && r->server->restarted_at) return false;
  if (token_in_doubt(q, look->now)) return false;
  return jdg_request_of(look, &r->source, q->token, q->token_length) == q;
}

bool rule_undisturbed(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r || !plain(r) || !alone(look, r)) return false;
  if (!r->member_known || !r->member) return false;
  return jdg_member(look, look->host, &r->destination) == JDG_YES;
}

bool rule_answered(const struct jdg_look *look) {
  const struct jdg_leg *leg = look->reception->leg;
  return leg && leg->responses > 0 && leg->last_response >= look->reception->time;
}

const struct jdg_ics_resource *rule_resource(const struct jdg_look *look) {
  const struct jdg_request *request = NULL;
  if (look->hook == JDG_ON_RESPONSE_SENT && look->leg) request = look->leg->request;
  if (look->hook != JDG_ON_RESPONSE_SENT && look->reception) request = look->reception->request;
  return request ? jdg_resource(look->host, request) : NULL;
}

bool rule_answer_promised(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r || !r->request || r->request->no_response != DIS_ABSENT) return false;
  if (r->request->discovery && r->request->has_query) return false; /* RFC 6690, section 4.1 */
  const struct jdg_ics_resource *resource = rule_resource(look);
  if (!resource || !resource->suppress_declared || resource->suppress != 0) return false;
  return resource->multicast != JDG_NO && rule_undisturbed(look);
}

void rule_came(struct jdg_look *look, struct rule_tries *tries) {
  if (tries) tries->silent = 0;
  jdg_pass(look);
}

static unsigned tries_wanted(const struct jdg_look *look) {
  return jdg_delta(look) >= CHORUS_SECOND ? RULE_TRIES_REAL_TIME : 1;
}

void rule_did_not_come(struct jdg_look *look, struct rule_tries *tries, const char *expected) {
  look->host->tried = true;
  if (!tries || ++tries->silent < tries_wanted(look)) return;
  const struct jdg_reception *r = look->reception;
  char waited[32], code[16], again[48] = "";
  if (tries->silent > 1) snprintf(again, sizeof again, ", %u times in a row", tries->silent);
  jdg_break(look, r->frame, expected, "no response within %s to %s %s mid=0x%04x%s",
            jdg_time_text(look->now - r->time, waited), dis_code_text(r->code, code),
            r->request->path, r->mid, again);
}

/* Withheld for want of memory, for the rate, or because a filter did not match: another matter. */
static bool by_suppression(const char *detail) {
  return !detail || strcmp(detail, "default") == 0 || strcmp(detail, "no-response") == 0;
}

bool rule_withheld(const struct jdg_look *look) {
  const struct chorus_event *event = look->event;
  const struct jdg_reception *r = look->reception;
  if (event->type != CHORUS_EVENT_SUPPRESS || !event->has_message) return false;
  if (!r || !r->request || !r->group || r->bad != JDG_GOOD) return false;
  if (dis_class(event->code) < 2 || dis_class(event->code) > 5) return false;
  if (r->request->discovery && r->request->has_query) return false;
  return by_suppression(event->detail);
}

bool rule_suppressed_by_default(const struct jdg_ics_resource *resource, uint8_t code,
                                size_t payload_length) {
  if (!resource || !resource->suppress_declared) return false;
  uint32_t suppress = resource->suppress;
  bool empty_content = code == RULE_CODE(2, 5) && payload_length == 0;
  if (empty_content && (suppress & JDG_SUPPRESS_EMPTY_205)) return true;
  switch (dis_class(code)) {
    case 2: return suppress & JDG_SUPPRESS_2XX;
    case 4: return suppress & JDG_SUPPRESS_4XX;
    case 5: return suppress & JDG_SUPPRESS_5XX;
    default: return false;
  }
}

bool rule_disclaimed(const struct jdg_request *request, uint8_t code) {
  if (request->no_response != DIS_PRESENT || dis_class(code) == 0) return false;
  return request->no_response_value & NO_RESPONSE_BIT(dis_class(code));
}

const char *rule_message(const struct jdg_look *look, char text[96]) {
  char code[16];
  snprintf(text, 96, "%s %s mid=0x%04x", dis_type_text(look->coap->type),
           dis_code_text(look->coap->code, code), look->coap->mid);
  return text;
}
