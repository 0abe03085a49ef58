/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The No-Response option (RFC 7967) at servers: what is disclaimed is withheld, what is of interest
 * comes. The draft's section 5.4 proposes that unauthenticated clients may only widen suppression;
 * a server that declares this policy is judged by it (AMB-06).
 */
#include "rules/checks.h"
#include "rules/server.h"

#define NO_RESPONSE_ALL 26u /* all classes disclaimed */

/* The resource's statement if it honours No-Response and the request has a valid one. */
static const struct jdg_ics_resource *honours(const struct jdg_look *look) {
  const struct jdg_request *q = look->leg ? look->leg->request : NULL;
  if (!q || !q->group || q->no_response != DIS_PRESENT || q->oscore) return NULL;
  const struct jdg_ics_resource *resource = rule_resource(look);
  if (!resource || resource->no_response != JDG_YES || resource->multicast == JDG_NO) return NULL;
  return resource;
}

static bool only_widens(const struct jdg_look *look) {
  return look->host->ics.nr_policy == JDG_NR_AUTHONLY;
}

/* Nothing is suppressed by default, so there is nothing that the policy could hold back. */
static bool suppresses_nothing(const struct jdg_ics_resource *resource) {
  return resource->suppress_declared && resource->suppress == 0;
}

static void withheld(struct jdg_look *look, const char *expected) {
  const struct jdg_reception *r = look->reception;
  char code[16];
  jdg_break(look, r->frame, expected, "response %s withheld from %s mid=0x%04x No-Response=%u",
            dis_code_text(look->event->code, code), r->request->path, r->mid,
            r->request->no_response_value);
}

/* JDG_ON_EVENT: the client wanted this response, and default suppression won. */
static void event_wanted(struct jdg_look *look, const struct jdg_ics_resource *resource) {
  if (!rule_withheld(look) || rule_disclaimed(look->reception->request, look->event->code)) return;
  if (only_widens(look) && !suppresses_nothing(resource))
    jdg_inconclusive(look,
                     "The server declares that No-Response only widens suppression for "
                     "clients that are not authenticated.");
  else
    withheld(look, "a response of a class that No-Response does not disclaim");
}

/* Whether the request asks for the response, whatever the outcome may be. */
static bool wants_any(const struct jdg_look *look, const struct jdg_ics_resource *resource) {
  const struct jdg_request *q = look->reception->request;
  if ((q->no_response_value & NO_RESPONSE_ALL) == 0) return true;
  bool not_found = resource->exists == JDG_NO && q->code == 1;
  return not_found && !rule_disclaimed(q, RULE_CODE(4, 4));
}

/* JDG_ON_WINDOW: silence although every outcome, or the only possible one, is of interest. */
static void window_wanted(struct jdg_look *look, const struct jdg_ics_resource *resource) {
  const struct jdg_request *q = look->reception->request;
  if (!wants_any(look, resource) || (q->discovery && q->has_query)) return;
  if (!rule_undisturbed(look) || rule_answered(look)) return;
  if (look->leg->suppressed) return; /* said when it happened */
  if (only_widens(look) && !suppresses_nothing(resource)) {
    jdg_inconclusive(look,
                     "The server declares that No-Response only widens suppression for "
                     "clients that are not authenticated.");
    return;
  }
  rule_did_not_come(look, jdg_state(look, sizeof(struct rule_tries)),
                    "a response, for No-Response disclaims no class of it");
}

static bool answers(const struct jdg_look *look) {
  return jdg_answers_group(look) && !look->copy;
}

/* GC-2.3.1-09, NR-04: interest overrides the default suppression. */
void rule_gc_2_3_1_09(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = honours(look);
  if (!resource) return;
  uint8_t code = look->hook == JDG_ON_RESPONSE_SENT ? look->coap->code : 0;
  switch (look->hook) {
    case JDG_ON_RESPONSE_SENT:
      if (answers(look) && !rule_disclaimed(look->leg->request, code) &&
          rule_suppressed_by_default(resource, code, look->coap->payload_length))
        rule_came(look, jdg_state(look, sizeof(struct rule_tries)));
      return;
    case JDG_ON_EVENT: event_wanted(look, resource); return;
    default:
      if (!suppresses_nothing(resource)) window_wanted(look, resource);
      return;
  }
}

/* NR-03: classes that are not disclaimed are sent, whatever the default is. */
void rule_nr_03(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = honours(look);
  if (!resource) return;
  switch (look->hook) {
    case JDG_ON_RESPONSE_SENT:
      if (answers(look) && !rule_disclaimed(look->leg->request, look->coap->code))
        rule_came(look, jdg_state(look, sizeof(struct rule_tries)));
      return;
    case JDG_ON_EVENT: event_wanted(look, resource); return;
    default: window_wanted(look, resource); return;
  }
}

/*
 * A response of a class that the request disclaims. Not with Observe, where the draft forbids to
 * suppress (AMB-07), nor a challenge by Echo, which is no outcome of the request.
 */
static bool sent_though_disclaimed(const struct jdg_look *look) {
  const struct jdg_request *q = look->leg->request;
  if (!answers(look) || q->observe != DIS_ABSENT) return false;
  if (dis_option_count(look->coap, DIS_ECHO, NULL)) return false;
  return rule_disclaimed(q, look->coap->code);
}

static void disclaimed(struct jdg_look *look) {
  char message[96];
  jdg_break(look, look->frame, "response withheld, as No-Response asks",
            "response %s to No-Response=%u", rule_message(look, message),
            look->leg->request->no_response_value);
}

static bool withheld_as_asked(const struct jdg_look *look) {
  return rule_withheld(look) && rule_disclaimed(look->reception->request, look->event->code);
}

/* GC-2.3.1-10: disclaimed classes are withheld. */
void rule_gc_2_3_1_10(struct jdg_look *look) {
  if (!honours(look)) return;
  switch (look->hook) {
    case JDG_ON_RESPONSE_SENT:
      if (sent_though_disclaimed(look)) disclaimed(look);
      return;
    case JDG_ON_EVENT:
      if (withheld_as_asked(look)) jdg_pass(look);
      return;
    default: break;
  }
  bool all = (look->leg->request->no_response_value & NO_RESPONSE_ALL) == NO_RESPONSE_ALL;
  if (all && rule_undisturbed(look) && !rule_answered(look)) jdg_pass(look);
}

/* NR-05: the permission ends where neither the option nor the default covers the class. */
void rule_nr_05(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = honours(look);
  if (!resource) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    if (sent_though_disclaimed(look)) jdg_pass(look);
    return;
  }
  if (!rule_withheld(look)) return;
  if (rule_disclaimed(look->reception->request, look->event->code))
    jdg_pass(look);
  else if (resource->suppress_declared &&
           !rule_suppressed_by_default(resource, look->event->code, 0))
    withheld(look, "a response, for neither No-Response nor the default suppresses it");
}

/* NR-06: class n is bit n - 1, and nothing else. */
static void bitmap_event(struct jdg_look *look, const struct jdg_ics_resource *resource) {
  if (!rule_withheld(look)) return;
  if (rule_disclaimed(look->reception->request, look->event->code))
    jdg_pass(look);
  else if (!only_widens(look) || suppresses_nothing(resource))
    withheld(look, "a response, for its class is not flagged");
}

void rule_nr_06(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = honours(look);
  if (!resource) return;
  if (look->hook == JDG_ON_EVENT) {
    bitmap_event(look, resource);
    return;
  }
  if (sent_though_disclaimed(look))
    disclaimed(look);
  else if (answers(look) && !rule_disclaimed(look->leg->request, look->coap->code))
    jdg_pass(look);
}

/* GC-5.4-02: for clients that are not authenticated the default suppression stays. */
void rule_gc_5_4_02(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = honours(look);
  if (!resource || !only_widens(look) || !resource->suppress_declared) return;
  if (look->hook == JDG_ON_EVENT) {
    bool kept = rule_withheld(look) &&
                !rule_disclaimed(look->reception->request, look->event->code) &&
                rule_suppressed_by_default(resource, look->event->code, 0);
    if (kept) jdg_pass(look);
    return;
  }
  char message[96];
  bool relaxed = answers(look) && !rule_disclaimed(look->leg->request, look->coap->code) &&
                 rule_suppressed_by_default(resource, look->coap->code, 1);
  if (relaxed)
    jdg_break(look, look->frame, "response withheld by the default, whatever No-Response says",
              "response %s to No-Response=%u", rule_message(look, message),
              look->leg->request->no_response_value);
}

/* GC-5.4-03: they may add classes, and not remove any. */
void rule_gc_5_4_03(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = honours(look);
  if (!resource || !only_widens(look)) return;
  if (look->hook == JDG_ON_EVENT) {
    if (withheld_as_asked(look)) jdg_pass(look);
    return;
  }
  if (sent_though_disclaimed(look))
    disclaimed(look);
  else if (answers(look) && suppresses_nothing(resource))
    jdg_pass(look);
}
