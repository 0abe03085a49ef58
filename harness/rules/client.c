/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/client.h"

#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/server.h"

/* Seen on the sender's link: no router has lessened the hop limit, which began at a usual value. */
static bool next_door(const struct jdg_look *look) {
  if (!look->frame_info) return false;
  uint8_t hops = look->frame_info->hop_limit;
  return hops == 255 || (hops & (hops - 1u)) == 0;
}

chorus_time rule_time_slack(const struct jdg_look *look) {
  if (!look->certain) return next_door(look) ? RULE_LINK_SLACK : RULE_SIGHTING_SLACK;
  chorus_time delta = jdg_delta(look);
  return delta >= CHORUS_SECOND ? delta : 0; /* virtual time is exact */
}

bool rule_own_request(const struct jdg_look *look) {
  const struct jdg_request *r = look->request;
  return r && r->client == look->host && !r->spoofed;
}

bool rule_new_group_request(const struct jdg_look *look) {
  if (look->relation != JDG_NEW && look->relation != JDG_REUSE) return false;
  return look->group && rule_own_request(look);
}

static bool still_waiting(const struct jdg_look *look, const struct jdg_request *r) {
  chorus_time time = look->arrival->time;
  if (look->host->restarted_at >= time && look->host->restarted_at) return false;
  /* An end that was told just after the arrival may have come just before it. */
  return r->done_at == CHORUS_NEVER || r->done_at > time + jdg_delta(look);
}

bool rule_awaited(const struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  if (!a || !a->certain || !look->host->has_events || !a->request) return false;
  const struct jdg_request *r = a->request;
  if (r->client != look->host || r->spoofed || r->proxied || r->oscore) return false;
  if (!r->announced || r->no_response == DIS_MALFORMED) return false;
  return !rule_disclaimed(r, a->code) && still_waiting(look, r);
}

bool rule_owed(const struct jdg_look *look) {
  return look->arrival && look->arrival->due == JDG_DELIVER && rule_awaited(look);
}

bool rule_owed_by_group(const struct jdg_look *look) {
  return rule_owed(look) && look->arrival->request->group;
}

bool rule_ended_before(const struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  const struct jdg_request *r = a->request;
  if (!r || r->client != look->host) return false;
  if (r->done_at != CHORUS_NEVER && r->done_at + jdg_delta(look) < a->time) return true;
  chorus_time restart = look->host->restarted_at;
  return restart && r->last_time < restart && restart < a->time;
}

const char *rule_arrival_text(const struct jdg_arrival *arrival, char text[128]) {
  char code[16], address[CHORUS_ENDPOINT_TEXT];
  snprintf(text, 128, "response %s %s mid=0x%04x from %s", dis_type_text(arrival->type),
           dis_code_text(arrival->code, code), arrival->mid,
           chorus_address_text(&arrival->source, address));
  return text;
}

static uint64_t mix(uint64_t h) {
  h ^= h >> 33;
  h *= UINT64_C(0xff51afd7ed558ccd);
  h ^= h >> 33;
  return h;
}

uint64_t rule_token_key(const uint8_t *token, size_t length) {
  uint64_t word = 0;
  if (length) memcpy(&word, token, length < 8 ? length : 8);
  return mix(word + 1) + length;
}

uint64_t rule_address_key(const struct chorus_endpoint *endpoint) {
  uint64_t high, low;
  memcpy(&high, endpoint->address, 8);
  memcpy(&low, endpoint->address + 8, 8);
  return mix(mix(high) ^ low);
}
