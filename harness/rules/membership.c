/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups that a server serves, by address and port, and those that it does not. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/address.h"
#include "rules/checks.h"
#include "rules/server.h"

static bool member_answers(struct jdg_look *look) {
  if (!jdg_answers_group(look) || look->copy) return false;
  return jdg_member(look, look->host, &look->leg->request->destination) == JDG_YES;
}

/* The group that the look is about. */
static const struct chorus_endpoint *group_of(const struct jdg_look *look) {
  return look->hook == JDG_ON_RESPONSE_SENT ? &look->leg->request->destination
                                            : &look->reception->destination;
}

/* A member hears requests to the group's address and port: where it promises answers they come. */
static void listens(struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    if (member_answers(look)) rule_came(look, jdg_state(look, sizeof(struct rule_tries)));
    return;
  }
  if (!rule_answer_promised(look) || rule_answered(look)) return;
  char expected[CHORUS_ENDPOINT_TEXT + 48], group[CHORUS_ENDPOINT_TEXT];
  snprintf(expected, sizeof expected, "a response, as a member of %s",
           chorus_endpoint_text(group_of(look), group));
  rule_did_not_come(look, jdg_state(look, sizeof(struct rule_tries)), expected);
}

/* The look is about a request whose group the rule wants to hear of. */
static bool has_group(const struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_SENT) return look->leg && look->leg->request->group;
  return look->reception && look->reception->group;
}

void rule_gc_2_3_2_01(struct jdg_look *look) {
  if (has_group(look)) listens(look);
}

void rule_gc_2_2_2_01(struct jdg_look *look) {
  if (has_group(look) && group_of(look)->port == CHORUS_COAP_PORT) listens(look);
}

/* GC-2.3.2-02: judged where another server of the group answers at the port. */
void rule_gc_2_3_2_02(struct jdg_look *look) {
  if (!has_group(look)) return;
  unsigned answering = look->leg ? look->leg->request->responders : 0;
  bool counted = look->hook == JDG_ON_RESPONSE_SENT; /* this server is among them */
  if (answering > (counted ? 1u : 0u)) listens(look);
}

/* A client's half: it sends to groups of this IP version. */
static void usable(struct jdg_look *look, bool ipv4) {
  if (look->hook == JDG_ON_REQUEST_SENT) {
    const struct chorus_endpoint *to = &look->request->destination;
    if (look->request->group && chorus_is_ipv4(to) == ipv4) jdg_pass(look);
    return;
  }
  if (has_group(look) && chorus_is_ipv4(group_of(look)) == ipv4) listens(look);
}

void rule_gc_2_4_1_01(struct jdg_look *look) {
  usable(look, false);
}

void rule_gc_2_4_2_01(struct jdg_look *look) {
  usable(look, true);
}

/* The server is known not to be a member: neither by its own choice nor as any CoAP node is. */
static bool not_member(const struct jdg_reception *r) {
  if (!r || !r->group || !r->member_known || r->member) return false;
  bool common = rule_is_all_coap_nodes(&r->destination) || rule_is_all_nodes(&r->destination);
  return !(common && r->destination.port == CHORUS_COAP_PORT);
}

static void answered_stranger(struct jdg_look *look, const struct jdg_reception *r) {
  char group[CHORUS_ENDPOINT_TEXT], message[96];
  jdg_break(look, look->frame, "no response to a group that the server is not a member of",
            "response %s to a request to %s", rule_message(look, message),
            chorus_endpoint_text(&r->destination, group));
}

/* GC-2.1-01 */
void rule_gc_2_1_01(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  bool stranger = not_member(r);
  if (look->hook == JDG_ON_WINDOW) {
    if (stranger && !r->executed && r->bad == JDG_GOOD && r->leg && !rule_answered(look))
      jdg_pass(look);
    else if (!stranger && has_group(look))
      listens(look);
    return;
  }
  if (!jdg_answers_group(look) || look->copy) return;
  /* A membership that begins in this very instant is told of only after the packets. */
  if (stranger && look->now == r->time) return;
  if (stranger && look->leg->receptions == 1)
    answered_stranger(look, r);
  else
    listens(look);
}

/* GC-2.3.2-06: the groups joined, by address; a port that is not served is discarded by UDP. */
#define GROUP_MEMORY 16u

struct group_state {
  struct chorus_endpoint joined[GROUP_MEMORY];
  unsigned count;
};

static bool serves_address(const struct jdg_host *host, const struct group_state *state,
                           const struct chorus_endpoint *group) {
  for (unsigned i = 0; i < state->count; i++)
    if (chorus_same_address(&state->joined[i], group)) return true;
  for (size_t i = 0; i < host->ics.group_count; i++)
    if (chorus_same_address(&host->ics.groups[i], group)) return true;
  return false;
}

static void note_join(struct group_state *state, const struct chorus_event *event) {
  if (event->type != CHORUS_EVENT_JOIN || state->count == GROUP_MEMORY) return;
  state->joined[state->count++] = event->peer;
}

static void unserved_icmp(struct jdg_look *look, const struct group_state *state) {
  const struct chorus_endpoint *group = &look->frame_info->quoted_destination;
  if (!chorus_is_group(group) || jdg_member(look, look->host, group) != JDG_NO) return;
  char text[CHORUS_ENDPOINT_TEXT];
  if (serves_address(look->host, state, group))
    jdg_break(look, look->frame, "datagram to an unserved port of the group silently discarded",
              "ICMP error about a datagram to %s", chorus_endpoint_text(group, text));
}

void rule_gc_2_3_2_06(struct jdg_look *look) {
  struct group_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  if (look->hook == JDG_ON_EVENT) {
    note_join(state, look->event);
    return;
  }
  if (look->hook == JDG_ON_ICMP) {
    unserved_icmp(look, state);
    return;
  }
  const struct jdg_reception *r = look->reception;
  if (!not_member(r) || !r->leg || !serves_address(look->host, state, &r->destination)) return;
  /* What it received as a member it may still answer now. */
  if (r->leg->receptions > 1 || r->leg->copies) return;
  char text[CHORUS_ENDPOINT_TEXT];
  chorus_endpoint_text(&r->destination, text);
  if (r->executed || r->rsts || r->responses)
    jdg_break(look, r->frame, "datagram to an unserved port of the group silently discarded",
              "%u executed, %u RST, %u responses to a request to %s", r->executed, r->rsts,
              r->responses, text);
  else
    jdg_pass(look);
}

/* GC-2.3.2-09: port 5684 takes no part. */
static bool to_secure_port(const struct jdg_look *look) {
  return has_group(look) && group_of(look)->port == CHORUS_COAPS_PORT;
}

static void secure_port_event(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  char group[CHORUS_ENDPOINT_TEXT];
  bool joined = e->type == CHORUS_EVENT_JOIN && e->peer.port == CHORUS_COAPS_PORT;
  if (joined)
    jdg_break(look, 0, "no group at port 5684", "joined %s", chorus_endpoint_text(&e->peer, group));
  if (e->type == CHORUS_EVENT_EXECUTE && to_secure_port(look))
    jdg_break(look, look->reception->frame, "group request to port 5684 ignored",
              "request %s executed",
              look->reception->request ? look->reception->request->path : "");
}

void rule_gc_2_3_2_09(struct jdg_look *look) {
  char message[96];
  switch (look->hook) {
    case JDG_ON_EVENT: secure_port_event(look); return;
    case JDG_ON_RESPONSE_SENT:
      if (to_secure_port(look) && jdg_answers_group(look))
        jdg_break(look, look->frame, "group request to port 5684 ignored", "response %s",
                  rule_message(look, message));
      return;
    default: break;
  }
  const struct jdg_reception *r = look->reception;
  if (to_secure_port(look) && !r->executed && !r->responses) jdg_pass(look);
}
