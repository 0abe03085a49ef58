/* SPDX-License-Identifier: BSD-2-Clause */
/* COAP-8.2-09: where a link in a response to a group request leads (RFC 7252, section 8.2). */
#include <ctype.h>
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/checks.h"

/* Links that are being followed at a time; of more the oldest stay unjudged. */
#define KEPT 64

/* A link that the application follows: the request is still to come. */
struct followed {
  uint64_t name; /* of the request; 0: none */
  struct chorus_endpoint responder;
  uint16_t port; /* of the group request; 0: unknown */
};

struct links {
  struct followed link[KEPT];
  unsigned next;
};

static uint64_t name_of(const char *text) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (; *text; text++) h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
  return h ? h : 1;
}

/* A reference with an authority of its own goes where that says (RFC 3986, sections 4.1, 4.2). */
static bool is_relative(const char *target) {
  size_t n = 0;
  if (strncmp(target, "//", 2) == 0) return false;
  while (isalnum((unsigned char)target[n]) || (target[n] && strchr("+-.", target[n]))) n++;
  return !isalpha((unsigned char)target[0]) || target[n] != ':';
}

/* Adapters need not name the message: then they say themselves that a group was asked. */
static bool asked_a_group(const struct jdg_look *look) {
  const struct jdg_request *q = look->request;
  if (!q) return look->event->group;
  return q->group && q->client == look->host && !q->spoofed && !q->proxied && !q->oscore;
}

static void keep(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  if (!e->detail || !e->path || !is_relative(e->path) || !asked_a_group(look)) return;
  if (chorus_is_unspecified(&e->peer) || chorus_is_group(&e->peer)) {
    jdg_inconclusive(look, "The application does not know in whose response the link was.");
    return;
  }
  struct links *all = jdg_state(look, sizeof *all);
  if (!all) return;
  all->link[all->next++ % KEPT] =
      (struct followed){.name = name_of(e->detail),
                        .responder = e->peer,
                        .port = look->request ? look->request->destination.port : 0};
}

/* The request has been seen, is the one that the event speaks of, and goes straight to a host. */
static const char *obstacle(const struct jdg_look *look) {
  const struct jdg_request *q = look->request;
  if (!q || q->client != look->host || q->spoofed || look->now - q->last_time > jdg_delta(look))
    return "The request that follows the link is not in the capture.";
  if (q->proxied || q->oscore)
    return "A proxy decides where the request that follows the link goes.";
  const struct chorus_endpoint *said = &look->event->peer;
  if (!chorus_is_unspecified(said) && !chorus_same_address(said, &q->destination))
    return "Application and capture disagree about where the request that follows the link goes.";
  return NULL;
}

/*
 * The text replaces the Host component alone. Section 8.2.1 speaks of the transport-layer source
 * address instead, which has a port of its own: either is right.
 */
static bool right_port(const struct followed *f, uint16_t port) {
  return port == f->port || port == f->responder.port;
}

/* Another address of the server may come from the capture's place (translation), or from the name
 * under which the client knows the server. */
static bool same_host(const struct jdg_look *look, const struct followed *f,
                      const struct chorus_endpoint *to) {
  const struct jdg_host *host = jdg_host_of(look, to);
  return host && host == jdg_host_of(look, &f->responder);
}

static void judge(struct jdg_look *look, const struct followed *f) {
  const char *why = obstacle(look);
  if (why) {
    jdg_inconclusive(look, why);
    return;
  }
  const struct chorus_endpoint *to = &look->request->destination;
  bool address = chorus_same_address(to, &f->responder);
  if (address && right_port(f, to->port)) {
    jdg_pass(look);
    return;
  }
  if (address && (!f->port || !f->responder.port)) {
    jdg_inconclusive(look, "The port of the group request or of the responder is not known.");
    return;
  }
  if (!address && same_host(look, f, to)) {
    jdg_inconclusive(look, "The link is followed to another address of the responder.");
    return;
  }
  char expected[128], text[CHORUS_ENDPOINT_TEXT];
  snprintf(expected, sizeof expected, "link followed to the responder, %s",
           chorus_endpoint_text(&f->responder, text));
  jdg_break(look, look->request->first_frame, expected, "link followed to %s",
            chorus_endpoint_text(to, text));
}

static void settle(struct jdg_look *look, struct links *all, const char *name) {
  uint64_t key = name_of(name);
  for (size_t i = 0; i < KEPT; i++) {
    struct followed *f = &all->link[i];
    if (f->name != key) continue;
    f->name = 0;
    /* Refused, or given up before it was sent: nothing is wrong with that. */
    if (look->event->type == CHORUS_EVENT_REQUEST) judge(look, f);
    return;
  }
}

static void never_seen(struct jdg_look *look, const struct links *all) {
  for (size_t i = 0; i < KEPT; i++) {
    if (!all->link[i].name) continue;
    jdg_inconclusive(look, "A link is followed by a request that never came.");
    return;
  }
}

void rule_coap_8_2_09(struct jdg_look *look) {
  struct links *all = jdg_state_if_any(look);
  if (look->hook == JDG_ON_END) {
    if (all) never_seen(look, all);
    return;
  }
  const struct chorus_event *e = look->event;
  if (e->type == CHORUS_EVENT_FOLLOW) {
    keep(look);
    return;
  }
  bool ends = e->type == CHORUS_EVENT_DONE || e->type == CHORUS_EVENT_REFUSED;
  if (all && e->request && (ends || e->type == CHORUS_EVENT_REQUEST)) settle(look, all, e->request);
}
