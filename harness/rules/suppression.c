/* SPDX-License-Identifier: BSD-2-Clause */
/* Default suppression of responses: permitted, declared, and consistent. */
#include "rules/checks.h"
#include "rules/server.h"

/* An empty payload makes all the difference to some; these two are on the server's side of the
 * doubt. */
static bool surely_suppressed(const struct jdg_ics_resource *resource, uint8_t code) {
  return rule_suppressed_by_default(resource, code, 1);
}
static bool perhaps_suppressed(const struct jdg_ics_resource *resource, uint8_t code) {
  return rule_suppressed_by_default(resource, code, 0);
}

static void withheld(struct jdg_look *look, const char *expected) {
  char code[16];
  const struct jdg_reception *r = look->reception;
  jdg_break(look, r->frame, expected, "response %s withheld (%s), request %s mid=0x%04x",
            dis_code_text(look->event->code, code),
            look->event->detail ? look->event->detail : "no reason given", r->request->path,
            r->mid);
}

/* GC-2.3.1-05: suppression where a rule forbids it. */
struct observer_state {
  bool observes; /* this server has shown that it supports Observe */
};

/* A client's interest that the server honours elsewhere (RFC 7967, section 2.1). */
static bool interest_overrides(const struct jdg_look *look) {
  const struct jdg_ics_resource *resource = rule_resource(look);
  const struct jdg_request *q = look->reception->request;
  if (!resource || resource->no_response != JDG_YES || q->no_response != DIS_PRESENT) return false;
  return look->host->ics.nr_policy == JDG_NR_ALWAYS && !rule_disclaimed(q, look->event->code);
}

static bool registers(const struct jdg_request *q) {
  return q->code == 1 && q->observe == DIS_PRESENT && q->observe_value == 0 &&
         q->no_response == DIS_ABSENT;
}

void rule_gc_2_3_1_05(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (look->hook == JDG_ON_WINDOW) {
    if (r->group && r->executed && r->bad == JDG_GOOD && !rule_answered(look)) jdg_pass(look);
    return;
  }
  bool response = look->hook == JDG_ON_RESPONSE_SENT;
  if (response && !rule_has_observe(look->coap)) return;
  struct observer_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  if (response) {
    state->observes = true;
    return;
  }
  if (!rule_withheld(look)) return;
  bool success = dis_class(look->event->code) == 2;
  if (interest_overrides(look)) {
    withheld(look, "a response, for No-Response shows interest in it");
  } else if (state->observes && success && registers(r->request)) {
    jdg_warn(look, r->frame, "a response to the successful Observe request",
             "response withheld, request %s mid=0x%04x", r->request->path, r->mid);
  } else {
    jdg_pass(look);
  }
}

/* GC-2.3.1-08: a resource that does not offer No-Response ignores the (elective) option. */
static void plain_response(struct jdg_look *look, const struct jdg_ics_resource *resource) {
  char message[96];
  uint8_t code = look->coap->code;
  if (!jdg_answers_group(look) || look->copy) return;
  if (code == RULE_CODE(4, 2))
    jdg_break(look, look->frame, "option No-Response ignored", "response %s",
              rule_message(look, message));
  else if (surely_suppressed(resource, code))
    jdg_break(look, look->frame, "default suppression as if No-Response were absent", "response %s",
              rule_message(look, message));
  else
    jdg_pass(look);
}

void rule_gc_2_3_1_08(struct jdg_look *look) {
  const struct jdg_ics_resource *resource = rule_resource(look);
  if (!resource || resource->no_response != JDG_NO) return;
  const struct jdg_request *q = look->leg ? look->leg->request : NULL;
  if (!q || q->no_response != DIS_PRESENT) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    plain_response(look, resource);
    return;
  }
  if (!rule_withheld(look) || !resource->suppress_declared) return;
  if (perhaps_suppressed(resource, look->event->code))
    jdg_pass(look);
  else
    withheld(look, "a response, as if No-Response were absent");
}

/*
 * GC-2.3.1-11: what was answered once is not suppressed later. By Response Code (seed), or by class
 * of Response Codes (draft -18, section 3.1.2).
 */
#define ANSWERED_MEMORY 32u

struct answered_state {
  struct {
    uint64_t resource;
    uint8_t code; /* 0: free */
  } entries[ANSWERED_MEMORY];
  unsigned next;
};

static uint8_t grain(const struct jdg_look *look, uint8_t code) {
  return jdg_profile_of(look) == JDG_BIS_18 ? RULE_CODE(dis_class(code), 0) : code;
}

static bool was_answered(const struct answered_state *state, uint64_t resource, uint8_t code) {
  for (unsigned i = 0; i < ANSWERED_MEMORY; i++)
    if (state->entries[i].code == code && state->entries[i].resource == resource) return true;
  return false;
}

static void note_answered(struct answered_state *state, uint64_t resource, uint8_t code) {
  unsigned i = state->next++ % ANSWERED_MEMORY;
  state->entries[i].resource = resource;
  state->entries[i].code = code;
}

/* Requests on which nothing but the resource's own default decides. */
static bool by_default(const struct jdg_request *q) {
  return q->no_response == DIS_ABSENT && q->observe == DIS_ABSENT && !q->oscore &&
         !(q->discovery && q->has_query);
}

static void consistent_answer(struct jdg_look *look, struct answered_state *state) {
  if (!jdg_answers_group(look) || look->copy || !by_default(look->leg->request)) return;
  uint64_t resource = look->leg->request->resource;
  uint8_t code = grain(look, look->coap->code);
  if (was_answered(state, resource, code))
    jdg_pass(look);
  else
    note_answered(state, resource, code);
}

/* Draft -18 wants silence where there is nothing useful to say, so an empty 2.05 may differ there.
 */
static bool empty_exempt(const struct jdg_look *look) {
  const struct jdg_ics_resource *resource = rule_resource(look);
  return jdg_profile_of(look) == JDG_BIS_18 && look->event->code == RULE_CODE(2, 5) &&
         (!resource || !resource->suppress_declared ||
          (resource->suppress & JDG_SUPPRESS_EMPTY_205));
}

static void consistent_silence(struct jdg_look *look, struct answered_state *state) {
  if (!rule_withheld(look)) return;
  const struct jdg_request *q = look->reception->request;
  if (!by_default(q) || empty_exempt(look)) return;
  if (was_answered(state, q->resource, grain(look, look->event->code)))
    withheld(look, "a response, as to an earlier request with this outcome");
}

/* Without events the outcome is known only where the statement says that there is no resource. */
static void silent_not_found(struct jdg_look *look, const struct answered_state *state) {
  const struct jdg_reception *r = look->reception;
  if (!r->request || !by_default(r->request) || r->code != 1 || look->host->has_events) return;
  const struct jdg_ics_resource *resource = rule_resource(look);
  if (!resource || resource->exists != JDG_NO) return;
  if (!was_answered(state, r->request->resource, grain(look, RULE_CODE(4, 4)))) return;
  if (!rule_undisturbed(look) || rule_answered(look)) return;
  jdg_break(look, r->frame, "a response 4.04, as to an earlier request",
            "no response to GET %s mid=0x%04x", r->request->path, r->mid);
}

void rule_gc_2_3_1_11(struct jdg_look *look) {
  struct answered_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  switch (look->hook) {
    case JDG_ON_RESPONSE_SENT: consistent_answer(look, state); return;
    case JDG_ON_WINDOW: silent_not_found(look, state); return;
    default: break;
  }
  if (look->event->type == CHORUS_EVENT_RESTART)
    memset(state, 0, sizeof *state);
  else
    consistent_silence(look, state);
}

/*
 * RFC7390-2.7-05: the configured suppression is what happens. A server may keep answering empty
 * 2.05 responses once it has answered one (consistency): only the first one is judged.
 */
static bool first_content(struct answered_state *state, const struct jdg_ics_resource *resource,
                          uint8_t code) {
  uint64_t key = (uint64_t)(uintptr_t)resource; /* the path, whatever the query */
  if (state->next >= ANSWERED_MEMORY || was_answered(state, key, code)) return false;
  note_answered(state, key, code);
  return true;
}

static void configured_answer(struct jdg_look *look, const struct jdg_ics_resource *resource,
                              struct answered_state *state) {
  uint8_t code = look->coap->code;
  bool empty = code == RULE_CODE(2, 5) && look->coap->payload_length == 0;
  bool first = first_content(state, resource, code);
  char message[96];
  if (surely_suppressed(resource, code) || (empty && first && perhaps_suppressed(resource, code)))
    jdg_break(look, look->frame, "response suppressed as configured", "response %s%s",
              rule_message(look, message), empty ? " without payload" : "");
  else
    jdg_pass(look);
}

void rule_rfc7390_2_7_05(struct jdg_look *look) {
  struct answered_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  const struct jdg_ics_resource *resource = rule_resource(look);
  if (!resource || !resource->suppress_declared) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    bool judged = jdg_answers_group(look) && !look->copy && by_default(look->leg->request);
    if (judged) configured_answer(look, resource, state);
    return;
  }
  if (!rule_withheld(look) || !by_default(look->reception->request)) return;
  if (perhaps_suppressed(resource, look->event->code))
    jdg_pass(look);
  else
    withheld(look, "a response, for the configuration does not suppress it");
}

/* RFC7390-2.7-06: the suggestion for discovery; the others depend on what an application is for. */
void rule_rfc7390_2_7_06(struct jdg_look *look) {
  if (!jdg_answers_group(look) || look->copy || !look->leg->request->discovery) return;
  bool empty = look->coap->code == RULE_CODE(2, 5) && look->coap->payload_length == 0;
  char message[96];
  if (empty || dis_class(look->coap->code) != 2)
    jdg_remark(look, look->frame,
               "RFC 7390 suggests to suppress this response to a discovery request: %s%s",
               rule_message(look, message), empty ? " without payload" : "");
  jdg_pass(look);
}
