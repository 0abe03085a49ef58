/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a server can be made to send, and on which resources (RFC 7252, sections 4.7, 11.3). */
#include "rules/checks.h"
#include "rules/server.h"

/* GC-2.3.4-03, COAP-11.3-03, RFC7390-2.7-03: resources without multicast. */
static bool unicast_only(const struct jdg_look *look) {
  const struct jdg_ics_resource *resource = rule_resource(look);
  return resource && resource->multicast == JDG_NO;
}

void rule_gc_2_3_4_03(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  char message[96];
  if (!unicast_only(look)) return;
  switch (look->hook) {
    case JDG_ON_RESPONSE_SENT:
      if (jdg_answers_group(look) && !look->copy && dis_class(look->coap->code) == 2)
        jdg_break(look, look->frame, "group request on a unicast-only resource not accepted",
                  "response %s", rule_message(look, message));
      return;
    case JDG_ON_EVENT:
      if (look->event->type == CHORUS_EVENT_EXECUTE && r->group)
        jdg_break(look, r->frame, "group request on a unicast-only resource not accepted",
                  "request %s mid=0x%04x executed", r->request->path, r->mid);
      return;
    default: break;
  }
  if (r->group && !r->executed && r->bad == JDG_GOOD) jdg_pass(look);
}

/* COAP-11.3-01: a response much larger than a request that nobody authenticated. */
#define AMPLIFICATION_FACTOR 3u
#define AMPLIFICATION_FREE \
  152u /* octets of UDP payload (draft-ietf-core-echo-request-tag-09, 2.4) */

void rule_coap_11_3_01(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (!jdg_answers_group(look) || look->copy || rule_has_observe(m)) return;
  const struct jdg_request *q = look->leg->request;
  if (q->oscore || dis_option_count(m, DIS_OSCORE, NULL)) return;
  bool mitigated = dis_option_count(m, DIS_BLOCK2, NULL) || dis_option_count(m, DIS_ECHO, NULL);
  bool large = m->length > AMPLIFICATION_FREE && m->length > AMPLIFICATION_FACTOR * q->size;
  if (large && !mitigated)
    jdg_break(look, look->frame, "response of at most 152 octets or 3 times the request",
              "response of %zu octets to a request of %zu octets", m->length, q->size);
  else
    jdg_pass(look);
}

/* GC-5.4-01: what No-Response 0 makes a server send, as a remark. */
struct evoked {
  uint64_t responses, received, sent; /* the last two in octets */
};

void rule_gc_5_4_01(struct jdg_look *look) {
  struct evoked *s = jdg_state(look, sizeof *s);
  if (!s) return;
  if (look->hook == JDG_ON_END) {
    if (s->responses)
      jdg_remark(look, 0,
                 "No-Response 0 evoked %llu responses of %llu octets from %llu octets "
                 "of requests",
                 (unsigned long long)s->responses, (unsigned long long)s->sent,
                 (unsigned long long)s->received);
    return;
  }
  if (!jdg_answers_group(look) || look->copy) return;
  const struct jdg_request *q = look->leg->request;
  if (q->no_response != DIS_PRESENT || q->no_response_value != 0) return;
  s->responses++;
  s->sent += look->coap->length;
  s->received += q->size;
  jdg_pass(look);
}

/* COAP-4.7-03: a flood from one address is not answered one to one. */
#define FLOOD_REQUESTS 500u /* within FLOOD_SPAN: a flood */
#define FLOOD_SPAN     (10 * CHORUS_SECOND)
#define FLOOD_SOURCES  4u
#define FLOOD_PERCENT  90u /* with more responses to it, a limit is not clear */

struct flood {
  struct chorus_endpoint source;
  chorus_time begin, last;
  uint64_t requests, responses;
  bool flooded;
};

struct floods {
  struct flood sources[FLOOD_SOURCES];
};

static struct flood *find_flood(struct floods *s, const struct chorus_endpoint *source) {
  for (unsigned i = 0; i < FLOOD_SOURCES; i++)
    if (s->sources[i].requests && chorus_same_address(&s->sources[i].source, source))
      return &s->sources[i];
  return NULL;
}

/* A place for a new source: a free one, or that of the source that was quiet for longest. */
static struct flood *place(struct floods *s) {
  struct flood *oldest = NULL;
  for (unsigned i = 0; i < FLOOD_SOURCES; i++) {
    struct flood *f = &s->sources[i];
    if (f->flooded) continue;
    if (f->requests == 0) return f;
    if (!oldest || f->last < oldest->last) oldest = f;
  }
  return oldest;
}

static void flood_request(struct floods *s, const struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r->certain || r->bad != JDG_GOOD) return;
  struct flood *f = find_flood(s, &r->source);
  if (!f) f = place(s);
  if (!f) return;
  bool over = f->requests == 0 || !chorus_same_address(&f->source, &r->source) ||
              (!f->flooded && look->now - f->begin > FLOOD_SPAN);
  if (over) *f = (struct flood){.source = r->source, .begin = look->now};
  if (f->flooded && look->now - f->begin > FLOOD_SPAN) return; /* counted to the end */
  f->requests++;
  f->last = look->now;
  if (f->requests >= FLOOD_REQUESTS) f->flooded = true;
}

/* One verdict per flood, once the last response to it must have been sent. */
static void judge_flood(struct jdg_look *look, const struct flood *f) {
  const struct jdg_ics *ics = &look->host->ics;
  chorus_time wait = ics->leisure + ics->processing + jdg_delta(look);
  if (!f->flooded || look->now < f->last + wait) return;
  if (f->responses * 100 < f->requests * FLOOD_PERCENT)
    jdg_pass(look);
  else if (f->responses < f->requests)
    jdg_inconclusive(look,
                     "A few responses to a flood are missing: limited, or lost by the sender.");
  else
    jdg_break(look, 0, "fewer responses than requests under a flood",
              "%llu responses to %llu requests", (unsigned long long)f->responses,
              (unsigned long long)f->requests);
}

void rule_coap_4_7_03(struct jdg_look *look) {
  struct floods *s = jdg_state(look, sizeof *s);
  if (!s) return;
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    flood_request(s, look);
  } else if (look->hook == JDG_ON_RESPONSE_SENT) {
    struct flood *f = look->copy ? NULL : find_flood(s, &look->frame_info->destination);
    if (f) f->responses++;
  } else {
    for (unsigned i = 0; i < FLOOD_SOURCES; i++) judge_flood(look, &s->sources[i]);
  }
}
