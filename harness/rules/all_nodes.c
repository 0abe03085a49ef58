/* SPDX-License-Identifier: BSD-2-Clause */
/* The All CoAP Nodes groups of servers that can be discovered (RFC 7252, sections 7.1, 8, 12.8). */
#include "rules/address.h"
#include "rules/checks.h"
#include "rules/server.h"

/* Which All CoAP Nodes groups at port 5683 a server joined, or answered in. */
#define IPV4_GROUP   16u /* beside the scopes 0 to 15 of IPv6 */
#define GROUP_BIT(n) (1u << (n))
#define LINK_LOCAL   2u
#define REALM_LOCAL  3u
#define ADMIN_LOCAL  4u
#define SITE_LOCAL   5u

struct nodes_state {
  struct rule_tries tries;
  bool says_joins; /* this node reports its memberships */
  uint32_t groups;
};

static uint32_t group_bit(const struct chorus_endpoint *group) {
  if (group->port != CHORUS_COAP_PORT || !rule_is_all_coap_nodes(group)) return 0;
  return chorus_is_ipv4(group) ? GROUP_BIT(IPV4_GROUP) : GROUP_BIT(chorus_multicast_scope(group));
}

static void note_join(struct nodes_state *state, const struct chorus_event *event) {
  if (event->type != CHORUS_EVENT_JOIN) return;
  state->says_joins = true;
  state->groups |= group_bit(&event->peer);
}

static bool has_address(const struct jdg_host *host, bool ipv4) {
  for (size_t i = 0; i < host->address_count; i++)
    if (chorus_is_ipv4(&host->addresses[i]) == ipv4) return true;
  return false;
}

/* ---- port 5683 of the groups: GC-2.3.2-10, GC-2.4.1-03, GC-2.4.2-02 ---- */

#define ANY_SCOPE 0xffffu
#define ANY_GROUP (ANY_SCOPE | GROUP_BIT(IPV4_GROUP))

static bool unfiltered_discovery(const struct jdg_request *q) {
  return q->group && q->discovery && !q->has_query;
}

/* Silence alone proves nothing (AMB-28): an execution does, and so does a promise that is not kept.
 */
static void silent_discovery(struct jdg_look *look, struct nodes_state *state) {
  const struct jdg_reception *r = look->reception;
  if (look->host->ics.discovery != JDG_YES || !rule_undisturbed(look)) return;
  if (rule_answered(look)) return;
  if (r->executed)
    rule_came(look, &state->tries);
  else if (rule_answer_promised(look))
    rule_did_not_come(look, &state->tries, "a response to GET /.well-known/core");
  else
    jdg_inconclusive(look,
                     "Nothing answered the discovery request, and default suppression may "
                     "be the reason.");
}

static void served_at_end(struct jdg_look *look, const struct nodes_state *state, uint32_t wanted) {
  if (look->host->ics.discovery != JDG_YES || !state->says_joins) return;
  if (state->groups & wanted)
    jdg_pass(look);
  else
    jdg_break(look, 0, "All CoAP Nodes served at port 5683",
              "no All CoAP Nodes group joined at port 5683");
}

static void port_5683(struct jdg_look *look, uint32_t wanted) {
  struct nodes_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  const struct jdg_request *q = look->leg ? look->leg->request : NULL;
  bool asked = q && unfiltered_discovery(q) && (group_bit(&q->destination) & wanted);
  switch (look->hook) {
    case JDG_ON_EVENT: note_join(state, look->event); return;
    case JDG_ON_RESPONSE_SENT:
      if (asked && jdg_answers_group(look) && !look->copy) rule_came(look, &state->tries);
      return;
    case JDG_ON_WINDOW:
      if (asked) silent_discovery(look, state);
      return;
    default: served_at_end(look, state, wanted); return;
  }
}

void rule_gc_2_3_2_10(struct jdg_look *look) {
  port_5683(look, ANY_GROUP);
}

void rule_gc_2_4_1_03(struct jdg_look *look) {
  if (look->hook != JDG_ON_END || has_address(look->host, false)) port_5683(look, ANY_SCOPE);
}

void rule_gc_2_4_2_02(struct jdg_look *look) {
  if (look->hook != JDG_ON_END || has_address(look->host, true))
    port_5683(look, GROUP_BIT(IPV4_GROUP));
}

/* ---- the scopes: GC-2.4.1-04, GC-2.4.1-05, COAP-8-01 ---- */

static const char *group_name(unsigned group) {
  switch (group) {
    case LINK_LOCAL: return "ff02::fd (link-local)";
    case REALM_LOCAL: return "ff03::fd (realm-local)";
    case ADMIN_LOCAL: return "ff04::fd (admin-local)";
    case SITE_LOCAL: return "ff05::fd (site-local)";
    default: return "224.0.1.187";
  }
}

static void missing(struct jdg_look *look, unsigned group) {
  jdg_break(look, 0, "member of the All CoAP Nodes groups that apply", "%s not joined",
            group_name(group));
}

static void scopes_at_end(struct jdg_look *look, const struct nodes_state *state, uint32_t wanted) {
  if (look->host->ics.discovery != JDG_YES || !state->says_joins || !wanted) return;
  if ((state->groups & wanted) == wanted) jdg_pass(look);
  for (unsigned group = 0; group <= IPV4_GROUP; group++)
    if (wanted & ~state->groups & GROUP_BIT(group)) missing(look, group);
}

static void scopes(struct jdg_look *look, uint32_t wanted) {
  if (look->hook == JDG_ON_RESPONSE_SENT &&
      (!look->leg || !group_bit(&look->leg->request->destination)))
    return;
  struct nodes_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  if (look->hook == JDG_ON_EVENT) {
    note_join(state, look->event);
  } else if (look->hook == JDG_ON_END) {
    scopes_at_end(look, state, wanted);
  } else if (jdg_answers_group(look) && !look->copy) {
    uint32_t bit = group_bit(&look->leg->request->destination) & wanted;
    state->groups |= bit;
    if (bit) jdg_pass(look);
  }
}

void rule_gc_2_4_1_04(struct jdg_look *look) {
  bool applies = has_address(look->host, false);
  uint32_t wanted = GROUP_BIT(LINK_LOCAL) | GROUP_BIT(ADMIN_LOCAL) | GROUP_BIT(SITE_LOCAL);
  scopes(look, applies ? wanted : 0);
}

void rule_gc_2_4_1_05(struct jdg_look *look) {
  bool applies = look->host->ics.sixlowpan == JDG_YES && has_address(look->host, false);
  scopes(look, applies ? GROUP_BIT(REALM_LOCAL) : 0);
}

void rule_coap_8_01(struct jdg_look *look) {
  uint32_t wanted = 0;
  if (has_address(look->host, false)) wanted |= GROUP_BIT(LINK_LOCAL) | GROUP_BIT(SITE_LOCAL);
  if (has_address(look->host, true)) wanted |= GROUP_BIT(IPV4_GROUP);
  scopes(look, wanted);
}
