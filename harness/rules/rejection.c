/* SPDX-License-Identifier: BSD-2-Clause */
/* What multicast must not provoke: Resets and ICMP errors. */
#include "chorus/endpoint_text.h"
#include "rules/address.h"
#include "rules/checks.h"
#include "rules/server.h"

/* Elsewhere, what was sent later under a Message ID that was free again may have gone unseen. */
static bool in_doubt(const struct jdg_look *look) {
  return !look->certain && look->now - look->reception->last_time >= JDG_NON_LIFETIME;
}

/* JDG_ON_EMPTY_SENT: a Reset that answers a Non-confirmable message to a group. */
static bool resets_group(const struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (look->coap->type != DIS_RST || !r || !r->group || !r->certain) return false;
  return r->type == DIS_NON && !in_doubt(look);
}

static void reset(struct jdg_look *look) {
  char group[CHORUS_ENDPOINT_TEXT];
  jdg_break(look, look->frame, "no Reset in reply to a multicast NON",
            "RST mid=0x%04x in reply to frame %llu, sent to %s", look->coap->mid,
            (unsigned long long)look->reception->frame,
            chorus_endpoint_text(&look->reception->destination, group));
}

/* JDG_ON_WINDOW: a NON to a group that cannot be processed, and no Reset for it. */
static bool kept_quiet(const struct jdg_reception *r) {
  return r->group && r->type == DIS_NON && r->bad != JDG_GOOD && r->rsts == 0;
}

/* COAP-8.1-02: what the server does, or says, shows that it knows of the multicast. */
void rule_coap_8_1_02(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (look->hook == JDG_ON_EMPTY_SENT) {
    bool unable = look->host->ics.mcast_aware == JDG_NO; /* "if available"; COAP-8.1-04 */
    if (resets_group(look) && !unable) reset(look);
    return;
  }
  if (look->hook == JDG_ON_WINDOW) {
    if (kept_quiet(r)) jdg_pass(look);
    return;
  }
  if (look->event->type != CHORUS_EVENT_EXECUTE || !r || !r->group) return;
  if (look->event->group)
    jdg_pass(look);
  else if (look->host->ics.mcast_aware == JDG_NO)
    jdg_break(look, r->frame, "request known to have come by multicast",
              "request taken for unicast, mid=0x%04x", r->mid);
}

/* COAP-8.1-03 */
void rule_coap_8_1_03(struct jdg_look *look) {
  if (look->host->ics.mcast_aware == JDG_NO) return; /* COAP-8.1-04 */
  if (look->hook == JDG_ON_WINDOW) {
    if (kept_quiet(look->reception)) jdg_pass(look);
    return;
  }
  if (resets_group(look)) reset(look);
}

/* COAP-8.1-04: a permission for those that cannot know. */
void rule_coap_8_1_04(struct jdg_look *look) {
  if (look->host->ics.mcast_aware == JDG_NO && resets_group(look)) jdg_pass(look);
}

/* COAP-8-02: requests to groups that the server did not choose. */
void rule_coap_8_02(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r || !rule_is_all_nodes(&r->destination)) return;
  if (look->hook == JDG_ON_WINDOW) {
    if (r->rsts == 0 && r->acks == 0) jdg_pass(look);
    return;
  }
  bool unaware = look->host->ics.mcast_aware == JDG_NO;
  if (resets_group(look) && !unaware) reset(look);
}

/* ---- ICMP ---- */

#define ICMP6_UNREACHABLE         1u
#define ICMP6_PORT_UNREACHABLE    4u
#define ICMP6_TOO_BIG             2u
#define ICMP6_PARAMETER           4u
#define ICMP6_UNRECOGNIZED_OPTION 2u
#define ICMP6_FIRST_INFORMATIONAL 128u
#define ICMP4_UNREACHABLE         3u
#define ICMP4_PORT_UNREACHABLE    3u

static void icmp(struct jdg_look *look) {
  char group[CHORUS_ENDPOINT_TEXT];
  const struct dis_frame *f = look->frame_info;
  jdg_break(look, look->frame, "no ICMP error about a datagram to a group",
            "ICMP%s type %u code %u about a datagram to %s", f->icmp_v6 ? "v6" : "", f->icmp_type,
            f->icmp_code, chorus_endpoint_text(&f->quoted_destination, group));
}

static bool quotes_group(const struct jdg_look *look, bool v6) {
  return look->frame_info->icmp_v6 == v6 && chorus_is_group(&look->frame_info->quoted_destination);
}

/* JDG_ON_WINDOW: a datagram to a group, of this IP version, that could have provoked an error. */
static bool provoked(const struct jdg_reception *r, bool v6, bool unserved) {
  if (!r->group || chorus_is_ipv4(&r->destination) == v6) return false;
  return !unserved || (r->member_known && !r->member);
}

/* GC-2.4.1-06, GC-2.4.2-03: port unreachable. */
static void unreachable(struct jdg_look *look, bool v6, uint8_t type, uint8_t code) {
  if (look->hook == JDG_ON_WINDOW) {
    if (provoked(look->reception, v6, true)) jdg_pass(look);
    return;
  }
  const struct dis_frame *f = look->frame_info;
  if (quotes_group(look, v6) && f->icmp_type == type && f->icmp_code == code) icmp(look);
}

void rule_gc_2_4_1_06(struct jdg_look *look) {
  unreachable(look, true, ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE);
}

void rule_gc_2_4_2_03(struct jdg_look *look) {
  unreachable(look, false, ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE);
}

/* ICMP6-2.4-01: any error but Packet Too Big and an unrecognized option (RFC 4443, 2.4 (e.3)). */
static bool excepted(const struct dis_frame *f) {
  if (f->icmp_type == ICMP6_TOO_BIG || f->icmp_type >= ICMP6_FIRST_INFORMATIONAL) return true;
  return f->icmp_type == ICMP6_PARAMETER && f->icmp_code == ICMP6_UNRECOGNIZED_OPTION;
}

void rule_icmp6_2_4_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_WINDOW) {
    if (provoked(look->reception, true, false)) jdg_pass(look);
    return;
  }
  if (quotes_group(look, true) && !excepted(look->frame_info)) icmp(look);
}

void rule_icmp4_3_2_2_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_WINDOW) {
    if (provoked(look->reception, false, false)) jdg_pass(look);
    return;
  }
  if (quotes_group(look, false)) icmp(look);
}
