/* SPDX-License-Identifier: BSD-2-Clause */
/* Repeats of group requests, unicast follow-ups, and the Message IDs of clients. */
#include "chorus/endpoint_text.h"
#include "rules/checks.h"
#include "rules/client.h"

/* ---- Message IDs in use ---- */

/* Until when the Message ID of the earlier message may not serve again (RFC 7252, 4.4, 4.8.2). */
static chorus_time lifetime(const struct jdg_mid_use *use) {
  return use->type == DIS_CON ? JDG_EXCHANGE_LIFETIME : JDG_NON_LIFETIME;
}

/* A restarted client does not know what it used before. */
static bool forgotten(const struct jdg_look *look, const struct jdg_mid_use *use) {
  return look->host->restarted_at && use->time <= look->host->restarted_at;
}

static void break_mid(struct jdg_look *look, const char *expected) {
  char time[32], to[CHORUS_ENDPOINT_TEXT];
  jdg_break(look, look->frame, expected, "Message ID 0x%04x, used %s before towards %s",
            look->coap->mid, jdg_time_text(look->now - look->mid_clash->time, time),
            chorus_endpoint_text(&look->mid_clash->destination, to));
}

/* ---- GC-2.3.1-12: the same Message ID ---- */

/* The time since the first transmission with this Message ID. */
static chorus_time age_of_message(const struct jdg_look *look) {
  chorus_time since = jdg_request_mid_since(look->request, look->coap->mid);
  return since == CHORUS_NEVER ? look->gap : look->now - since;
}

static void judge_copy(struct jdg_look *look) {
  chorus_time age = age_of_message(look);
  char text[32];
  if (age <= JDG_MAX_TRANSMIT_SPAN + rule_time_slack(look))
    jdg_pass(look);
  else
    jdg_warn(look, look->frame, "copy within 45.000 s (MAX_TRANSMIT_SPAN)", "copy after %s",
             jdg_time_text(age, text));
}

static bool altered_in_time(const struct jdg_look *look) {
  const struct jdg_mid_use *use = look->mid_clash;
  return use && !forgotten(look, use) && look->now - use->time < JDG_NON_LIFETIME;
}

void rule_gc_2_3_1_12(struct jdg_look *look) {
  if (!look->group || !rule_own_request(look)) return;
  if (look->relation == JDG_COPY)
    judge_copy(look);
  else if (look->relation == JDG_ALTERED && altered_in_time(look))
    jdg_break(look, look->frame, "the same octets with the same Message ID",
              "other octets with Message ID 0x%04x", look->coap->mid);
}

/* ---- GC-2.3.1-14: a new Message ID ---- */

void rule_gc_2_3_1_14(struct jdg_look *look) {
  if (!look->group || look->relation != JDG_REPEAT || !rule_own_request(look)) return;
  const struct jdg_mid_use *use = look->mid_clash;
  if (!use)
    jdg_pass(look);
  else if (forgotten(look, use))
    jdg_inconclusive(look, "The client restarted since it used the Message ID.");
  else if (look->now - use->time + rule_time_slack(look) < lifetime(use))
    break_mid(look, "Message ID that is not in use");
  else
    jdg_inconclusive(look,
                     "The Message ID of a Non-confirmable message was used again between "
                     "NON_LIFETIME (145 s) and EXCHANGE_LIFETIME (247 s).");
}

/* ---- COAP-8.1-05, COAP-4.4-02: unicast and group apart ---- */

#define PORTS_KEPT 8

struct port_use {
  uint16_t port;
  chorus_time unicast, group; /* 0: not yet */
};

static struct port_use *port_use(struct jdg_look *look) {
  struct port_use *uses = jdg_state(look, PORTS_KEPT * sizeof *uses);
  if (!uses) return NULL;
  uint16_t port = look->frame_info->source.port;
  for (size_t i = 0; i < PORTS_KEPT; i++)
    if (uses[i].port == port || !uses[i].port) return &uses[i];
  return &uses[port % PORTS_KEPT];
}

/* Whether the other kind of request was sent from this port within NON_LIFETIME. */
static bool mixes(struct jdg_look *look) {
  struct port_use *use = port_use(look);
  if (!use) return false;
  uint16_t port = look->frame_info->source.port;
  if (use->port != port) *use = (struct port_use){port, 0, 0};
  chorus_time other = look->group ? use->unicast : use->group;
  *(look->group ? &use->group : &use->unicast) = look->now ? look->now : 1;
  return other && look->now - other < JDG_NON_LIFETIME;
}

void rule_coap_8_1_05(struct jdg_look *look) {
  if (!rule_own_request(look) || look->copy) return;
  bool mixed = mixes(look);
  const struct jdg_mid_use *use = look->mid_clash;
  if (!use || !use->request || use->group == look->group) {
    if (mixed) jdg_pass(look);
    return;
  }
  if (forgotten(look, use))
    jdg_inconclusive(look, "The client restarted since it used the Message ID.");
  else if (look->now - use->time + rule_time_slack(look) < lifetime(use))
    break_mid(look, look->group ? "Message ID that is in use with no unicast endpoint"
                                : "Message ID that is in use with no group");
}

/* ---- GC-2.3.5-08: a unicast follow-up ---- */

void rule_gc_2_3_5_08(struct jdg_look *look) {
  if (look->relation != JDG_FOLLOWUP || look->copy || !rule_own_request(look)) return;
  const struct jdg_mid_use *use = look->mid_clash;
  /* Only the group request's own counts: COAP-8.1-05 is about all others. */
  bool same =
      use && use->group && jdg_request_mid_since(look->request, look->coap->mid) != CHORUS_NEVER;
  if (!same)
    jdg_pass(look);
  else if (forgotten(look, use))
    jdg_inconclusive(look, "The client restarted since it used the Message ID.");
  else
    break_mid(look, "Message ID other than the group request's");
}
